import type { RequestContext } from '../../../context.ts';
import { disconnectUser } from '../../realtime/index.ts';
import { refreshConflict, refreshInvalid, refreshReused } from '../auth.errors.ts';
import { rotateRefreshToken } from '../auth.repository.ts';
import type { TokenPair } from '../auth.views.ts';
import { isRefreshToken } from '../policy/refresh-token.ts';
import { signAccessToken } from './access-tokens.ts';
import { isoOf, newRefreshToken, refreshTokenHash } from './open-session.ts';

/** How long after an exchange the old token counts as a client racing itself rather than as a theft. */
const conflictWindowSeconds = 10;

/**
 * Exchanges a refresh token for a new pair (RFC 9700 §4.14.2). Each token works once. Showing one again ends its session and
 * closes its sockets, but for a few seconds after the exchange the immediately previous token only meets `auth.refresh_conflict`.
 * @throws auth.refresh_invalid, auth.refresh_reused, auth.refresh_conflict.
 */
export async function refresh(ctx: RequestContext, presented: string): Promise<TokenPair> {
  if (!isRefreshToken(presented)) throw refreshInvalid();
  const { auth } = ctx.config;
  const nowMs = ctx.clock.now();
  const nowSeconds = Math.floor(nowMs / 1000);
  const next = await newRefreshToken();
  const rotation = await rotateRefreshToken(ctx, {
    presentedHash: await refreshTokenHash(presented),
    tokenId: ctx.ids.next(),
    tokenHash: next.hash,
    now: new Date(nowMs).toISOString(),
    expiresAt: isoOf(nowSeconds + auth.refreshTokenTtlSeconds),
    conflictSince: new Date(nowMs - conflictWindowSeconds * 1000).toISOString(),
  });
  if (rotation === undefined) throw refreshInvalid();
  switch (rotation.outcome) {
    case 'invalid':
      throw refreshInvalid();
    case 'conflict':
      throw refreshConflict();
    case 'reused':
      ctx.log.log('warn', 'auth.refresh_reused', {
        user_id: rotation.userId,
        session_id: rotation.sessionId,
      });
      ctx.background(() => disconnectUser(ctx, rotation.userId, rotation.sessionId));
      throw refreshReused();
    case 'rotated':
      break;
    default:
      throw refreshInvalid({ cause: rotation.outcome satisfies never });
  }
  const access = await signAccessToken(
    auth,
    {
      userId: rotation.userId,
      sessionId: rotation.sessionId,
      epoch: rotation.tokenEpoch,
      scopes: rotation.roles,
      amr: rotation.amr,
      authTime: rotation.authTime,
      sessionExpiresAt: rotation.sessionExpiresAt,
    },
    nowSeconds,
  );
  return {
    accessToken: access.token,
    expiresInSeconds: access.expiresInSeconds,
    refreshToken: next.token,
    refreshExpiresInSeconds: rotation.tokenExpiresAt - nowSeconds,
  };
}
