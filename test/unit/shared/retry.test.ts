import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backoffMs, createRetryBudget } from '../../../src/shared/retry.ts';

it('never lets retries exceed a tenth of first attempts, beyond a small reserve', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 2_000 }), (steps) => {
      const budget = createRetryBudget(0.1, 10);
      let attempts = 0;
      let retries = 0;
      for (const isAttempt of steps) {
        if (isAttempt) {
          attempts += 1;
          budget.earn();
        } else if (budget.spend()) retries += 1;
        expect(retries).toBeLessThanOrEqual(10 + attempts * 0.1 + 1e-6);
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
