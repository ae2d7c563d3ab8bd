import type { RequestContext } from '../../../context.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import {
  type Claim,
  type DueDelivery,
  listDueEndpoints,
  type Settled,
  settleAttempt,
  takeDelivery,
} from '../dispatch.repository.ts';
import { claimMs, soonMs, turn } from '../policy/fair-share.ts';
import { retryDelayMs } from '../policy/schedule.ts';
import { attempt } from './attempt.ts';
import { wakeEndpoints } from './wake-endpoints.ts';

const handOutLimit = 1_000;

/**
 * Delivers what is due for an endpoint, one after the other, until nothing is or its turn is over; an endpoint that does not
 * answer loses the rest of its turn. A crash between an attempt and writing it down repeats the attempt once the claim is over:
 * each event arrives at least once, under the same id.
 */
export async function deliverDue(ctx: RequestContext, endpointId: string): Promise<void> {
  const claimId = ctx.ids.next();
  const startedAtMs = ctx.clock.now();
  let due = await takeDelivery(ctx.databases.primary, claimOf(ctx, endpointId, claimId));
  for (let count = 1; due !== undefined; count += 1) {
    const goOn = (): boolean => count < turn.deliveries && ctx.clock.now() - startedAtMs < turn.milliseconds;
    due = await deliverOne(ctx, due, claimId, goOn);
  }
}

async function deliverOne(
  ctx: RequestContext,
  due: DueDelivery,
  claimId: string,
  goOn: () => boolean,
): Promise<DueDelivery | undefined> {
  const outcome = await attempt(ctx, due);
  const nowMs = ctx.clock.now();
  const delayMs =
    outcome.verdict === 'failed' ? retryDelayMs(due.attempts + 1, outcome.retryAfterSeconds) : undefined;
  const notice = newSecurityNotice(ctx, {
    userId: due.userId,
    notice: 'webhook_endpoint_disabled',
    detail: { endpoint: new URL(due.url).host },
  });
  const settled: Settled = await settleAttempt(
    ctx,
    { ...outcome, dueAt: delayMs === undefined ? undefined : new Date(nowMs + delayMs).toISOString() },
    claimOf(ctx, due.endpointId, claimId),
    {
      failingBefore: new Date(nowMs - ctx.config.webhooks.disableAfterSeconds * 1_000).toISOString(),
      goOn: outcome.status !== undefined && goOn(),
      notice,
    },
  );
  if (settled.disabled) publishAfterResponse(ctx, [notice.id]);
  else if (delayMs !== undefined && delayMs <= soonMs) await wakeEndpoints(ctx, [due.endpointId], delayMs);
  if (settled.next === undefined) await wakeEndpoints(ctx, settled.waiting);
  return settled.next;
}

/** Asks for deliveries to every endpoint for which something is due and nobody is at work. */
export async function handOutDeliveries(ctx: RequestContext): Promise<void> {
  const now = new Date(ctx.clock.now()).toISOString();
  await wakeEndpoints(ctx, await listDueEndpoints(ctx.databases.primary, now, handOutLimit));
}

const claimOf = (ctx: RequestContext, endpointId: string, claimId: string): Claim => {
  const nowMs = ctx.clock.now();
  return {
    endpointId,
    claimId,
    now: new Date(nowMs).toISOString(),
    until: new Date(nowMs + claimMs).toISOString(),
  };
};
