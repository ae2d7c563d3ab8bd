import { importJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Config } from '../../../config/index.ts';
import type { AccessTokens } from '../../../context.ts';
import { randomBytes } from '../../../shared/crypto.ts';
import { base64Url } from '../../../shared/encoding.ts';
import { decodeId, encodeId } from '../../../shared/ids.ts';

type AuthConfig = Config['auth'];

const algorithm = 'EdDSA';
const tokenType = 'at+jwt';
const maxTokenLength = 4_096;
const clockToleranceSeconds = 5;

interface Keyring {
  readonly signing: { readonly kid: string; readonly key: CryptoKey };
  readonly verifying: ReadonlyMap<string, CryptoKey>;
}

// Imported keys, one set for each configuration of the isolate: values, not promises, since a request may not await another's.
const keyrings = new WeakMap<AuthConfig, Keyring>();

/** Whom an access token speaks for. All times are Unix seconds. */
export interface AccessGrant {
  readonly userId: string;
  readonly sessionId: string;
  /** The user's `token_epoch`: raising it ends every token of the user. */
  readonly epoch: number;
  /** The roles of the account; API keys carry finer scopes in the same claim. */
  readonly scopes: readonly string[];
  /** Authentication methods (RFC 8176), such as `pwd`. */
  readonly amr: readonly string[];
  readonly authTime: number;
  readonly sessionExpiresAt: number;
}

/** A new `jti`. */
export const newTokenId = (): string => base64Url(randomBytes(16));

/**
 * Signs an access token (RFC 9068). It never outlives its session. Ed25519 signatures are deterministic (RFC 8032 §5.1.6), so
 * the same grant, time and `tokenId` give the same token again.
 */
export async function signAccessToken(
  config: AuthConfig,
  grant: AccessGrant,
  nowSeconds: number,
  tokenId: string = newTokenId(),
): Promise<{ readonly token: string; readonly expiresInSeconds: number }> {
  const { signing } = await keyringOf(config);
  const expiresAt = Math.min(nowSeconds + config.accessTokenTtlSeconds, grant.sessionExpiresAt);
  const token = await new SignJWT({
    iss: config.issuer,
    aud: config.audience,
    sub: encodeId('user', grant.userId),
    sid: encodeId('session', grant.sessionId),
    epoch: grant.epoch,
    scope: grant.scopes.join(' '),
    amr: [...grant.amr],
    auth_time: grant.authTime,
    iat: nowSeconds,
    exp: expiresAt,
    jti: tokenId,
  })
    .setProtectedHeader({ alg: algorithm, typ: tokenType, kid: signing.kid })
    .sign(signing.key);
  return { token, expiresInSeconds: expiresAt - nowSeconds };
}

const claimsSchema = z.object({
  iss: z.string(),
  aud: z.string(),
  sub: z.string(),
  sid: z.string(),
  epoch: z.int().nonnegative(),
  scope: z.string(),
  amr: z.array(z.string()),
  auth_time: z.int().nonnegative(),
  iat: z.int().nonnegative(),
  exp: z.int().nonnegative(),
  jti: z.string().min(1),
});

/** Checks access tokens by the rules of RFC 8725 and RFC 9068: own keys only, one algorithm, one type, exact issuer and audience. */
export function createAccessTokens(config: AuthConfig): AccessTokens {
  return {
    async verify(token) {
      if (token.length > maxTokenLength) return undefined;
      const { verifying } = await keyringOf(config);
      const claims = await verifiedClaims(config, token, verifying);
      const userId = claims === undefined ? undefined : decodeId('user', claims.sub);
      const sessionId = claims === undefined ? undefined : decodeId('session', claims.sid);
      if (claims === undefined || userId === undefined || sessionId === undefined) return undefined;
      return {
        kind: 'user',
        userId,
        sessionId,
        scopes: claims.scope.split(' ').filter((scope) => scope !== ''),
        amr: claims.amr,
        authTime: claims.auth_time,
        epoch: claims.epoch,
        issuedAt: claims.iat,
        expiresAt: claims.exp,
      };
    },
  };
}

/** The public halves of the keys that sign access tokens (RFC 7517, RFC 8037). */
export const publicKeySet = (config: AuthConfig): { readonly keys: readonly PublicJwk[] } => ({
  keys: config.signingKeys.map(({ kty, crv, kid, x }) => ({ kty, crv, kid, x, alg: algorithm, use: 'sig' })),
});

export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly kid: string;
  readonly x: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
}

async function verifiedClaims(
  config: AuthConfig,
  token: string,
  keys: ReadonlyMap<string, CryptoKey>,
): Promise<z.infer<typeof claimsSchema> | undefined> {
  try {
    const { payload } = await jwtVerify(
      token,
      ({ kid }) => {
        const key = kid === undefined ? undefined : keys.get(kid);
        if (key === undefined) throw new RangeError('not one of our keys');
        return key;
      },
      {
        algorithms: [algorithm],
        typ: tokenType,
        issuer: config.issuer,
        audience: config.audience,
        clockTolerance: clockToleranceSeconds,
        maxTokenAge: config.accessTokenTtlSeconds,
      },
    );
    return claimsSchema.safeParse(payload).data;
  } catch {
    // Whatever is wrong with it, it is not a token of ours.
    return undefined;
  }
}

/** The signing key and every key that verifies. */
export async function keyringOf(config: AuthConfig): Promise<Keyring> {
  const known = keyrings.get(config);
  if (known !== undefined) return known;
  const [first] = config.signingKeys;
  if (first === undefined) throw new RangeError('no signing key is configured');
  const verifying = new Map<string, CryptoKey>();
  for (const { kty, crv, x, kid } of config.signingKeys) verifying.set(kid, await importKey({ kty, crv, x }));
  const { kty, crv, x, d, kid } = first;
  const keyring = { signing: { kid, key: await importKey({ kty, crv, x, d }) }, verifying };
  keyrings.set(config, keyring);
  return keyring;
}

async function importKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, algorithm);
  if (key instanceof Uint8Array) throw new TypeError('an Ed25519 key must be an asymmetric key');
  return key;
}
