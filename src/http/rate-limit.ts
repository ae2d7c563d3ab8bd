import type { RequestContext } from '../context.ts';
import type { AppContext, AppMiddleware } from './env.ts';
import { rateLimited, unavailable } from './errors.ts';
import { type Charge, charge } from './rate-limit/charge.ts';
import { quotaHeaders } from './rate-limit/headers.ts';
import { hashedPartition, partitionOf } from './rate-limit/partition.ts';
import { type LimitName, policyOf } from './rate-limit/policies.ts';

export type { LimitName } from './rate-limit/policies.ts';
export { rateLimitPolicies } from './rate-limit/policies.ts';

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
 * Charges `cost` units of a policy to whoever calls, and writes the RateLimit headers on every answer.
 * @throws rate_limit.exceeded, or service.unavailable when the count cannot be had and the policy insists on it.
 */
export function rateLimit(name: LimitName, options: { readonly cost?: number } = {}): AppMiddleware {
  const policy = policyOf(name);
  return async (c, next) => {
    const { ctx } = c.var;
    if (!ctx.config.http.rateLimitsEnabled) return next();
    const charged = await chargeOrDecide(ctx, name, options.cost ?? 1);
    if (charged === undefined) return next();
    const window = policy.windows[charged.window] ?? edgeWindow;
    if (!charged.allowed) throw refusal(ctx, name, charged, window);
    await next();
    setHeaders(c, quotaHeaders(policy.windows, { ...charged, window }));
  };
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

/** The charge; undefined when the count cannot be had and the policy lets requests pass without it. */
async function chargeOrDecide(
  ctx: RequestContext,
  name: LimitName,
  cost: number,
): Promise<Charge | undefined> {
  const { onFailure } = policyOf(name);
  try {
    return await charge(ctx, name, cost);
  } catch (error) {
    ctx.log.log(onFailure === 'closed' ? 'error' : 'warn', 'rate_limit.unreachable', {
      rate_limit_policy: name,
      reason: onFailure === 'closed' ? 'failed_closed' : 'failed_open',
      error_name: nameOf(error),
    });
    if (onFailure === 'closed') throw unavailable({ cause: error, headers: { 'retry-after': '5' } });
    return undefined;
  }
}

function refusal(ctx: RequestContext, name: LimitName, charged: Charge, window: typeof edgeWindow) {
  ctx.log.log('info', 'rate_limit.exceeded', { rate_limit_policy: name });
  const retryAfterSeconds = Math.max(1, charged.retryAfterSeconds);
  return rateLimited({
    extensions: { 'violated-policies': [window.name] },
    headers: {
      // `t` is when waiting can help, so that Retry-After is never earlier than it.
      ...quotaHeaders(policyOf(name).windows, { ...charged, window, resetSeconds: retryAfterSeconds }),
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
