import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { RequestContext } from '../../../context.ts';
import { randomBytes } from '../../../shared/crypto.ts';
import { base64Url, fromBase64Url, hex } from '../../../shared/encoding.ts';
import { keyringOf } from '../../auth/index.ts';
import { challengeSeconds } from '../passkeys.policy.ts';
import type { AnsweredChallenge } from '../passkeys.repository.ts';

const algorithm = 'EdDSA';
const tokenType = 'passkey+jwt';
const maxTokenLength = 2_048;
const challengeLength = 32;
const clockToleranceSeconds = 5;

/** What a challenge is for; the answer to one of another purpose, user, session or login is refused. */
export type Purpose =
  | { readonly kind: 'login' }
  | { readonly kind: 'registration' | 'step_up'; readonly userId: string; readonly sessionId: string }
  | { readonly kind: 'second_factor'; readonly userId: string; readonly loginId: string };

export interface IssuedChallenge {
  /** Base64url of 32 random bytes. */
  readonly challenge: string;
  readonly challengeToken: string;
  readonly expiresInSeconds: number;
}

/** A challenge that was given out for the purpose, not too long ago. Whether it was used is the database's to say. */
export interface ReadChallenge extends AnsweredChallenge {
  /** Base64url. */
  readonly expected: string;
}

type ChallengeContext = Pick<RequestContext, 'config' | 'clock'>;

/**
 * Makes a challenge and the signed token that says what it is for. Nothing is stored, so asking for challenges costs the
 * database nothing; answering one writes it down.
 */
export async function issueChallenge(ctx: ChallengeContext, purpose: Purpose): Promise<IssuedChallenge> {
  const { auth } = ctx.config;
  const { signing } = await keyringOf(auth);
  const challenge = base64Url(randomBytes(challengeLength));
  const nowSeconds = Math.floor(ctx.clock.now() / 1000);
  const challengeToken = await new SignJWT({
    iss: auth.issuer,
    aud: auth.audience,
    sub: subjectOf(purpose),
    jti: challenge,
    iat: nowSeconds,
    exp: nowSeconds + challengeSeconds,
  })
    .setProtectedHeader({ alg: algorithm, typ: tokenType, kid: signing.kid })
    .sign(signing.key);
  return { challenge, challengeToken, expiresInSeconds: challengeSeconds };
}

const claimsSchema = z.object({ sub: z.string(), jti: z.string(), exp: z.int() });

/** The challenge of a token; undefined when it is not a live one of ours for this purpose. */
export async function readChallenge(
  ctx: ChallengeContext,
  token: string,
  purpose: Purpose,
): Promise<ReadChallenge | undefined> {
  if (token.length > maxTokenLength) return undefined;
  const { auth } = ctx.config;
  const { verifying } = await keyringOf(auth);
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
        issuer: auth.issuer,
        audience: auth.audience,
        subject: subjectOf(purpose),
        maxTokenAge: challengeSeconds,
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(ctx.clock.now()),
      },
    );
    const { jti, exp } = claimsSchema.parse(payload);
    const bytes = fromBase64Url(jti);
    if (bytes?.length !== challengeLength) return undefined;
    // Remembered a little longer than any clock of ours would take it.
    const expiresAt = new Date((exp + 60) * 1000).toISOString();
    return { expected: jti, challenge: hex(bytes), expiresAt };
  } catch {
    // Whatever is wrong with it, it is not a token of ours.
    return undefined;
  }
}

function subjectOf(purpose: Purpose): string {
  switch (purpose.kind) {
    case 'login':
      return 'login';
    case 'second_factor':
      return `second_factor:${purpose.userId}:${purpose.loginId}`;
    case 'registration':
    case 'step_up':
      return `${purpose.kind}:${purpose.userId}:${purpose.sessionId}`;
    default:
      throw new RangeError(`no such purpose: ${JSON.stringify(purpose satisfies never)}`);
  }
}
