import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Consent } from './types.ts';

export interface IdTokenKeys {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Published nowhere. */
  readonly strangerKey: KeyObject;
}

export function makeIdTokenKeys(): IdTokenKeys {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid: randomBytes(6).toString('hex'), privateKey, publicKey, strangerKey: stranger.privateKey };
}

/** The published keys (RFC 7517). */
export const jwksOf = ({ kid, publicKey }: IdTokenKeys) => ({
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }],
});

/** An id token as the provider would sign it, or one that is wrong in the way the consent's fault says. */
export async function signIdToken(
  keys: IdTokenKeys,
  provider: 'google' | 'apple',
  issuer: string,
  clientId: string,
  { person, request, fault }: Consent,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims: Record<string, unknown> = {
    iss: fault === 'wrong_iss' ? 'https://other.example' : issuer,
    sub: person.subject,
    aud: fault === 'wrong_aud' ? 'someone-else' : fault === 'two_aud' ? [clientId, 'someone-else'] : clientId,
    iat: fault === 'expired' ? now - 7_200 : now,
    exp: fault === 'expired' ? now - 3_600 : now + 600,
    nonce: fault === 'wrong_nonce' ? 'another-nonce-than-was-sent' : request.nonce,
    auth_time: fault === 'old_login' ? now - 86_400 : now,
  };
  if (fault === 'no_nonce') delete claims.nonce;
  if (fault === 'no_auth_time') delete claims.auth_time;
  if (provider === 'google') claims.azp = clientId;
  if (fault === 'wrong_azp' || fault === 'two_aud') claims.azp = 'someone-else';
  if (person.email !== '') {
    claims.email = person.email;
    // Apple has sent both.
    claims.email_verified = provider === 'apple' ? String(person.emailVerified) : person.emailVerified;
  }
  if (provider === 'google') claims.name = person.name;
  const kid = fault === 'unknown_kid' ? 'nobody-knows' : keys.kid;
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  if (fault === 'alg_none') return `${encode({ alg: 'none' })}.${encode(claims)}.`;
  if (fault === 'hs256') {
    const pem = keys.publicKey.export({ type: 'spki', format: 'pem' });
    return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid }).sign(Buffer.from(pem));
  }
  claims.at_hash = createHash('sha256').update(person.subject).digest().subarray(0, 16).toString('base64url');
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid })
    .sign(fault === 'wrong_key' ? keys.strangerKey : keys.privateKey);
}
