import { formatSecretToken, isSecretToken } from '../../../shared/secret-token.ts';

const prefix = 'sfr_';

/** An opaque refresh token of 32 random bytes, see shared/secret-token.ts. */
export const formatRefreshToken = (secret: Uint8Array): string => formatSecretToken(prefix, secret);

/** Whether this has the form and checksum of a refresh token; says nothing about its being known. */
export const isRefreshToken = (text: string): boolean => isSecretToken(prefix, text);
