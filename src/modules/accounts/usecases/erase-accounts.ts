import type { RequestContext } from '../../../context.ts';
import { isDatabaseUnavailable } from '../../../db/errors.ts';
import { isAwsError } from '../../../integrations/aws/index.ts';
import { backoffMs } from '../../../shared/retry.ts';
import {
  advanceErasure,
  beginErasures,
  claimErasure,
  type Erasure,
  forgetReservations,
  giveUpStep,
  postponeErasure,
} from '../deletions.repository.ts';
import { type ErasureStep, erasureSteps, stepAfter } from '../personal-data.policy.ts';
import { eraseStep } from './erase-account.ts';

const accountsAtOnce = 100;
const budgetMs = 25_000;
const leaseMs = 300_000;
const firstBackoffMs = 30_000;
const maxBackoffMs = 6 * 3_600_000;
// Five to six days, with the waits above.
const maxProviderAttempts = 30;

/**
 * Erases accounts whose grace is over, step by step, for half a minute; the next run goes on where this one stopped. A step that
 * fails waits longer each time and holds up no other account.
 */
export async function eraseDueAccounts(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  const startedMs = ctx.clock.now();
  const now = isoOf(startedMs);
  await beginErasures(primary, { now, firstStep: erasureSteps[0], limit: accountsAtOnce });
  await forgetReservations(primary, now);
  const inTime = () => ctx.clock.now() - startedMs < budgetMs;
  while (inTime()) {
    const nowMs = ctx.clock.now();
    const erasure = await claimErasure(primary, isoOf(nowMs), isoOf(nowMs + leaseMs));
    if (erasure === undefined) return;
    await advance(ctx, erasure, inTime);
  }
}

async function advance(ctx: RequestContext, erasure: Erasure, inTime: () => boolean): Promise<void> {
  const { primary } = ctx.databases;
  const { userId } = erasure;
  let step: string | undefined = erasure.step;
  try {
    while (step !== undefined) {
      if (!inTime()) return await postponeErasure(primary, userId, isoOf(ctx.clock.now()), undefined);
      // A step this release does not know: all over again, which does no harm.
      const run = isKnown(step) ? eraseStep[step] : undefined;
      if (run !== undefined && (await run(ctx, userId)) === 'more') continue;
      const next = stepAfter(step);
      if (!(await advanceErasure(primary, userId, step, next, isoOf(ctx.clock.now())))) return;
      step = next;
    }
    ctx.log.log('info', 'account.erased', { user_id: userId });
  } catch (error) {
    const waitMs = Math.min(maxBackoffMs, backoffMs(erasure.attempts, firstBackoffMs));
    const failureCode = failureOf(error);
    ctx.log.log('error', 'account.erasure_failed', {
      user_id: userId,
      state: step,
      attempts: erasure.attempts,
      failure_code: failureCode,
      error_name: error instanceof Error ? error.name : 'unknown',
    });
    // Others' failures must not keep anybody's data for ever.
    if (step === 'providers' && erasure.step === step && erasure.attempts >= maxProviderAttempts) {
      ctx.log.log('error', 'account.provider_tokens_given_up', {
        user_id: userId,
        attempts: erasure.attempts,
        failure_code: failureCode,
      });
      await giveUpStep(ctx, erasure, 'rows', { now: isoOf(ctx.clock.now()), failureCode });
      return;
    }
    await postponeErasure(primary, userId, isoOf(ctx.clock.now() + waitMs), failureCode);
  }
}

/** What a failure of background work is called where an operator or owner can read it. */
export const failureOf = (error: unknown): string =>
  isAwsError(error)
    ? 'storage_unavailable'
    : isDatabaseUnavailable(error)
      ? 'database_unavailable'
      : 'internal';

const isKnown = (step: string): step is ErasureStep => (erasureSteps as readonly string[]).includes(step);

const isoOf = (unixMs: number): string => new Date(unixMs).toISOString();
