import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backoffMs, createRetryBudget } from '../../../src/shared/retry.ts';

it('never lets retries exceed a tenth of first attempts, beyond a reserve that time refills slowly', () => {
  const step = fc.oneof(
    fc.constant('attempt' as const),
    fc.constant('retry' as const),
    fc.integer({ min: -500, max: 3_000 }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2_000 }), (steps) => {
      let clockMs = 0;
      const budget = createRetryBudget({ share: 0.1, reserve: 10, perSecond: 1, now: () => clockMs });
      let attempts = 0;
      let retries = 0;
      let elapsedSeconds = 0;
      for (const action of steps) {
        if (action === 'attempt') {
          attempts += 1;
          budget.earn();
        } else if (action === 'retry') {
          if (budget.spend()) retries += 1;
        } else {
          clockMs += action;
          elapsedSeconds += Math.abs(action) / 1000;
        }
        expect(retries).toBeLessThanOrEqual(10 + attempts * 0.1 + elapsedSeconds + 1e-6);
      }
    }),
  );
});

it('waits a random time that grows, up to its cap', () => {
  expect(backoffMs(1, 50, 2_000, () => 0.999)).toBe(99);
  expect(backoffMs(3, 50, 2_000, () => 0.999)).toBe(399);
  expect(backoffMs(20, 50, 2_000, () => 0.999)).toBe(1_998);
  expect(backoffMs(5, 50, 2_000, () => 0)).toBe(0);
});
