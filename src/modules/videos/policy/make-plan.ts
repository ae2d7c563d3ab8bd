import type { EncodePrices } from '../../../config/encode-prices.ts';
import { resolutionFactor } from './encode-cost.ts';
import { type EncodePlan, planLadder } from './encode-plan.ts';
import { placeWatermark, planStoryboard, type Watermark } from './plan-pictures.ts';
import type { ProbeFacts } from './probe-verdict.ts';
import type { Clip } from './timecode.ts';

export interface PlanRequest {
  readonly videoId: string;
  readonly revision: number;
  readonly sourceKey: string;
  readonly facts: Pick<ProbeFacts, 'durationMs' | 'picture' | 'sound'>;
  /** The part to take; undefined for all of it. */
  readonly clip?: Clip | undefined;
  readonly watermark?: Watermark | undefined;
  readonly burnIn?: EncodePlan['burnIn'] | undefined;
}

export interface PlanPolicy {
  readonly encodeMode: EncodePlan['mode'];
  /** Normalized minutes of the largest output from which a job is worth accelerating. */
  readonly accelerateFromMinutes: number;
  /** Longest film, in seconds, that may use the queue of what is soon done. */
  readonly priorityMaxSeconds: number;
  readonly encodePrices: EncodePrices;
}

/** Automated encoding makes at least this many sizes. */
const minAutomatedRungs = 3;

/** The plan of what is played of a film: its sizes, its scrub pictures, and how it is to be run. */
export function planStream(request: PlanRequest, policy: PlanPolicy): EncodePlan {
  const { facts, clip } = request;
  const { picture } = facts;
  const durationMs = clip === undefined ? facts.durationMs : clip.endMs - clip.startMs;
  const rungs = picture === undefined ? [] : planLadder(picture);
  const burnIn = rungs.length === 0 ? null : (request.burnIn ?? null);
  return {
    kind: 'stream',
    videoId: request.videoId,
    revision: request.revision,
    prefix: null,
    sourceKey: request.sourceKey,
    durationMs,
    frameRate: picture?.frameRate ?? null,
    colour: picture?.colour ?? 'plain',
    hasAudio: facts.sound !== undefined,
    rungs,
    mode: rungs.length < minAutomatedRungs ? 'ladder' : policy.encodeMode,
    clips: clip === undefined ? [] : [clip],
    burnIn,
    watermark: placeWatermark(request.watermark, picture),
    storyboard: rungs.length === 0 ? null : planStoryboard(picture, durationMs),
    ...chooseRun({ durationMs, rungs, burnIn }, policy),
  };
}

/**
 * How a job is run. Acceleration costs the professional tier and pays off for long and large films only; drawing captions
 * into the picture cannot be accelerated. Short films of ordinary size go through the queue of what is soon done.
 */
export function chooseRun(
  job: Pick<EncodePlan, 'durationMs' | 'rungs' | 'burnIn'>,
  policy: Pick<PlanPolicy, 'accelerateFromMinutes' | 'priorityMaxSeconds' | 'encodePrices'>,
): Pick<EncodePlan, 'acceleration' | 'lane'> {
  const factor = Math.max(0, ...job.rungs.map((rung) => resolutionFactor(policy.encodePrices, rung)));
  const normalizedMinutes = (job.durationMs / 60_000) * factor;
  const heavy = job.rungs.some((rung) => Math.min(rung.width, rung.height) > 1_080);
  return {
    acceleration:
      job.burnIn === null && job.rungs.length > 0 && normalizedMinutes >= policy.accelerateFromMinutes
        ? 'PREFERRED'
        : 'DISABLED',
    lane: !heavy && job.durationMs <= policy.priorityMaxSeconds * 1_000 ? 'priority' : 'standard',
  };
}
