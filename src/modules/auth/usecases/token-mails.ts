import type { RequestContext } from '../../../context.ts';
import { randomBytes, sha256 } from '../../../shared/crypto.ts';
import { hex } from '../../../shared/encoding.ts';
import { secretTokenBytes } from '../../../shared/secret-token.ts';
import { composeMail, deliverMail, type Letter } from '../../mail/index.ts';
import {
  closeToken,
  findTokenMail,
  issueToken,
  putResetToken,
  type TokenMailRow,
} from '../mail-tokens.repository.ts';
import { parseIdentifier } from '../policy/identifier.ts';
import { formatMailToken, linkOf, type TokenPurpose } from '../policy/mail-tokens.ts';

/** The only form in which a token of a mail is stored. */
export const mailTokenHash = async (token: string): Promise<string> => hex(await sha256(token));

/**
 * Sends the mail a token was asked for, unless the account or the address has changed or enough of them were sent. When
 * another account has verified the address, its owner is told instead and no token is made.
 */
export const sendTokenMail = (ctx: RequestContext, eventId: string, tokenId: string): Promise<void> =>
  deliverMail(ctx, eventId, async () => {
    const nowMs = ctx.clock.now();
    const now = new Date(nowMs).toISOString();
    const { primary } = ctx.databases;
    const row = await findTokenMail(primary, tokenId, now);
    if (row === undefined || !isWanted(row)) return undefined;
    if (row.full) {
      ctx.log.log('warn', 'mail.limited', { event_id: eventId, reason: row.purpose });
      return undefined;
    }
    if (row.takenBy !== null) {
      if (!(await closeToken(primary, tokenId, now))) return undefined;
      return composeMail(alreadyYours(row.email, row.takenBy));
    }
    const { emailTokenTtlSeconds, passwordResetTtlSeconds } = ctx.config.auth;
    const ttlSeconds = row.purpose === 'reset_password' ? passwordResetTtlSeconds : emailTokenTtlSeconds;
    const token = formatMailToken(row.purpose, randomBytes(secretTokenBytes));
    const issued = await issueToken(ctx, tokenId, {
      hash: await mailTokenHash(token),
      now,
      expiresAt: new Date(nowMs + ttlSeconds * 1_000).toISOString(),
    });
    if (!issued) return undefined;
    const link = linkOf(ctx.config.email.appBaseUrl, row.purpose, token);
    return composeMail({ to: row.email, username: row.username, link, ...letters[row.purpose](ttlSeconds) });
  });

/** Sends the mail of a reset that was asked for, if the name is one of an account that can be reset by mail. */
export async function sendResetMail(
  ctx: RequestContext,
  eventId: string,
  asked: { readonly identifier: string; readonly requestedAt: string },
): Promise<void> {
  const identifier = parseIdentifier(asked.identifier);
  if (identifier === undefined) return;
  await putResetToken(ctx, identifier, eventId, asked.requestedAt);
  await sendTokenMail(ctx, eventId, eventId);
}

function isWanted(row: TokenMailRow): boolean {
  if (row.over) return false;
  switch (row.purpose) {
    case 'verify_email':
      return row.status === 'active' && !row.verified && row.currentEmail === row.email;
    case 'change_email':
      return row.status === 'active';
    case 'reset_password':
      return (
        (row.status === 'active' || row.status === 'deactivated') &&
        row.verified &&
        row.currentEmail === row.email
      );
  }
}

type LetterText = Pick<Letter, 'subject' | 'paragraphs' | 'advice'>;

const duration = (seconds: number): string =>
  seconds >= 7_200 ? `${Math.floor(seconds / 3_600)} hours` : `${Math.floor(seconds / 60)} minutes`;

const letters: Readonly<Record<TokenPurpose, (ttlSeconds: number) => LetterText>> = {
  verify_email: (ttlSeconds) => ({
    subject: 'Confirm your e-mail address',
    paragraphs: [
      'This account was registered with your e-mail address. If that was you, open this link where you are logged in:',
      `It works once, for ${duration(ttlSeconds)}. Until then you can log in with your username only.`,
    ],
    advice:
      'If this was not you, do nothing. Nobody can use your address here unless somebody who is logged in to the account above opens this link.',
  }),
  change_email: (ttlSeconds) => ({
    subject: 'Confirm your new e-mail address',
    paragraphs: [
      'This account asked to use this e-mail address from now on. To confirm, open this link where you are logged in:',
      `It works once, for ${duration(ttlSeconds)}. Until then the account keeps its old address.`,
    ],
    advice: 'If you do not know this account, do nothing: your address will not be used.',
  }),
  reset_password: (ttlSeconds) => ({
    subject: 'Reset your password',
    paragraphs: [
      'Somebody asked to reset the password of your account. If that was you, open this link and choose a new one:',
      `It works once, for ${duration(ttlSeconds)}. All your sessions will end. If your account has a second factor, you will still need it to log in.`,
    ],
    advice: 'If this was not you, do nothing: your password stays as it is. Never give this link to anybody.',
  }),
};

const alreadyYours = (to: string, username: string): Letter => ({
  to,
  username,
  subject: 'You already have an account',
  paragraphs: [
    'Somebody tried to use your e-mail address for another account. It stays with yours.',
    'If that was you: log in to the account above, and reset its password if you forgot it.',
  ],
  advice: 'If this was not you, there is nothing to do. They cannot tell that this address has an account.',
});
