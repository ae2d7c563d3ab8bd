import type { EncodePrices } from '../../../config/encode-prices.ts';
import { estimateCost } from './encode-cost.ts';
import type { EncodePlan, JobKind } from './encode-plan.ts';

/** How much later than it came a job is due at most, for its length: nobody waits behind later jobs for longer than this. */
const maxLengthHandicapSeconds = 900;
const lengthShare = 0.25;
const kindHandicapSeconds: Readonly<Record<JobKind, number>> = { stream: 0, download: 300, preview: 600 };

/**
 * Seconds after its coming at which a job is due; waiting jobs go by when they are due. Short films pass long ones that came a
 * little earlier, and what is played passes what is nice to have, but since the handicap has an end and does not grow, a
 * job is passed only by what came within that time after it: nobody starves.
 */
export const handicapSeconds = (plan: Pick<EncodePlan, 'durationMs' | 'kind'>): number =>
  Math.min(maxLengthHandicapSeconds, (plan.durationMs / 1_000) * lengthShare) +
  kindHandicapSeconds[plan.kind];

/** The longest a job may be passed by later ones, in seconds. */
export const maxHandicapSeconds = maxLengthHandicapSeconds + Math.max(...Object.values(kindHandicapSeconds));

/** A job as it enters our queue. */
export interface NewEncodeJob {
  readonly id: string;
  readonly plan: EncodePlan;
  readonly handicapSeconds: number;
  readonly estimatedCostMicros: bigint;
  readonly currency: string;
}

export const newEncodeJob = (id: string, plan: EncodePlan, prices: EncodePrices): NewEncodeJob => ({
  id,
  plan,
  handicapSeconds: handicapSeconds(plan),
  estimatedCostMicros: estimateCost(plan, prices),
  currency: prices.currency,
});
