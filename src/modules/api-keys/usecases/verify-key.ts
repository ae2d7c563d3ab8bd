import type { ApiKeys, KeyHolder, RequestContext } from '../../../context.ts';
import { apiKeyPrefix } from '../../../http/authenticate.ts';
import { hashedPartition, partitionOf } from '../../../http/rate-limit/partition.ts';
import { createMemoryCache } from '../../../shared/cache/memory.ts';
import { sha256 } from '../../../shared/crypto.ts';
import { hex } from '../../../shared/encoding.ts';
import { isSecretToken } from '../../../shared/secret-token.ts';
import { allowsAddress } from '../api-keys.policy.ts';
import { findLiveKey, type LiveKeyRow, noteKeyUse } from '../api-keys.repository.ts';

/** How long an isolate goes by what the primary said of a key, for reads: the bound on how long a revoked key still reads. */
const memoryMs = 9_000;
const maxKeys = 5_000;
const maxDeadKeys = 500;
const useIntervalSeconds = 60;

interface Known {
  readonly row: LiveKeyRow;
  noteUseAfterMs: number;
}

/**
 * Checks API keys against the primary: one trip, or none for reads while the isolate remembers the answer. Memory runs from the
 * question, not from the answer.
 */
export function createApiKeys(): ApiKeys {
  const memory = createMemoryCache<Known>(maxKeys);
  // Apart, so that a flood of made-up keys pushes no live one out.
  const dead = createMemoryCache<true>(maxDeadKeys);
  let generation = 0;

  const find = async (ctx: RequestContext, key: string, fresh: boolean): Promise<Known | undefined> => {
    const hash = hex(await sha256(key));
    const askedAtMs = ctx.clock.now();
    const known = memory.get(hash, askedAtMs);
    if (known !== undefined && !fresh) return known;
    if (!fresh && dead.get(hash, askedAtMs) === true) return undefined;
    const askedIn = generation;
    const row = await findLiveKey(ctx.databases.primary, hash, new Date(askedAtMs).toISOString());
    if (row === undefined) {
      memory.delete(hash);
      if (askedIn === generation) dead.set(hash, true, askedAtMs + memoryMs);
      return undefined;
    }
    const noteUseAfterMs = Math.max(
      row.lastUsedAtMs === null ? 0 : row.lastUsedAtMs + useIntervalSeconds * 1_000,
      known?.noteUseAfterMs ?? 0,
    );
    const found = { row, noteUseAfterMs };
    if (askedIn === generation) memory.set(hash, found, Math.min(askedAtMs + memoryMs, row.expiresAtMs));
    return found;
  };

  return {
    async verify(ctx, key, { fresh }): Promise<KeyHolder | undefined> {
      if (!isSecretToken(apiKeyPrefix, key)) return undefined;
      const found = await find(ctx, key, fresh);
      if (found === undefined || !allowsAddress(found.row.networks, ctx.ip)) return undefined;
      noteUse(ctx, found);
      const { id, userId, scopes } = found.row;
      return { kind: 'api_key', keyId: id, userId, scopes };
    },
    forget() {
      generation += 1;
      memory.clear();
      dead.clear();
    },
  };
}

function noteUse(ctx: RequestContext, found: Known): void {
  const nowMs = ctx.clock.now();
  if (nowMs < found.noteUseAfterMs) return;
  found.noteUseAfterMs = nowMs + useIntervalSeconds * 1_000;
  ctx.background(async () => {
    const networkHash = await hashedPartition(
      ctx.config.http.cursorSecret,
      `api_key\n${partitionOf(ctx, 'ip')}`,
    );
    const use = { at: new Date(nowMs).toISOString(), networkHash, country: ctx.country };
    await noteKeyUse(ctx.databases.primary, found.row.id, use, useIntervalSeconds);
  });
}
