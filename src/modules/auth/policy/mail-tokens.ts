import { formatSecretToken, isSecretToken } from '../../../shared/secret-token.ts';

export const tokenPurposes = ['verify_email', 'change_email', 'reset_password'] as const;

export type TokenPurpose = (typeof tokenPurposes)[number];

// A token of one purpose is refused for another before it is looked up.
const prefixes: Readonly<Record<TokenPurpose, string>> = {
  verify_email: 'sfv_',
  change_email: 'sfv_',
  reset_password: 'sfp_',
};

/** The token of a link: 32 random bytes, see shared/secret-token.ts. */
export const formatMailToken = (purpose: TokenPurpose, secret: Uint8Array): string =>
  formatSecretToken(prefixes[purpose], secret);

/** Whether this has the form of a token with that purpose; says nothing about its being known. */
export const isMailToken = (purpose: TokenPurpose, text: string): boolean =>
  isSecretToken(prefixes[purpose], text);

/** How many mails with a link one address may get, whoever asks: nobody is flooded with mails they did not ask for. */
export const mailLimits = {
  /** Links to verify an address, in an hour and in a day. */
  verification: { hour: 3, day: 10 },
  /**
   * Links to reset a password that work at the same moment. Who is flooded by others has working links in the mailbox while
   * no more are sent, so nobody can be kept from resetting.
   */
  workingResets: 3,
} as const;

/** The link of a mail. The token is in the fragment, which browsers send to no server (OWASP ASVS 14.2.1). */
export const linkOf = (appBaseUrl: string, purpose: TokenPurpose, token: string): string =>
  `${appBaseUrl}/${purpose === 'reset_password' ? 'reset-password' : 'verify-email'}#token=${token}`;
