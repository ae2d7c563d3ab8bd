import type { RequestContext } from '../../../context.ts';
import { composeMail, deliverMail, findRecipient } from '../../mail/index.ts';
import type { SecurityNotice } from '../notices.events.ts';
import { factLabel, noticeTexts, readableTime } from '../notices.policy.ts';

/**
 * Mails a notice to the address the event names, else to the account's address if it is verified. Nobody else is told: an
 * address that was never verified may be a stranger's.
 * @throws whatever keeps it from being sent now.
 */
export async function mailNotice(
  ctx: RequestContext,
  eventId: string,
  told: {
    readonly userId: string;
    readonly notice: SecurityNotice;
    readonly detail: Readonly<Record<string, string>>;
    readonly email: string | undefined;
    /** RFC 3339. */
    readonly occurredAt: string;
  },
): Promise<void> {
  await deliverMail(ctx, eventId, async () => {
    const account = await findRecipient(ctx.databases.primary, told.userId);
    const to = told.email ?? (account?.status === 'deleted' ? undefined : account?.verifiedEmail);
    if (to === undefined || to === null) return undefined;
    const { subject, happened, advice } = noticeTexts[told.notice];
    return composeMail({
      to,
      subject,
      username: account?.username,
      paragraphs: [happened],
      facts: [
        ['When', readableTime(told.occurredAt)],
        ...Object.entries(told.detail).map(([key, value]) => [factLabel(key), value] as const),
      ],
      advice,
    });
  });
}
