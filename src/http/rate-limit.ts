import type { RequestContext } from '../context.ts';
import type { AppContext, AppMiddleware } from './env.ts';
import { rateLimited, unavailable } from './errors.ts';
import { type Charge, charge, type Fare, refund } from './rate-limit/charge.ts';
import { quotaHeaders } from './rate-limit/headers.ts';
import { hashedPartition, partitionOf } from './rate-limit/partition.ts';
import { type LimitName, policyOf } from './rate-limit/policies.ts';
import type { RoutePolicy } from './route-policies.ts';

export type { LimitName } from './rate-limit/policies.ts';
export { budgets, rateLimitPolicies } from './rate-limit/policies.ts';

/** What the EDGE_LIMIT binding is configured with in wrangler.toml; it tells only whether, not how much or how long. */
export const edgeWindow = { name: 'edge', limit: 1_200, periodSeconds: 60 };

/**
 * A free gate by address, counted for each location. It stands before authentication, so that a flood of forged tokens
 * does not even cost their signatures' verification.
 * @throws rate_limit.exceeded.
 */
export function edgeGate(): AppMiddleware {
  return async (c, next) => {
    const { ctx } = c.var;
    if (ctx.config.http.rateLimitsEnabled) await passEdgeGate(ctx);
    await next();
  };
}

/**
 * Charges a request to whoever calls, and writes the RateLimit headers on every answer. A refused request costs nothing; one
 * that fails with a 4xx gets back what its policies refund.
 * @throws rate_limit.exceeded, or service.unavailable when the count cannot be had and one of the policies insists on it.
 */
export function rateLimit(fare: Fare): AppMiddleware {
  const refunds = fare.limits.some((name) => policyOf(name).onRefusal === 'refund');
  return async (c, next) => {
    const { ctx } = c.var;
    if (!ctx.config.http.rateLimitsEnabled) return next();
    const charged = await chargeOrDecide(ctx, fare);
    if (charged === undefined) return next();
    if (!charged.allowed) throw refusal(ctx, fare, charged);
    await next();
    setHeaders(c, quotaHeaders(charged.windows, charged));
    if (refunds && c.res.status >= 400 && c.res.status < 500)
      ctx.background(() => refund(ctx, fare, charged));
  };
}

/** What a route's policy charges. */
export function fareOf({ limit, cost }: Pick<RoutePolicy, 'limit' | 'cost'>): Fare | undefined {
  if (limit === 'none' || limit === 'edge') return undefined;
  const limits: readonly LimitName[] = typeof limit === 'string' ? [limit] : limit;
  return { limits, units: 1, points: cost ?? Math.max(...limits.map((name) => policyOf(name).points)) };
}

async function passEdgeGate(ctx: RequestContext): Promise<void> {
  let success = true;
  try {
    const key = await hashedPartition(ctx.config.http.cursorSecret, partitionOf(ctx, 'ip'));
    ({ success } = await ctx.bindings.EDGE_LIMIT.limit({ key }));
  } catch (error) {
    // The exact count behind this gate still holds.
    ctx.log.log('warn', 'rate_limit.unreachable', { rate_limit_policy: 'edge', error_name: nameOf(error) });
  }
  if (success) return;
  const retryAfterSeconds = edgeWindow.periodSeconds;
  const state = { window: edgeWindow, remaining: 0, resetSeconds: retryAfterSeconds };
  ctx.log.log('info', 'rate_limit.exceeded', { rate_limit_policy: 'edge' });
  throw rateLimited({
    extensions: { 'violated-policies': [edgeWindow.name] },
    headers: { ...quotaHeaders([edgeWindow], state), 'retry-after': String(retryAfterSeconds) },
  });
}

/** The charge; undefined when the count cannot be had and the policies let requests pass without it. */
async function chargeOrDecide(ctx: RequestContext, fare: Fare): Promise<Charge | undefined> {
  const closed = fare.limits.some((name) => policyOf(name).onFailure === 'closed');
  try {
    return await charge(ctx, fare);
  } catch (error) {
    ctx.log.log(closed ? 'error' : 'warn', 'rate_limit.unreachable', {
      rate_limit_policy: fare.limits.join(),
      reason: closed ? 'failed_closed' : 'failed_open',
      error_name: nameOf(error),
    });
    if (closed) throw unavailable({ cause: error, headers: { 'retry-after': '5' } });
    return undefined;
  }
}

function refusal(ctx: RequestContext, fare: Fare, charged: Charge) {
  ctx.log.log('info', 'rate_limit.exceeded', { rate_limit_policy: fare.limits.join() });
  const retryAfterSeconds = Math.max(1, charged.retryAfterSeconds);
  return rateLimited({
    extensions: { 'violated-policies': [charged.window.name] },
    headers: {
      // `t` is when waiting can help, so that Retry-After is never earlier than it.
      ...quotaHeaders(charged.windows, { ...charged, resetSeconds: retryAfterSeconds }),
      'retry-after': String(retryAfterSeconds),
    },
  });
}

function setHeaders(c: AppContext, headers: Readonly<Record<string, string>>): void {
  // A WebSocket handshake has no use for them, and rewrapping its response would need care.
  if (c.res.status === 101) return;
  for (const [field, value] of Object.entries(headers)) c.header(field, value);
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown');
