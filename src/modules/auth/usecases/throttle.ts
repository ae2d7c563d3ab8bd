import type { RequestContext } from '../../../context.ts';
import { unavailable } from '../../../http/errors.ts';
import { networkOf } from '../../../http/rate-limit/ip.ts';
import { hashedPartition, partitionOf } from '../../../http/rate-limit/partition.ts';
import { withinDeadline } from '../../../shared/deadline.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import { tooManyFailures } from '../auth.errors.ts';
import { type ThrottleCount, throttles } from '../policy/throttles.ts';

const shards = 16;
const deadlineMs = 2_000;

type ThrottleContext = Pick<RequestContext, 'bindings' | 'config' | 'log' | 'background'>;

/** An attempt that was charged as if it failed. */
export interface ChargedAttempt {
  /** Gives the charge back, after the response: the attempt was no failure. */
  readonly forgive: () => void;
}

/**
 * Charges an attempt before it is judged, so that many at once cannot outrun the count.
 * @throws auth.too_many_failures when one of the counts is full, and then charges none; service.unavailable when they cannot
 * be reached.
 */
export async function chargeAttempt(
  ctx: ThrottleContext,
  counts: readonly ThrottleCount[],
): Promise<ChargedAttempt> {
  if (!ctx.config.http.rateLimitsEnabled) return { forgive: () => undefined };
  const charged: ThrottleCount[] = [];
  const forgive = () => {
    if (charged.length > 0) ctx.background(() => Promise.all(charged.map((count) => giveBack(ctx, count))));
  };
  for (const count of counts) {
    const taken = await take(ctx, count);
    if (taken === undefined) {
      forgive();
      ctx.log.log('error', 'auth.throttle_unreachable', { reason: count.throttle });
      throw unavailable({ headers: { 'retry-after': '5' } });
    }
    if (!taken.allowed) {
      forgive();
      ctx.log.log('warn', 'auth.throttled', { reason: count.throttle });
      throw tooManyFailures({ headers: { 'retry-after': String(Math.max(1, taken.retryAfterSeconds)) } });
    }
    charged.push(count);
  }
  return { forgive };
}

/** Runs the check of a charged attempt; one that could not be made is no failure. */
export async function judged<T>(attempt: ChargedAttempt, check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    attempt.forgive();
    throw error;
  }
}

/** The caller's network by keyed hash, 32 hex digits; `known` is false when there is no address to tell it by. */
export async function callerNetwork(
  ctx: Pick<RequestContext, 'config' | 'ip' | 'actor'>,
): Promise<{ readonly hash: string; readonly known: boolean }> {
  const hash = await hashedPartition(ctx.config.http.cursorSecret, `login\n${partitionOf(ctx, 'ip')}`);
  return { hash, known: networkOf(ctx.ip ?? '') !== undefined };
}

async function place(ctx: ThrottleContext, { throttle, subject }: ThrottleCount) {
  const key = await hashedPartition(ctx.config.http.cursorSecret, `${throttle}\n${subject}`);
  const shard = Number.parseInt(key.slice(0, 8), 16) % shards;
  return {
    name: `rl:throttle-${throttle}:${shard}`,
    request: { key, windows: [throttles[throttle]], cost: 1 },
  };
}

async function take(ctx: ThrottleContext, count: ThrottleCount) {
  const { name, request } = await place(ctx, count);
  return withinDeadline(
    callDurableObject(ctx.bindings.RATE_LIMITER, name, (limiter) => limiter.take(request), 2),
    deadlineMs,
  );
}

// Once: given back twice, a count would allow more than it should.
async function giveBack(ctx: ThrottleContext, count: ThrottleCount): Promise<void> {
  const { name, request } = await place(ctx, count);
  await callDurableObject(ctx.bindings.RATE_LIMITER, name, (limiter) => limiter.giveBack(request), 1);
}
