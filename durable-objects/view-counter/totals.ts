import { retentionBuckets } from './spans.ts';

export interface PartTotals {
  readonly views: number;
  readonly plays: number;
  readonly watchMs: number;
  readonly errors: number;
}

/** What was watched and told in some time. Totals add up, in any order. */
export interface Totals {
  readonly views: number;
  readonly plays: number;
  readonly watchMs: number;
  readonly completions: number;
  /** For each hundredth of the film, the shares of it that plays watched, in millionths. */
  readonly retention: readonly number[];
  readonly startups: number;
  readonly startupMs: number;
  readonly rebufferMs: number;
  readonly errors: number;
  /** By `dimension:value`. */
  readonly parts: Readonly<Record<string, PartTotals>>;
}

const noPart: PartTotals = { views: 0, plays: 0, watchMs: 0, errors: 0 };

export const noTotals: Totals = {
  views: 0,
  plays: 0,
  watchMs: 0,
  completions: 0,
  retention: new Array<number>(retentionBuckets).fill(0),
  startups: 0,
  startupMs: 0,
  rebufferMs: 0,
  errors: 0,
  parts: {},
};

export const addTotals = (a: Totals, b: Totals): Totals => ({
  views: a.views + b.views,
  plays: a.plays + b.plays,
  watchMs: a.watchMs + b.watchMs,
  completions: a.completions + b.completions,
  retention: a.retention.map((share, bucket) => share + (b.retention[bucket] ?? 0)),
  startups: a.startups + b.startups,
  startupMs: a.startupMs + b.startupMs,
  rebufferMs: a.rebufferMs + b.rebufferMs,
  errors: a.errors + b.errors,
  parts: addParts(a.parts, b.parts),
});

function addParts(a: Totals['parts'], b: Totals['parts']): Totals['parts'] {
  const parts = new Map(Object.entries(a));
  for (const [name, part] of Object.entries(b)) parts.set(name, addPart(parts.get(name) ?? noPart, part));
  // fromEntries defines own properties whatever they are called.
  return Object.fromEntries(parts);
}

const addPart = (a: PartTotals, b: PartTotals): PartTotals => ({
  views: a.views + b.views,
  plays: a.plays + b.plays,
  watchMs: a.watchMs + b.watchMs,
  errors: a.errors + b.errors,
});

/** The same numbers under the same parts, given by name. */
export const partsOf = (names: readonly string[], part: Partial<PartTotals>): Totals['parts'] =>
  Object.fromEntries(names.map((name) => [name, { ...noPart, ...part }]));

/** Dimension and value of a part's name. */
export function splitPart(name: string): { readonly dimension: string; readonly value: string } {
  const colon = name.indexOf(':');
  return { dimension: name.slice(0, colon), value: name.slice(colon + 1) };
}

// The values clients make up; all others come from lists of ours.
const openDimensions = new Set(['referrer', 'error']);
const rest = 'other';

/** Totals whose made-up values are put under `other` where `admits` does not know them. */
export function boundParts(totals: Totals, admits: (dimension: string, value: string) => boolean): Totals {
  let parts: Totals['parts'] = {};
  for (const [name, part] of Object.entries(totals.parts)) {
    const { dimension, value } = splitPart(name);
    const kept = !openDimensions.has(dimension) || value === rest || admits(dimension, value);
    parts = addParts(parts, { [kept ? name : `${dimension}:${rest}`]: part });
  }
  return { ...totals, parts };
}
