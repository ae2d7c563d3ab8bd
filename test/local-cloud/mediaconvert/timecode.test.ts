import { describe, expect, it } from 'vitest';
import { timecodeSeconds } from '../../../local-cloud/mediaconvert/settings/timecode.ts';

describe('timecodes', () => {
  it.each([
    ['00:00:01:12', 25, 1.48],
    ['01:00:00:00', 25, 3600],
    ['01:00:00:00', 30_000 / 1001, 3603.6],
    ['01:00:00;00', 30_000 / 1001, 3599.9964],
    ['00:01:00;02', 30_000 / 1001, 60.06],
    ['00:00:10:30', 60_000 / 1001, 10.5105],
  ])('%s at %f frames per second is %f s', (timecode, rate, seconds) => {
    expect(timecodeSeconds(timecode, rate)).toBeCloseTo(seconds, 3);
  });
});
