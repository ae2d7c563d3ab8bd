import type { RequestContext } from '../../../context.ts';
import { unavailable } from '../../../http/errors.ts';
import { networkOf } from '../../../http/rate-limit/ip.ts';
import { hashedPartition, partitionOf } from '../../../http/rate-limit/partition.ts';
import { withinDeadline } from '../../../shared/deadline.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import { tooManyFailures } from '../auth.errors.ts';
import { type ThrottleCount, type ThrottleName, throttles } from '../policy/throttles.ts';

const shards = 16;
const deadlineMs = 2_000;

export type ThrottleContext = Pick<RequestContext, 'bindings' | 'config' | 'log' | 'background'>;

/** An attempt that was charged as if it failed. */
export interface ChargedAttempt {
  /** Gives the charge back, after the response: the attempt was no failure. */
  readonly forgive: () => void;
}

/** What came of a charge: the attempt and how many failures each count held before it, or the count that was full. */
export type ChargeOutcome =
  | { readonly attempt: ChargedAttempt; readonly failures: ReadonlyMap<ThrottleName, number> }
  | { readonly full: ThrottleName; readonly retryAfterSeconds: number };

/**
 * Charges an attempt before it is judged, so that many at once cannot outrun the count.
 * @throws auth.too_many_failures when one of the counts is full, and then charges none; service.unavailable when they cannot
 * be reached.
 */
export async function chargeAttempt(
  ctx: ThrottleContext,
  counts: readonly ThrottleCount[],
): Promise<ChargedAttempt> {
  const outcome = await tryCharge(ctx, counts);
  if ('full' in outcome) throw throttled(ctx, outcome);
  return outcome.attempt;
}

/**
 * Charges an attempt to all counts, or to none when one is full.
 * @throws service.unavailable when they cannot be reached.
 */
export async function tryCharge(
  ctx: ThrottleContext,
  counts: readonly ThrottleCount[],
): Promise<ChargeOutcome> {
  const failures = new Map<ThrottleName, number>();
  if (!ctx.config.http.rateLimitsEnabled) return { attempt: { forgive: () => undefined }, failures };
  const charged: ThrottleCount[] = [];
  const forgive = () => {
    const given = charged.splice(0);
    if (given.length > 0) ctx.background(() => Promise.all(given.map((count) => giveBack(ctx, count))));
  };
  for (const count of counts) {
    const { throttle } = count;
    const taken = await take(ctx, count);
    if (taken === undefined) {
      forgive();
      ctx.log.log('error', 'auth.throttle_unreachable', { reason: throttle });
      throw unavailable({ headers: { 'retry-after': '5' } });
    }
    if (!taken.allowed) {
      forgive();
      return { full: throttle, retryAfterSeconds: Math.max(1, taken.retryAfterSeconds) };
    }
    charged.push(count);
    failures.set(throttle, throttles[throttle].burst - taken.remaining - 1);
  }
  return { attempt: { forgive }, failures };
}

/** The error of a full count, and a line about it in the log. */
export function throttled(
  ctx: ThrottleContext,
  { full, retryAfterSeconds }: Extract<ChargeOutcome, { full: unknown }>,
): Error {
  ctx.log.log('warn', 'auth.throttled', { reason: full });
  return tooManyFailures({ headers: { 'retry-after': String(retryAfterSeconds) } });
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

async function place(ctx: ThrottleContext, { throttle, subject }: ThrottleCount, cost: number) {
  const key = await hashedPartition(ctx.config.http.cursorSecret, `${throttle}\n${subject}`);
  const shard = Number.parseInt(key.slice(0, 8), 16) % shards;
  return {
    name: `rl:throttle-${throttle}:${shard}`,
    request: { key, windows: [throttles[throttle]], cost },
  };
}

/** Takes from one count whatever else there is; undefined when it cannot be reached. */
export async function take(ctx: ThrottleContext, count: ThrottleCount, cost = 1) {
  const { name, request } = await place(ctx, count, cost);
  return withinDeadline(
    callDurableObject(ctx.bindings.RATE_LIMITER, name, (limiter) => limiter.take(request), 2),
    deadlineMs,
  );
}

/** Gives back to one count; once, because given back twice it would allow more than it should. */
export async function giveBack(ctx: ThrottleContext, count: ThrottleCount, cost = 1): Promise<void> {
  const { name, request } = await place(ctx, count, cost);
  await callDurableObject(ctx.bindings.RATE_LIMITER, name, (limiter) => limiter.giveBack(request), 1);
}
