import type { TakeRequest, TakeResult } from '../../../durable-objects/rate-limiter/take.ts';
import type { RequestContext } from '../../context.ts';
import { withinDeadline } from '../../shared/deadline.ts';
import { callDurableObject } from '../../shared/durable-object-call.ts';
import type { QuotedWindow } from './headers.ts';
import { createLeaseBook, leaseMs } from './lease.ts';
import { budgetPartitionOf, hashedPartition, partitionOf } from './partition.ts';
import { budgets, type LimitName, type NamedWindow, policyOf } from './policies.ts';

/** What a request of a route is charged. */
export interface Fare {
  /** Policies whose windows all count it; all of one partition, so that one object holds them. */
  readonly limits: readonly LimitName[];
  /** Points taken from the caller's budget. */
  readonly points: number;
  /** Units taken from each window of the policies. */
  readonly units: number;
}

export interface Charge {
  readonly allowed: boolean;
  readonly remaining: number;
  readonly resetSeconds: number;
  readonly retryAfterSeconds: number;
  /** The tightest window. */
  readonly window: QuotedWindow;
  readonly windows: readonly QuotedWindow[];
  /** Names the charge to `refund`; undefined when a lease paid, whose requests cannot be told apart. */
  readonly takenAtMs?: number;
}

type ChargeContext = Pick<RequestContext, 'actor' | 'ip' | 'bindings' | 'config' | 'clock'>;

const shards = 64;
const deadlineMs = 2_000;
const leases = createLeaseBook();

/**
 * Charges a caller: from a lease in isolate memory when there is one, else by one call to the object that holds all counts of
 * that caller. All windows, the budget among them, allow the request, or none is charged.
 * @throws what the object threw, or a timeout, when it cannot be reached.
 */
export async function charge(ctx: ChargeContext, fare: Fare): Promise<Charge> {
  const bill = await billOf(ctx, fare);
  const { windows } = bill;
  const leaseUnits = Math.min(...fare.limits.map((name) => policyOf(name).leaseUnits));
  const askedAtMs = ctx.clock.now();
  const local = leases.decide(bill.key, leaseUnits, askedAtMs);
  if (local.kind === 'allowed') {
    const remaining = local.remaining + local.unitsLeft * costAt(windows, local.window);
    return {
      allowed: true,
      remaining,
      resetSeconds: local.resetSeconds,
      retryAfterSeconds: 0,
      windows,
      window: at(windows, local.window),
    };
  }
  if (local.kind === 'denied')
    return {
      allowed: false,
      remaining: 0,
      resetSeconds: local.retryAfterSeconds,
      retryAfterSeconds: local.retryAfterSeconds,
      windows,
      window: at(windows, local.window),
    };

  const lease = local.wantedUnits > 0 ? { lease: { units: local.wantedUnits, ms: leaseMs } } : {};
  const outcome = await withinDeadline(
    callDurableObject(
      ctx.bindings.RATE_LIMITER,
      bill.object,
      (limiter) => limiter.take({ ...bill.request, ...lease }),
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
  leases.note(bill.key, taken, askedAtMs, ctx.clock.now());
  return {
    allowed: taken.allowed,
    remaining: taken.remaining + taken.leased * costAt(windows, taken.window),
    resetSeconds: taken.resetSeconds,
    retryAfterSeconds: taken.retryAfterSeconds,
    windows,
    window: at(windows, taken.window),
    takenAtMs: taken.atMs,
  };
}

/** Gives back what a request was charged by policies that refund refused requests. One hop; none when there are no such. */
export async function refund(
  ctx: ChargeContext,
  fare: Fare,
  { takenAtMs }: Pick<Charge, 'takenAtMs'>,
): Promise<void> {
  const refunded = fare.limits.filter((name) => policyOf(name).onRefusal === 'refund');
  if (refunded.length === 0) return;
  const bill = await billOf(ctx, fare);
  const windows = bill.windows.filter(({ policy }) => policy !== undefined && refunded.includes(policy));
  const takenAt = takenAtMs === undefined ? {} : { takenAtMs };
  // Once: given back twice, a count would allow more than it should.
  await callDurableObject(
    ctx.bindings.RATE_LIMITER,
    bill.object,
    (limiter) => limiter.giveBack({ ...bill.request, windows: windows.map(counted), ...takenAt }),
    1,
  );
  leases.noteRefund(bill.key);
}

interface ChargedWindow extends QuotedWindow {
  readonly key: string;
  readonly cost: number;
  /** The policy it belongs to; undefined for the budget. */
  readonly policy: LimitName | undefined;
}

interface Bill {
  /** Names the caller and the fare in this isolate. */
  readonly key: string;
  readonly object: string;
  readonly windows: readonly ChargedWindow[];
  readonly request: Omit<TakeRequest, 'lease'>;
}

async function billOf(ctx: ChargeContext, { limits, points, units }: Fare): Promise<Bill> {
  const secret = ctx.config.http.cursorSecret;
  const [first = 'write'] = limits;
  const caller = await hashedPartition(secret, partitionOf(ctx, policyOf(first).partition));
  const windows = limits.flatMap((policy) =>
    policyOf(policy).windows.map(
      (window: NamedWindow): ChargedWindow => ({
        ...window,
        key: `${policy}:${caller}`,
        cost: units,
        policy,
        partition: caller,
      }),
    ),
  );
  let payer = '';
  if (points > 0) {
    payer = await hashedPartition(secret, budgetPartitionOf(ctx));
    const budget = budgetOf(ctx.actor.kind);
    windows.push({ ...budget, key: `budget:${payer}`, cost: points, policy: undefined, partition: payer });
  }
  const shard = Number.parseInt(caller.slice(0, 8), 16) % shards;
  return {
    key: `${limits.join('+')}:${units}:${points}:${caller}:${payer}`,
    object: `rl:${shard}`,
    windows,
    request: { key: caller, windows: windows.map(counted), cost: 1 },
  };
}

const counted = ({ limit, periodSeconds, burst = limit, strict = false, key, cost }: ChargedWindow) => ({
  limit,
  periodSeconds,
  burst,
  strict,
  key,
  cost,
});

const budgetOf = (kind: RequestContext['actor']['kind']): NamedWindow =>
  kind === 'user' || kind === 'api_key' ? budgets[kind] : budgets.anonymous;

const at = (windows: readonly ChargedWindow[], index: number): ChargedWindow => {
  const window = windows[index];
  if (window === undefined) throw new RangeError('the limiter named a window it was not asked about');
  return window;
};

const costAt = (windows: readonly ChargedWindow[], index: number): number => windows[index]?.cost ?? 1;
