import type { TakeResult } from '../../../durable-objects/rate-limiter/take.ts';
import type { RequestContext } from '../../context.ts';
import { withinDeadline } from '../../shared/deadline.ts';
import { callDurableObject } from '../../shared/durable-object-call.ts';
import { createLeaseBook, leaseMs } from './lease.ts';
import { hashedPartition, partitionOf } from './partition.ts';
import { type LimitName, policyOf } from './policies.ts';

export interface Charge {
  readonly allowed: boolean;
  readonly remaining: number;
  readonly resetSeconds: number;
  readonly retryAfterSeconds: number;
  /** Position of the tightest window in the policy. */
  readonly window: number;
}

const shardsPerPolicy = 16;
const deadlineMs = 2_000;
const leases = createLeaseBook();

/**
 * Charges a caller under a policy: from a lease in isolate memory when there is one, else by one call to the object that
 * counts for its shard.
 * @throws what the object threw, or a timeout, when it cannot be reached.
 */
export async function charge(
  ctx: Pick<RequestContext, 'actor' | 'ip' | 'bindings' | 'config' | 'clock'>,
  name: LimitName,
  cost: number,
): Promise<Charge> {
  const policy = policyOf(name);
  const hashed = await hashedPartition(ctx.config.http.cursorSecret, partitionOf(ctx, policy.partition));
  const key = `${name}:${hashed}`;
  const askedAtMs = ctx.clock.now();
  const local = leases.decide(key, cost, policy.leaseUnits, askedAtMs);
  if (local.kind === 'allowed') return { ...local, allowed: true, retryAfterSeconds: 0 };
  if (local.kind === 'denied')
    return { ...local, allowed: false, remaining: 0, resetSeconds: local.retryAfterSeconds };

  const shard = Number.parseInt(hashed.slice(0, 8), 16) % shardsPerPolicy;
  const outcome = await withinDeadline(
    callDurableObject(
      ctx.bindings.RATE_LIMITER,
      `rl:${name}:${shard}`,
      (limiter) =>
        limiter.take({
          key: hashed,
          windows: policy.windows.map(({ limit, periodSeconds, burst }) => ({
            limit,
            periodSeconds,
            ...(burst === undefined ? {} : { burst }),
          })),
          cost,
          ...(local.wantedUnits > 0 ? { lease: { units: local.wantedUnits, ms: leaseMs } } : {}),
        }),
      2,
    ).then(
      (taken: TakeResult) => ({ taken }),
      (error: unknown) => ({ error }),
    ),
    deadlineMs,
  );
  if (outcome === undefined) throw new Error('the rate limiter did not answer in time');
  if ('error' in outcome) throw outcome.error;
  const { taken } = outcome;
  leases.note(key, cost, taken, askedAtMs, ctx.clock.now());
  return { ...taken, remaining: taken.remaining + taken.leased };
}
