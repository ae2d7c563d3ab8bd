import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTopList } from '../../../durable-objects/chat-room/top-list.ts';
import { addToSketch, emptySketch, estimate, keyOfUser } from '../../../durable-objects/sketch.ts';
import { randomIds } from '../../../src/shared/ids.ts';

const countsOf = (keys: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
};
const keys = fc.array(fc.constantFrom(...'abcdefghijkl'), { maxLength: 300 });

it('is exact while it holds every key, also after it was written down', () => {
  fc.assert(
    fc.property(keys, fc.nat(300), (all, cut) => {
      const first = createTopList(12, []);
      for (const key of all.slice(0, cut)) first.add(key);
      const second = createTopList(12, first.entries());
      for (const key of all.slice(cut)) second.add(key);
      const entries = second.entries();
      expect(new Map(entries.map(({ key, count }) => [key, count]))).toEqual(countsOf(all));
      expect(entries.every(({ over }) => over === 0)).toBe(true);
      expect(entries.map(({ count }) => count)).toEqual(
        entries.map(({ count }) => count).toSorted((one, other) => other - one),
      );
    }),
  );
});

it('beyond, is wrong by no more than it says, and misses nothing that is frequent', () => {
  fc.assert(
    fc.property(keys, (all) => {
      const list = createTopList(4, []);
      for (const key of all) list.add(key);
      const entries = list.entries();
      const real = countsOf(all);
      expect(entries.length).toBeLessThanOrEqual(4);
      for (const { key, count, over } of entries) {
        expect(real.get(key) ?? 0).toBeLessThanOrEqual(count);
        expect(real.get(key) ?? 0).toBeGreaterThanOrEqual(count - over);
      }
      for (const [key, count] of real)
        if (count > all.length / 4) expect(entries.map((entry) => entry.key)).toContain(key);
    }),
  );
});

it('counts different users by their ids about right', () => {
  const sketch = emptySketch();
  const users = Array.from({ length: 20_000 }, () => randomIds.next());
  for (const userId of [...users, ...users]) addToSketch(sketch, keyOfUser(userId));
  // Five standard errors.
  expect(Math.abs(estimate(sketch) - users.length) / users.length).toBeLessThan(0.115);
});
