import type { AppMiddleware } from './env.ts';
import { staffSecondFactorRequired, stepUpRequired, unauthenticated } from './errors.ts';
import { requireSession } from './viewer.ts';

/** How long a full authentication opens the routes that need one. */
export const stepUpSeconds = 300;

/** Methods (RFC 8176) that count as second factor. */
const secondFactors: readonly string[] = ['otp', 'sms', 'hwk', 'swk'];

/**
 * Lets a request pass only soon after its session authenticated, by a second factor if the account has one, and only while
 * that session is live: one question to the primary. Refusals are RFC 9470 challenges. With `secondFactor` the account must have
 * one.
 * @throws auth.step_up_required, auth.unauthenticated, admin.second_factor_required.
 */
export function requireStepUp(options: { readonly secondFactor: boolean }): AppMiddleware {
  return async (c, next) => {
    const { ctx } = c.var;
    const actor = requireSession(ctx);
    const nowSeconds = Math.floor(ctx.clock.now() / 1000);
    if (nowSeconds - actor.authTime > stepUpSeconds) throw challenge();
    const standing = await ctx.sessionStanding(actor, nowSeconds);
    if (standing === undefined) throw unauthenticated();
    if (options.secondFactor && !standing.secondFactor) throw staffSecondFactorRequired();
    if (standing.secondFactor && !actor.amr.some((method) => secondFactors.includes(method)))
      throw challenge();
    await next();
  };
}

const challenge = () =>
  stepUpRequired({
    headers: {
      'www-authenticate': `Bearer realm="social-flow", error="insufficient_user_authentication", max_age="${stepUpSeconds}"`,
    },
  });
