import type { RequestContext } from '../../context.ts';
import { EmailRefused, type Mail, sendEmail } from '../../integrations/email/index.ts';
import { claimMail, releaseMail, settleMail } from './mail.repository.ts';

/**
 * Sends the mail an event asks for, once however often the event arrives. `compose` runs when it is this caller's turn, and
 * gives undefined when no mail should go out after all. Should the sender die between handing the mail over and writing so,
 * it goes out again: an owner told twice is better than one not told.
 * @throws whatever keeps it from being sent now; the message is then to be retried.
 */
export async function deliverMail(
  ctx: RequestContext,
  eventId: string,
  compose: () => Promise<Mail | undefined>,
): Promise<void> {
  const { primary } = ctx.databases;
  const state = await claimMail(primary, eventId);
  if (state === 'settled') return;
  if (state === 'held') throw new Error('the mail is being sent by another delivery of its event');
  try {
    const mail = await compose();
    if (mail !== undefined) await sendEmail(ctx.config, mail);
    await settleMail(primary, eventId, mail === undefined ? 'not_wanted' : 'sent');
  } catch (error) {
    if (error instanceof EmailRefused) {
      ctx.log.log('error', 'mail.refused', { event_id: eventId, reason: error.code });
      await settleMail(primary, eventId, 'refused');
      return;
    }
    await releaseMail(primary, eventId);
    throw error;
  }
}
