import type { RequestContext } from '../../../context.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { randomBytes, sha256 } from '../../../shared/crypto.ts';
import { hex } from '../../../shared/encoding.ts';
import type { NewSession, OpenedSession, SignedInRow } from '../auth.repository.ts';
import type { TokenPair } from '../auth.views.ts';
import { deviceNameOf } from '../policy/device-name.ts';
import { formatRefreshToken } from '../policy/refresh-token.ts';
import { signAccessToken } from './access-tokens.ts';
import { announceEnd } from './announce-end.ts';
import { callerNetwork } from './throttle.ts';

/** A refresh token and the only form of it that is stored: SHA-256 in lower-case hex. */
export interface IssuedRefreshToken {
  readonly token: string;
  readonly hash: string;
}

export async function newRefreshToken(): Promise<IssuedRefreshToken> {
  const token = formatRefreshToken(randomBytes(32));
  return { token, hash: await refreshTokenHash(token) };
}

export const refreshTokenHash = async (token: string): Promise<string> => hex(await sha256(token));

export interface PreparedSession extends NewSession {
  readonly refreshToken: string;
  readonly nowSeconds: number;
}

/** A session that begins now by the given authentication methods (RFC 8176), ready to be written. */
export async function prepareSession(ctx: RequestContext, amr: readonly string[]): Promise<PreparedSession> {
  const { refreshTokenTtlSeconds, sessionMaxSeconds } = ctx.config.auth;
  const nowSeconds = Math.floor(ctx.clock.now() / 1000);
  const refresh = await newRefreshToken();
  const network = await callerNetwork(ctx);
  return {
    id: ctx.ids.next(),
    amr,
    deviceName: deviceNameOf(ctx.userAgent),
    authTime: isoOf(nowSeconds),
    expiresAt: isoOf(nowSeconds + sessionMaxSeconds),
    refreshTokenId: ctx.ids.next(),
    refreshTokenHash: refresh.hash,
    refreshTokenExpiresAt: isoOf(nowSeconds + Math.min(refreshTokenTtlSeconds, sessionMaxSeconds)),
    networkHash: network.known ? network.hash : undefined,
    refreshToken: refresh.token,
    nowSeconds,
  };
}

/** Tells of what opening a session brought about, and gives its tokens. */
export async function announceSession(
  ctx: RequestContext,
  { account, eventIds, limited }: OpenedSession,
  session: PreparedSession,
): Promise<{ readonly account: SignedInRow; readonly tokens: TokenPair }> {
  publishAfterResponse(ctx, eventIds);
  if (limited !== undefined) await announceEnd(ctx, limited);
  return { account, tokens: await tokensOf(ctx, account, session) };
}

/** The tokens of a session that was just written. */
export async function tokensOf(
  ctx: RequestContext,
  user: SignedInRow,
  session: PreparedSession,
): Promise<TokenPair> {
  const { refreshTokenTtlSeconds, sessionMaxSeconds } = ctx.config.auth;
  const access = await signAccessToken(
    ctx.config.auth,
    {
      userId: user.id,
      sessionId: session.id,
      epoch: user.tokenEpoch,
      scopes: user.roles,
      amr: session.amr,
      authTime: session.nowSeconds,
      sessionExpiresAt: session.nowSeconds + sessionMaxSeconds,
    },
    session.nowSeconds,
  );
  return {
    accessToken: access.token,
    expiresInSeconds: access.expiresInSeconds,
    refreshToken: session.refreshToken,
    refreshExpiresInSeconds: Math.min(refreshTokenTtlSeconds, sessionMaxSeconds),
  };
}

/** RFC 3339 of Unix seconds. */
export const isoOf = (unixSeconds: number): string => new Date(unixSeconds * 1000).toISOString();
