import { z } from 'zod';
import type { RequestContext } from '../../../context.ts';
import { open, seal } from '../../../shared/crypto/envelope.ts';
import { fromHex, fromUtf8, hex, utf8 } from '../../../shared/encoding.ts';
import { refreshConflict, refreshInvalid, refreshReused } from '../auth.errors.ts';
import type { TokenPair } from '../auth.views.ts';
import { isRefreshToken } from '../policy/refresh-token.ts';
import { type RotationRow, rotateRefreshToken } from '../refresh.repository.ts';
import { newTokenId, signAccessToken } from './access-tokens.ts';
import { announceEnd } from './announce-end.ts';
import { isoOf, newRefreshToken, refreshTokenHash } from './open-session.ts';

const maxAttempts = 3;

/** All that makes a pair the same again: claims are those of the session, and signatures are deterministic. */
const pairSchema = z.object({
  refreshToken: z.string(),
  tokenId: z.string(),
  /** Unix seconds. */
  issuedAt: z.int(),
});

type IssuedPair = z.infer<typeof pairSchema>;

const placeOf = (rowId: string) => ({ table: 'refresh_tokens', column: 'replay_blob', rowId });

/**
 * Exchanges a refresh token for a new pair (RFC 9700 §4.14.2). Each token is exchanged once. For a short while the immediately
 * previous token gets the same pair again, so that a lost answer or a race of a client with itself logs nobody out; showing any
 * other old token ends its session.
 * @throws auth.refresh_invalid, auth.refresh_reused, auth.refresh_conflict.
 */
export async function refresh(ctx: RequestContext, presented: string): Promise<TokenPair> {
  if (!isRefreshToken(presented)) throw refreshInvalid();
  const { auth, encryption } = ctx.config;
  const nowMs = ctx.clock.now();
  const nowSeconds = Math.floor(nowMs / 1000);
  const next = await newRefreshToken();
  const pair: IssuedPair = { refreshToken: next.token, tokenId: newTokenId(), issuedAt: nowSeconds };
  const rowId = ctx.ids.next();
  const rotation = {
    presentedHash: await refreshTokenHash(presented),
    tokenId: rowId,
    tokenHash: next.hash,
    now: new Date(nowMs).toISOString(),
    expiresAt: isoOf(nowSeconds + auth.refreshTokenTtlSeconds),
    replay:
      auth.refreshReplaySeconds === 0
        ? undefined
        : {
            sealed: hex(await seal(encryption, utf8(JSON.stringify(pair)), placeOf(rowId))),
            expiresAt: new Date(nowMs + auth.refreshReplaySeconds * 1000).toISOString(),
          },
  };
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    // A request that found its token live and lost the race is not a reuse, however far the winner has gone since.
    const endOnReuse = attempt === 1;
    const row = await rotateRefreshToken(ctx, { ...rotation, endOnReuse });
    if (row === undefined || row.outcome === 'invalid') throw refreshInvalid();
    if (row.outcome === 'rotated') return tokensOf(ctx, row, pair, nowSeconds);
    if (row.outcome === 'replayed') return replayed(ctx, row, nowSeconds);
    if (row.outcome === 'reused' && endOnReuse) {
      await endByReuse(ctx, row, rotation.now);
      throw refreshReused();
    }
    if (row.outcome === 'reused') throw refreshConflict();
  }
  throw refreshConflict();
}

async function replayed(ctx: RequestContext, row: RotationRow, nowSeconds: number): Promise<TokenPair> {
  const bytes = await open(ctx.config.encryption, fromHex(row.replay ?? ''), placeOf(row.liveTokenId ?? ''));
  if (bytes === undefined) {
    ctx.log.log('error', 'auth.replay_unreadable', { session_id: row.sessionId });
    throw refreshConflict();
  }
  ctx.log.log('info', 'auth.refresh_replayed', { user_id: row.userId, session_id: row.sessionId });
  return tokensOf(ctx, row, pairSchema.parse(JSON.parse(fromUtf8(bytes))), nowSeconds);
}

async function tokensOf(
  ctx: RequestContext,
  row: RotationRow,
  pair: IssuedPair,
  nowSeconds: number,
): Promise<TokenPair> {
  const grant = {
    userId: row.userId,
    sessionId: row.sessionId,
    epoch: row.tokenEpoch,
    scopes: row.roles,
    amr: row.amr,
    authTime: row.authTime,
    sessionExpiresAt: row.sessionExpiresAt,
  };
  const access = await signAccessToken(ctx.config.auth, grant, pair.issuedAt, pair.tokenId);
  return {
    accessToken: access.token,
    expiresInSeconds: Math.max(0, access.expiresInSeconds - (nowSeconds - pair.issuedAt)),
    refreshToken: pair.refreshToken,
    refreshExpiresInSeconds: row.tokenExpiresAt - nowSeconds,
  };
}

async function endByReuse(ctx: RequestContext, row: RotationRow, endedAt: string): Promise<void> {
  const { userId, sessionId, eventId } = row;
  ctx.log.log('warn', 'auth.refresh_reused', { user_id: userId, session_id: sessionId });
  await announceEnd(ctx, { userId, sessionIds: [sessionId], epoch: undefined, endedAt, eventId });
}
