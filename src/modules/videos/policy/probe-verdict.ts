import type { Colour } from './colour.ts';
import { planLadder, type SourcePicture } from './encode-plan.ts';
import type { FailureCode } from './failures.ts';

/** What a probe found in a file, as it will be shown: rotated, in square pixels. */
export interface ProbeFacts {
  readonly container: string;
  readonly durationMs: number;
  /** Absent when there is no video track. */
  readonly picture: (SourcePicture & { readonly codec: string | null; readonly colour: Colour }) | undefined;
  /** Absent when there is no audio track. */
  readonly sound: { readonly codec: string | null } | undefined;
}

const minSide = 32;

/** Why a film cannot be published, or undefined when it can. */
export function refusalOf(
  facts: ProbeFacts,
  limits: { readonly maxDurationSeconds: number; readonly maxSidePixels: number },
): FailureCode | undefined {
  const { picture, sound, durationMs } = facts;
  if ((picture === undefined && sound === undefined) || !(durationMs > 0)) return 'truncated';
  if (durationMs > limits.maxDurationSeconds * 1_000) return 'too_long';
  if (picture === undefined) return undefined;
  if (Math.max(picture.width, picture.height) > limits.maxSidePixels) return 'too_large_dimensions';
  if (!(picture.width >= minSide && picture.height >= minSide)) return 'too_small_dimensions';
  if (planLadder(picture).length === 0) return 'unsupported_shape';
  return undefined;
}
