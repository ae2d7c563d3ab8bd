import { describe, expect, it } from 'vitest';
import { ageOn, isPlausibleBirthDate } from '../../../src/modules/users/birth-dates.policy.ts';

const on = (date: string) => Date.parse(`${date}T00:00:00Z`);

describe('age', () => {
  it('grows on the birthday and not before', () => {
    expect(ageOn('2008-03-15', on('2026-03-14') + 86_399_999)).toBe(17);
    expect(ageOn('2008-03-15', on('2026-03-15'))).toBe(18);
    expect(ageOn('2008-12-31', on('2026-01-01'))).toBe(17);
    expect(ageOn('2008-01-01', on('2026-12-31'))).toBe(18);
  });

  it('of those born on 29 February grows on 1 March where there is no such day', () => {
    expect(ageOn('2008-02-29', on('2026-02-28'))).toBe(17);
    expect(ageOn('2008-02-29', on('2026-03-01'))).toBe(18);
  });

  it('is unknown for what is no date', () => {
    for (const date of ['2007-02-29', '2008-13-01', '2008-00-10', '2008-1-1', 'yesterday', ''])
      expect(ageOn(date, on('2026-01-01'))).toBeUndefined();
  });

  it('of a user is between 13 and 120', () => {
    const now = on('2026-06-01');
    expect(
      ['2013-06-02', '2013-06-01', '1906-06-01', '1905-06-01', '2027-01-01'].map((date) =>
        isPlausibleBirthDate(date, now),
      ),
    ).toEqual([false, true, true, false, false]);
  });
});
