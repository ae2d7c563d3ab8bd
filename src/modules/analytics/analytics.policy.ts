/** Rows of fewer plays than this are shown together: a single viewer in a small country must not be seen. */
export const minShownPlays = 5;
export const maxRangeDays = 400;
/** 800 KB of sketches. A channel with more days of videos in a range is read from what cron added up. */
export const maxVideoDays = 400;
export const dimensions = ['source', 'referrer', 'country', 'device', 'error'] as const;
export type Dimension = (typeof dimensions)[number];

const dayMs = 86_400_000;

export interface DayRange {
  /** UTC days, both inclusive, `2026-11-27`. */
  readonly from: string;
  readonly to: string;
}

export const dayOf = (unixMs: number): string => new Date(unixMs).toISOString().slice(0, 10);
const msOf = (day: string): number => Date.parse(`${day}T00:00:00Z`);

/** How many days a range has; 0 or less when it ends before it begins. */
export const daysIn = ({ from, to }: DayRange): number => (msOf(to) - msOf(from)) / dayMs + 1;

/** The range that was asked for; the last 28 days up to today (UTC) where it was not. */
export function rangeOf(
  query: { readonly from?: string | undefined; readonly to?: string | undefined },
  nowMs: number,
): DayRange {
  const to = query.to ?? dayOf(nowMs);
  return { from: query.from ?? dayOf(msOf(to) - 27 * dayMs), to };
}

/** As many days, just before. */
export const previousOf = (range: DayRange): DayRange => ({
  from: dayOf(msOf(range.from) - daysIn(range) * dayMs),
  to: dayOf(msOf(range.from) - dayMs),
});

/** Every day of a range, in order. */
export const daysOf = (range: DayRange): string[] =>
  Array.from({ length: daysIn(range) }, (_, index) => dayOf(msOf(range.from) + index * dayMs));

export interface PartRow {
  readonly dimension: Dimension;
  readonly value: string;
  readonly views: number;
  readonly plays: number;
  readonly watchMs: number;
  readonly errors: number;
}

/**
 * The values of a dimension, most views first. Countries, devices and referrers of few plays become one row `other`, and so does what is
 * beyond `limit`: numbers so small tell of people, not of audiences.
 */
export function shownParts(
  rows: readonly PartRow[],
  dimension: Dimension,
  limit = 50,
): Omit<PartRow, 'dimension'>[] {
  const isShown = (row: PartRow): boolean =>
    dimension === 'error' || dimension === 'source' || row.plays >= minShownPlays;
  const mine = rows
    .filter((row) => row.dimension === dimension)
    .sort(
      (a, b) => b.views - a.views || b.plays - a.plays || b.errors - a.errors || (a.value < b.value ? -1 : 1),
    );
  const shown = mine.filter((row) => isShown(row) && row.value !== 'other').slice(0, limit);
  const rest = mine.filter((row) => !shown.includes(row));
  const other = rest.reduce(
    (sum, row) => ({
      value: 'other',
      views: sum.views + row.views,
      plays: sum.plays + row.plays,
      watchMs: sum.watchMs + row.watchMs,
      errors: sum.errors + row.errors,
    }),
    { value: 'other', views: 0, plays: 0, watchMs: 0, errors: 0 },
  );
  return [...shown.map(({ dimension: _, ...row }) => row), ...(rest.length > 0 ? [other] : [])];
}

/** A share, or null of nothing. */
export const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/**
 * Rows as CSV (RFC 4180). Text that a spreadsheet would run as a formula gets an apostrophe before it
 * (https://owasp.org/www-community/attacks/CSV_Injection).
 */
export const csvOf = (rows: readonly (readonly (string | number | null)[])[]): string =>
  rows.map((row) => `${row.map(cellOf).join(',')}\r\n`).join('');

function cellOf(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
