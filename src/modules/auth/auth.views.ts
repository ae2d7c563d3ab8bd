import type { z } from '@hono/zod-openapi';
import { setSessionCookies, wantsCookies } from '../../http/browser-session.ts';
import type { AppContext } from '../../http/env.ts';
import { encodeId } from '../../shared/ids.ts';
import type { FactorKind } from '../factors/index.ts';
import { type AccountRow, presentAccount } from '../users/index.ts';
import type { sessionSchema, signedInSchema, tokensSchema } from './auth.schemas.ts';
import { deviceNameOf } from './policy/device-name.ts';
import type { accessTokenSchema, mfaRequiredSchema } from './reauthentication.schemas.ts';
import type { SessionRow } from './sessions.repository.ts';

/** A session as its owner sees it. */
export const presentSession = (row: SessionRow, currentId: string): z.infer<typeof sessionSchema> => ({
  id: encodeId('session', row.id),
  device_name: row.deviceName ?? deviceNameOf(row.userAgent ?? undefined),
  country: row.country,
  created_at: row.createdAt,
  last_used_at: row.lastUsedAt,
  expires_at: row.expiresAt,
  current: row.id === currentId,
});

/** A fresh pair of tokens. Lives are in seconds from now. */
export interface TokenPair {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly refreshToken: string;
  readonly refreshExpiresInSeconds: number;
}

/** Hands tokens over: in the body, or to a browser app that asked for it in cookies, and then nowhere else. */
export function handOverTokens(c: AppContext, pair: TokenPair): z.infer<typeof tokensSchema> {
  const lives = { expires_in: pair.expiresInSeconds, refresh_expires_in: pair.refreshExpiresInSeconds };
  if (wantsCookies(c)) {
    setSessionCookies(c, pair);
    return { token_type: 'Cookie', ...lives };
  }
  return {
    access_token: pair.accessToken,
    token_type: 'Bearer',
    refresh_token: pair.refreshToken,
    ...lives,
  };
}

/** Hands over a new access token of a session that goes on, likewise. */
export function handOverAccess(
  c: AppContext,
  access: Pick<TokenPair, 'accessToken' | 'expiresInSeconds'>,
): z.infer<typeof accessTokenSchema> {
  if (!wantsCookies(c))
    return {
      access_token: access.accessToken,
      token_type: 'Bearer',
      expires_in: access.expiresInSeconds,
    };
  setSessionCookies(c, access);
  return { token_type: 'Cookie', expires_in: access.expiresInSeconds };
}

/** The account that signed in, with its tokens as `handOverTokens` gives them. */
export const handOverSignedIn = (
  c: AppContext,
  signedIn: { readonly account: AccountRow; readonly tokens: TokenPair },
): z.infer<typeof signedInSchema> => ({
  user: presentAccount(signedIn.account, c.var.ctx.config.aws.cdnBaseUrl),
  ...handOverTokens(c, signedIn.tokens),
});

export const presentMfaRequired = (owed: {
  readonly mfaToken: string;
  readonly expiresInSeconds: number;
  readonly factors: readonly FactorKind[];
}): z.infer<typeof mfaRequiredSchema> => ({
  mfa_required: true,
  mfa_token: owed.mfaToken,
  expires_in: owed.expiresInSeconds,
  factors: [...owed.factors],
});
