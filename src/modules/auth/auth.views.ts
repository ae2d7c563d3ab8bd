import type { z } from '@hono/zod-openapi';
import { encodeId } from '../../shared/ids.ts';
import type { FactorKind } from '../factors/index.ts';
import { type AccountRow, presentAccount } from '../users/index.ts';
import type { sessionSchema, signedInSchema, tokensSchema } from './auth.schemas.ts';
import { deviceNameOf } from './policy/device-name.ts';
import type { mfaRequiredSchema } from './reauthentication.schemas.ts';
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

export const presentTokens = (pair: TokenPair): z.infer<typeof tokensSchema> => ({
  access_token: pair.accessToken,
  token_type: 'Bearer',
  expires_in: pair.expiresInSeconds,
  refresh_token: pair.refreshToken,
  refresh_expires_in: pair.refreshExpiresInSeconds,
});

export const presentSignedIn = (
  signedIn: { readonly account: AccountRow; readonly tokens: TokenPair },
  cdnBaseUrl: string,
): z.infer<typeof signedInSchema> => ({
  user: presentAccount(signedIn.account, cdnBaseUrl),
  ...presentTokens(signedIn.tokens),
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
