import type { RateWindow } from '../../../../durable-objects/rate-limiter/gcra.ts';
import type { RequestContext } from '../../../context.ts';
import { unavailable } from '../../../http/errors.ts';
import { hashedPartition, partitionOf } from '../../../http/rate-limit/partition.ts';
import { withinDeadline } from '../../../shared/deadline.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import { smsLimited } from '../factors.errors.ts';

const hour = 3_600;
const day = 86_400;
const shards = 16;
const deadlineMs = 2_000;

type LimitContext = Pick<RequestContext, 'bindings' | 'config' | 'log' | 'background' | 'actor' | 'ip'>;

interface Count {
  readonly name: string;
  readonly subject: string;
  readonly windows: readonly RateWindow[];
}

const perPerson: readonly RateWindow[] = [
  { limit: 5, periodSeconds: hour },
  { limit: 10, periodSeconds: day },
];
const perNetwork: readonly RateWindow[] = [
  { limit: 20, periodSeconds: hour },
  { limit: 50, periodSeconds: day },
];

// Whoever has messages sent costs money, and earns some where the operator shares it: accounts, numbers and networks are
// counted each, and all together. A message that could not be sent is counted, too.
const countsOf = (ctx: LimitContext, userId: string, number: string): Count[] => {
  const { dailyLimit } = ctx.config.sms;
  return [
    { name: 'sms-user', subject: userId, windows: perPerson },
    { name: 'sms-number', subject: number, windows: perPerson },
    { name: 'sms-network', subject: partitionOf(ctx, 'ip'), windows: perNetwork },
    {
      name: 'sms-total',
      subject: 'all',
      windows: [{ limit: dailyLimit, periodSeconds: day, burst: Math.ceil(dailyLimit / 4) }],
    },
  ];
};

/**
 * Charges one message to all it is counted for.
 * @throws factors.sms_limited when one of the counts is full, and then charges none; service.unavailable when they cannot be
 * reached.
 */
export async function chargeSms(ctx: LimitContext, userId: string, number: string): Promise<void> {
  if (!ctx.config.http.rateLimitsEnabled) return;
  const charged: Count[] = [];
  for (const count of countsOf(ctx, userId, number)) {
    const { name, request } = await placeOf(ctx, count);
    const taken = await withinDeadline(
      callDurableObject(ctx.bindings.RATE_LIMITER, name, (limiter) => limiter.take(request), 2),
      deadlineMs,
    );
    if (taken?.allowed === true) {
      charged.push(count);
      continue;
    }
    if (charged.length > 0)
      ctx.background(() => Promise.all(charged.map((earlier) => giveBack(ctx, earlier))));
    if (taken === undefined) {
      ctx.log.log('error', 'factors.sms_limit_unreachable', { reason: count.name });
      throw unavailable({ headers: { 'retry-after': '5' } });
    }
    ctx.log.log('warn', 'factors.sms_limited', { reason: count.name, user_id: userId });
    throw smsLimited({ headers: { 'retry-after': String(Math.max(1, taken.retryAfterSeconds)) } });
  }
}

async function placeOf(ctx: LimitContext, { name, subject, windows }: Count) {
  const key = await hashedPartition(ctx.config.http.cursorSecret, `${name}\n${subject}`);
  const shard = Number.parseInt(key.slice(0, 8), 16) % shards;
  return { name: `rl:${name}:${shard}`, request: { key, windows, cost: 1 } };
}

async function giveBack(ctx: LimitContext, count: Count): Promise<void> {
  const { name, request } = await placeOf(ctx, count);
  await callDurableObject(ctx.bindings.RATE_LIMITER, name, (limiter) => limiter.giveBack(request), 1);
}
