import type { RequestContext } from '../../../context.ts';
import { giveBack, take } from './throttle.ts';

const everybody = { throttle: 'loginAnomaly', subject: 'all' } as const;
const takenBackBySuccess = 2;
const lookAgainAfterMs = 5_000;

const looks = new WeakMap<object, { readonly untilMs: number; readonly anomalous: boolean }>();

/**
 * Whether logins fail far more often than they succeed, over all accounts and networks: somebody is trying stolen lists. At most
 * one hop in five seconds for each isolate; false when the count cannot be reached.
 */
export async function loginsLookWrong(ctx: RequestContext): Promise<boolean> {
  const nowMs = ctx.clock.now();
  const known = looks.get(ctx.config);
  if (known !== undefined && nowMs < known.untilMs) return known.anomalous;
  const seen = await take(ctx, everybody, 0);
  const anomalous = seen?.remaining === 0;
  if (anomalous) ctx.log.log('warn', 'auth.login_anomaly');
  looks.set(ctx.config, { untilMs: nowMs + lookAgainAfterMs, anomalous });
  return anomalous;
}

/** Counts how a login ended, after the response. */
export function noteLogin(ctx: RequestContext, outcome: 'succeeded' | 'failed'): void {
  if (ctx.config.challenge.secret === '' || !ctx.config.http.rateLimitsEnabled) return;
  ctx.background(() =>
    outcome === 'failed' ? take(ctx, everybody) : giveBack(ctx, everybody, takenBackBySuccess),
  );
}
