import type { RequestContext } from '../context.ts';
import { hmacSha256, sha256 } from '../shared/crypto.ts';
import { callDurableObject } from '../shared/durable-object-call.ts';
import { hex, utf8 } from '../shared/encoding.ts';
import { createSeededIds } from '../shared/ids.ts';
import type { AppContext, AppMiddleware } from './env.ts';
import { idempotencyKeyInvalid, idempotencyMismatch, idempotencyRunning, unavailable } from './errors.ts';
import { captureAnswer, fateOf, replayAnswer } from './idempotency/answers.ts';
import { parseIdempotencyKey } from './idempotency/key.ts';
import { partitionOf } from './rate-limit/partition.ts';

const shards = 64;
// Longer than any request runs: a shorter lease would let a repetition in while the first still works.
const leaseMs = 60_000;

/**
 * Makes a write with an `Idempotency-Key` take effect once. The first request runs and its answer is kept; repetitions
 * get that answer, with `Idempotency-Replayed: true`. After a crash a repetition runs with the ids of the first run.
 * @throws idempotency.key_invalid, idempotency.key_reused, idempotency.in_progress, or service.unavailable when the
 * records cannot be reached: a client that asked for once must not get maybe twice.
 */
export function idempotent(): AppMiddleware {
  return async (c, next) => {
    const field = c.req.header('idempotency-key');
    if (field === undefined) return next();
    const key = parseIdempotencyKey(field);
    if (key === undefined) throw idempotencyKeyInvalid();

    const { ctx } = c.var;
    const { scope, shard, fingerprint } = await identify(c, key);
    const claim = crypto.randomUUID();
    const begun = await callRecords(ctx, shard, (records) =>
      records.begin({
        scope,
        fingerprint,
        claim,
        leaseMs,
        ttlSeconds: ctx.config.http.idempotencyTtlSeconds,
      }),
    );
    switch (begun.state) {
      case 'mismatch':
        throw idempotencyMismatch();
      case 'running':
        throw idempotencyRunning({ headers: { 'retry-after': String(begun.retryAfterSeconds) } });
      case 'replay':
        return replayAnswer(begun);
      case 'new':
        break;
    }

    c.set('ctx', { ...ctx, ids: createSeededIds(begun.seed) });
    try {
      await next();
    } catch (error) {
      await settle(ctx, shard, (records) => records.abandon({ scope, claim, mayHaveActed: true }));
      throw error;
    }
    const fate = fateOf(c.res.status);
    if (fate === 'keep') {
      const answer = await captureAnswer(c.res);
      await settle(ctx, shard, (records) => records.complete({ scope, ...answer }));
    } else
      await settle(ctx, shard, (records) =>
        records.abandon({ scope, claim, mayHaveActed: fate === 'repeat' }),
      );
  };
}

/** Where a request is recorded, and what it is. Only hashes leave this function. */
async function identify(
  c: AppContext,
  key: string,
): Promise<{ scope: string; shard: string; fingerprint: string }> {
  const { ctx } = c.var;
  const { pathname, search } = new URL(c.req.url);
  const who = partitionOf(ctx, 'caller');
  const scope = hex(
    await hmacSha256(ctx.config.http.cursorSecret, [who, c.req.method, pathname, key].join('\n')),
  );
  const body = await sha256(new Uint8Array(await c.req.arrayBuffer()));
  const target = utf8(`${c.req.method}\n${pathname}\n${search}\n`);
  const fingerprinted = new Uint8Array(target.length + body.length);
  fingerprinted.set(target);
  fingerprinted.set(body, target.length);
  return {
    scope,
    shard: `idem:${Number.parseInt(scope.slice(0, 8), 16) % shards}`,
    fingerprint: hex(await sha256(fingerprinted)),
  };
}

type Records = Parameters<Parameters<typeof callDurableObject<IdempotencyObject, unknown>>[2]>[0];
type IdempotencyObject = import('../../durable-objects/idempotency/idempotency.ts').Idempotency;

async function callRecords<P>(ctx: RequestContext, shard: string, call: (records: Records) => P) {
  try {
    return await callDurableObject(ctx.bindings.IDEMPOTENCY, shard, call);
  } catch (error) {
    ctx.log.log('error', 'idempotency.unreachable', {
      error_name: error instanceof Error ? error.name : 'unknown',
    });
    throw unavailable({ cause: error, headers: { 'retry-after': '2' } });
  }
}

// The effect has happened by now: failing the request would only make the client repeat it. Without a kept answer a
// repetition runs again with the same ids once the lease is over.
async function settle(
  ctx: RequestContext,
  shard: string,
  call: (records: Records) => unknown,
): Promise<void> {
  const settled = callDurableObject(ctx.bindings.IDEMPOTENCY, shard, call).then(
    () => undefined,
    (error: unknown) =>
      ctx.log.log('error', 'idempotency.not_recorded', {
        error_name: error instanceof Error ? error.name : 'unknown',
      }),
  );
  ctx.background(() => settled);
  await settled;
}
