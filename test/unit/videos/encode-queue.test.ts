import fc from 'fast-check';
import { expect, it } from 'vitest';
import { handicapSeconds, maxHandicapSeconds } from '../../../src/modules/videos/policy/encode-queue.ts';

const kind = fc.constantFrom('stream' as const, 'preview' as const, 'download' as const);
const job = fc.record({ kind, durationMs: fc.integer({ min: 1, max: 43_200_000 }) });

it('lets short films pass long ones, and what is played what is nice to have', () => {
  const due = (kindOf: 'stream' | 'preview' | 'download', minutes: number) =>
    handicapSeconds({ kind: kindOf, durationMs: minutes * 60_000 });
  expect(due('stream', 1)).toBeLessThan(due('stream', 30));
  expect(due('stream', 30)).toBeLessThan(due('download', 30));
  expect(due('download', 30)).toBeLessThan(due('preview', 30));
});

it('starves nobody: a job is passed only by what comes within the longest handicap after it', () => {
  fc.assert(
    fc.property(
      job,
      fc.integer({ min: 0, max: 1_000_000 }),
      job,
      fc.integer({ min: 0, max: 1_000_000 }),
      (a, at, b, later) => {
        const dueA = at + handicapSeconds(a);
        const dueB = at + later + handicapSeconds(b);
        if (dueB < dueA) expect(later).toBeLessThan(maxHandicapSeconds);
        expect(handicapSeconds(a)).toBeGreaterThan(0);
      },
    ),
  );
});
