import type { RequestContext } from '../../../context.ts';
import { unauthenticated } from '../../../http/errors.ts';
import { requireSession } from '../../../http/viewer.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import { applyEmailToken, findEmailToken } from '../account-recovery.repository.ts';
import { emailTaken, emailUnchanged, linkInvalid } from '../auth.errors.ts';
import { askEmailChange, askVerification } from '../mail-tokens.repository.ts';
import { isMailToken } from '../policy/mail-tokens.ts';
import { mailTokenHash } from './token-mails.ts';

const nowOf = (ctx: RequestContext): string => new Date(ctx.clock.now()).toISOString();

/** Sends the caller's address another link, if it is not verified yet. */
export async function requestEmailVerification(ctx: RequestContext): Promise<void> {
  const { userId } = requireSession(ctx);
  const eventId = await askVerification(ctx, userId, nowOf(ctx));
  if (eventId !== undefined) publishAfterResponse(ctx, [eventId]);
}

/**
 * Asks the new address of the caller to be confirmed. The account keeps its old one until then. Says nothing about whether
 * another account has it: the owner of the mailbox is told.
 * @throws auth.email_unchanged, auth.unauthenticated.
 */
export async function requestEmailChange(ctx: RequestContext, email: string): Promise<void> {
  const { userId } = requireSession(ctx);
  const asked = await askEmailChange(ctx, userId, email, nowOf(ctx));
  if (asked === undefined) throw unauthenticated();
  if (asked === 'unchanged') throw emailUnchanged();
  publishAfterResponse(ctx, [asked.eventId]);
}

/**
 * Proves an address by the token sent to it. Only the account the token was made for can use it, so that opening a link
 * cannot lend one's address to an account somebody else registered with it.
 * @throws auth.link_invalid, auth.email_taken.
 */
export async function confirmEmail(ctx: RequestContext, token: string): Promise<void> {
  const { userId } = requireSession(ctx);
  if (!isMailToken('verify_email', token)) throw linkInvalid();
  const hash = await mailTokenHash(token);
  const now = nowOf(ctx);
  const found = await findEmailToken(ctx.databases.primary, userId, hash, now);
  if (found === undefined) throw linkInvalid();
  // The old mailbox hears of it by name, the new one as the account's own.
  const notices =
    found.purpose === 'verify_email'
      ? []
      : [
          newSecurityNotice(ctx, { userId, notice: 'email_changed' }),
          ...(found.verified
            ? [newSecurityNotice(ctx, { userId, notice: 'email_changed', email: found.currentEmail })]
            : []),
        ];
  const applied = await applyEmailToken(ctx, userId, hash, found, notices, now);
  if (applied === 'taken') throw emailTaken();
  if (!applied) throw linkInvalid();
  ctx.log.log('info', 'auth.email_confirmed', { user_id: userId, reason: found.purpose });
  publishAfterResponse(
    ctx,
    notices.map(({ id }) => id),
  );
}
