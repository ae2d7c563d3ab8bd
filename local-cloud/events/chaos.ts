import type { Chaos } from './types.ts';

export type Fate = { drop: boolean; duplicate: boolean; reorder: boolean };

/**
 * Decides what happens to the event with a given sequence number. The same seed and number always give the same
 * answer, whatever came before.
 */
export function fateOf(chaos: Chaos, seed: number, sequence: number): Fate {
  const draw = (salt: number): number => uniform(seed, sequence * 3 + salt);
  return {
    drop: draw(0) < (chaos.drop ?? 0),
    duplicate: draw(1) < (chaos.duplicate ?? 0),
    reorder: draw(2) < (chaos.reorder ?? 0),
  };
}

/** A number in [0, 1) from two integers, by the mulberry32 mixing function. */
function uniform(seed: number, index: number): number {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(index + 1, 0x6d2b79f5)) | 0;
  state = Math.imul(state ^ (state >>> 15), state | 1);
  state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
  return ((state ^ (state >>> 14)) >>> 0) / 4_294_967_296;
}
