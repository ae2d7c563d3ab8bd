import type { RequestContext } from '../../../context.ts';
import { apiKeyPrefix } from '../../../http/authenticate.ts';
import type { ApiKeyScope } from '../../../http/roles.ts';
import { requireSession } from '../../../http/viewer.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { randomBytes, sha256 } from '../../../shared/crypto.ts';
import { hex } from '../../../shared/encoding.ts';
import { formatSecretToken, secretTokenBytes } from '../../../shared/secret-token.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import { apiKeyNotFound, tooManyApiKeys } from '../api-keys.errors.ts';
import { maxApiKeys } from '../api-keys.policy.ts';
import {
  type ApiKeyRow,
  insertApiKey,
  listLiveKeys,
  renameApiKey,
  revokeApiKey,
} from '../api-keys.repository.ts';

const dayMs = 86_400_000;

/** The caller's live keys, the newest first. */
export const listMyKeys = (ctx: RequestContext): Promise<ApiKeyRow[]> =>
  listLiveKeys(ctx.readDb, requireSession(ctx).userId, isoOf(ctx.clock.now()));

export interface ApiKeyRequest {
  readonly name: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly networks: readonly string[];
  readonly lifeDays: number;
}

/**
 * Makes a key for the caller's account and tells its owner. Only its hash is kept.
 * @throws api_keys.too_many.
 */
export async function createMyKey(
  ctx: RequestContext,
  input: ApiKeyRequest,
): Promise<{ readonly row: ApiKeyRow; readonly secret: string }> {
  const { userId } = requireSession(ctx);
  const nowMs = ctx.clock.now();
  const secret = formatSecretToken(apiKeyPrefix, randomBytes(secretTokenBytes));
  const key = {
    id: ctx.ids.next(),
    userId,
    name: input.name,
    keyHash: hex(await sha256(secret)),
    hint: secret.slice(-4),
    scopes: input.scopes,
    networks: input.networks,
    createdAt: isoOf(nowMs),
    expiresAt: isoOf(nowMs + input.lifeDays * dayMs),
  };
  const notice = newSecurityNotice(ctx, {
    userId,
    notice: 'api_key_created',
    detail: { name: key.name, scopes: key.scopes.join(' ') },
  });
  const row = await insertApiKey(ctx, key, maxApiKeys, notice);
  if (row === undefined) throw tooManyApiKeys();
  publishAfterResponse(ctx, [notice.id]);
  return { row, secret };
}

/**
 * Names one of the caller's keys anew.
 * @throws api_keys.not_found.
 */
export async function renameMyKey(ctx: RequestContext, keyId: string, name: string): Promise<ApiKeyRow> {
  const { userId } = requireSession(ctx);
  const row = await renameApiKey(ctx, { id: keyId, userId }, name, isoOf(ctx.clock.now()));
  if (row === undefined) throw apiKeyNotFound();
  return row;
}

/**
 * Ends one of the caller's keys: for writes at once, for reads in other isolates within ten seconds.
 * @throws api_keys.not_found.
 */
export async function revokeMyKey(ctx: RequestContext, keyId: string): Promise<void> {
  const { userId } = requireSession(ctx);
  if (!(await revokeApiKey(ctx, { id: keyId, userId }, isoOf(ctx.clock.now())))) throw apiKeyNotFound();
  ctx.apiKeys.forget();
}

const isoOf = (unixMs: number): string => new Date(unixMs).toISOString();
