import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Config } from '../../../config/index.ts';
import { decodeId, encodeId } from '../../../shared/ids.ts';
import { keyringOf } from './access-tokens.ts';

type AuthConfig = Config['auth'];

const algorithm = 'EdDSA';
const tokenType = 'mfa+jwt';
const maxTokenLength = 2_048;
const clockToleranceSeconds = 5;

/** Life of the token between the password and the second factor. */
export const mfaTokenSeconds = 300;

/** A login that still owes its second factor. */
export interface MfaGrant {
  readonly challengeId: string;
  readonly userId: string;
  /** Hash of the network the password came from; the code must come from there, too. */
  readonly networkHash: string;
}

const claimsSchema = z.object({
  sub: z.string(),
  jti: z.uuid(),
  net: z.string().regex(/^[0-9a-f]{32}$/),
});

/** Signs the token that stands for a right password. It is no access token: its type differs (RFC 8725 §3.11). */
export async function signMfaToken(config: AuthConfig, grant: MfaGrant, nowSeconds: number): Promise<string> {
  const { signing } = await keyringOf(config);
  return new SignJWT({
    iss: config.issuer,
    aud: config.audience,
    sub: encodeId('user', grant.userId),
    jti: grant.challengeId,
    net: grant.networkHash,
    iat: nowSeconds,
    exp: nowSeconds + mfaTokenSeconds,
  })
    .setProtectedHeader({ alg: algorithm, typ: tokenType, kid: signing.kid })
    .sign(signing.key);
}

/** What a token stands for; undefined when it is not a live one of ours. */
export async function verifyMfaToken(
  config: AuthConfig,
  token: string,
  nowMs: number,
): Promise<MfaGrant | undefined> {
  if (token.length > maxTokenLength) return undefined;
  const { verifying } = await keyringOf(config);
  try {
    const { payload } = await jwtVerify(
      token,
      ({ kid }) => {
        const key = kid === undefined ? undefined : verifying.get(kid);
        if (key === undefined) throw new RangeError('not one of our keys');
        return key;
      },
      {
        algorithms: [algorithm],
        typ: tokenType,
        issuer: config.issuer,
        audience: config.audience,
        maxTokenAge: mfaTokenSeconds,
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(nowMs),
      },
    );
    const { sub, jti, net } = claimsSchema.parse(payload);
    const userId = decodeId('user', sub);
    return userId === undefined ? undefined : { challengeId: jti, userId, networkHash: net };
  } catch {
    // Whatever is wrong with it, it is not a token of ours.
    return undefined;
  }
}
