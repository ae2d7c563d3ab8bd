import { generateKeyPairSync } from 'node:crypto';
import { importJWK, type JWK, SignJWT } from 'jose';
import { encodeId } from '../../src/shared/ids.ts';

export const tokenRules = {
  issuer: 'https://api.bench.test',
  audience: 'social-flow',
  ttlSeconds: 3_600,
} as const;

export interface SigningKey {
  /** The private key with its `kid`, as the Worker's setting `ACCESS_TOKEN_KEYS` holds it. */
  readonly privateJwk: JWK;
  readonly publicJwk: JWK;
}

export function createSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const kid = 'bench-1';
  return {
    privateJwk: { ...privateKey.export({ format: 'jwk' }), kid } as JWK,
    publicJwk: { ...publicKey.export({ format: 'jwk' }), kid } as JWK,
  };
}

/** An access token of a user, with the claims the API gives out at login. */
export async function signAccessToken(key: SigningKey, userId: string): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT({
    iss: tokenRules.issuer,
    aud: tokenRules.audience,
    sub: encodeId('user', userId),
    sid: encodeId('session', userId),
    epoch: 0,
    scope: 'user',
    amr: ['pwd'],
    auth_time: now,
    iat: now,
    exp: now + tokenRules.ttlSeconds,
    jti: crypto.randomUUID(),
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: key.privateJwk.kid ?? '' })
    .sign(await importJWK(key.privateJwk, 'EdDSA'));
}
