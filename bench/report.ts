import type { Measurement, Rounds } from './measure.ts';

/** Median of an odd or even number of values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** `median (min..max)`. */
export function spread(values: readonly number[], digits: number): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${low.toFixed(digits)}..${high.toFixed(digits)})`;
}

/** Measurements of one kind over all rounds. */
type NumberField = { [K in keyof Measurement]: Measurement[K] extends number ? K : never }[keyof Measurement];

const headings = [
  'endpoint',
  'server',
  'requests/s',
  'CPU ms/request',
  'requests/s per core',
  'core busy',
  'memory MiB',
  'trips/request',
  'bridge CPU ms',
  'Postgres CPU ms',
];

/** A Markdown table of every server under every scenario: median and, in parentheses, least and greatest of the rounds. */
export function resultTable(results: ReadonlyMap<string, Rounds>): string {
  const rows = [...results].flatMap(([scenario, rounds]) =>
    [...rounds].map(([server, measurements]) => {
      const column = (field: NumberField): number[] => measurements.map((entry) => entry[field]);
      return [
        scenario,
        server,
        spread(column('requestsPerSecond'), 0),
        spread(column('cpuMs'), 3),
        (1_000 / median(column('cpuMs'))).toFixed(0),
        `${(median(column('busy')) * 100).toFixed(0)} %`,
        Math.max(...column('memoryMib')).toFixed(0),
        median(column('trips')).toFixed(2),
        median(column('bridgeCpuMs')).toFixed(3),
        median(column('postgresCpuMs')).toFixed(3),
      ];
    }),
  );
  return markdown(headings, rows);
}

/**
 * A Markdown table of how one server compares with others. Ratios are taken within a round, where both met the same
 * machine, and the median is of those.
 */
export function ratioTable(
  results: ReadonlyMap<string, Rounds>,
  pairs: readonly (readonly [string, string])[],
): string {
  const rows = [...results].flatMap(([scenario, rounds]) =>
    pairs.flatMap(([left, right]) => {
      const ours = rounds.get(left);
      const theirs = rounds.get(right);
      if (ours === undefined || theirs === undefined) return [];
      const ratios = (field: NumberField): number[] =>
        ours.map((entry, round) => entry[field] / (theirs[round]?.[field] ?? Number.NaN));
      return [
        [scenario, `${left} / ${right}`, spread(ratios('requestsPerSecond'), 2), spread(ratios('cpuMs'), 2)],
      ];
    }),
  );
  return markdown(['endpoint', 'ratio', 'requests/s', 'CPU per request'], rows);
}

/** A line about how much the rest of the machine was doing. */
export function foreignLoad(results: ReadonlyMap<string, Rounds>): string {
  const values = [...results.values()]
    .flatMap((rounds) => [...rounds.values()].flat())
    .flatMap(({ foreignCores }) => (foreignCores === undefined ? [] : [foreignCores]));
  return values.length === 0
    ? 'Other processes: not known on this system'
    : `Other processes meanwhile kept ${spread(values, 2)} cores busy`;
}

/** A Markdown table. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
