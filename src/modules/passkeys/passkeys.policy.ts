/** Passkeys one account may have. */
export const maxPasskeys = 20;

/** Seconds within which a challenge must be answered. */
export const challengeSeconds = 300;

/** Signature algorithms (COSE), the preferred first: ES256, EdDSA, RS256. */
export const algorithms = [-7, -8, -257] as const;

/**
 * How a passkey authenticates (RFC 8176): `hwk` when its key cannot leave the device, `swk` when it may be copied to others.
 */
export const keyMethod = (passkey: { readonly backupEligible: boolean }): 'hwk' | 'swk' =>
  passkey.backupEligible ? 'swk' : 'hwk';

/** Whether a signature count tells of a copy of the authenticator (WebAuthn L3 §6.1.1). Authenticators without a count say 0. */
export const isCloned = (storedCount: number, shownCount: number): boolean =>
  (storedCount > 0 || shownCount > 0) && shownCount <= storedCount;

/** The name of a passkey whose owner gave none. */
export const defaultName = (backupEligible: boolean): string =>
  backupEligible ? 'Synced passkey' : 'Security key';
