import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxAttempts, retryDelayMs } from '../../../src/modules/webhook-endpoints/policy/schedule.ts';
import { verdictOf } from '../../../src/modules/webhook-endpoints/policy/verdict.ts';

const hour = 3_600_000;
const delays = (random: () => number) =>
  Array.from({ length: maxAttempts - 1 }, (_, index) => retryDelayMs(index + 1, undefined, random) ?? 0);

describe('the schedule of retries', () => {
  it('is that of Standard Webhooks, three days and a little more', () => {
    const seconds = delays(() => 0).map((delay) => delay / 1_000);
    expect(seconds).toEqual([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
    const total = (random: () => number) => delays(random).reduce((sum, delay) => sum + delay, 0);
    expect(total(() => 0)).toBeGreaterThan(72 * hour);
    expect(total(() => 1)).toBeLessThan(84 * hour);
  });

  it('ends after ten attempts', () => {
    expect(maxAttempts).toBe(10);
    expect(retryDelayMs(maxAttempts, undefined)).toBeUndefined();
    expect(retryDelayMs(maxAttempts + 1, 60)).toBeUndefined();
  });

  it('waits at least as long as it says, a tenth more at most, and longer only when asked to, up to a day', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: maxAttempts - 1 }),
        fc.option(fc.nat({ max: 999_999 }), { nil: undefined }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempts, asked, random) => {
          const base = retryDelayMs(attempts, undefined, () => 0) ?? 0;
          const delay = retryDelayMs(attempts, asked, () => random) ?? 0;
          expect(delay).toBeGreaterThanOrEqual(Math.max(base, Math.min(asked ?? 0, 86_400) * 1_000));
          expect(delay).toBeLessThanOrEqual(Math.max(Math.ceil(base * 1.1), (asked ?? 0) * 1_000));
          expect(delay).toBeLessThanOrEqual(24 * 1.1 * hour);
        },
      ),
    );
  });
});

it.each([
  [200, 'delivered'],
  [204, 'delivered'],
  [299, 'delivered'],
  [301, 'failed'],
  [308, 'failed'],
  [400, 'failed'],
  [404, 'failed'],
  [410, 'gone'],
  [429, 'failed'],
  [500, 'failed'],
  [undefined, 'failed'],
] as const)('an answer of %s means %s', (status, verdict) => {
  const answer = { status, error: undefined, excerpt: '', retryAfterSeconds: undefined, durationMs: 1 };
  expect(verdictOf(answer)).toBe(verdict);
});
