import { csvOf } from '../../analytics/index.ts';
import type { ArchivedRow } from '../replay.repository.ts';

export type ExportFormat = 'ndjson' | 'csv';

const header = [
  'seq',
  'at',
  'offset_ms',
  'kind',
  'deleted',
  'message_id',
  'author_id',
  'username',
  'role',
  'text',
];

/** What stands before the first row. */
export const exportHead = (format: ExportFormat): string => (format === 'csv' ? csvOf([header]) : '');

/** Rows as lines of the file. */
export function exportLines(format: ExportFormat, rows: readonly ArchivedRow[]): string {
  if (format === 'csv') return csvOf(rows.map(cellsOf));
  return rows.map((row) => `${JSON.stringify(recordOf(row))}\n`).join('');
}

const timeOf = ({ atUs }: ArchivedRow): string => new Date(Math.round(atUs / 1_000)).toISOString();

const recordOf = (row: ArchivedRow) => ({
  seq: row.seq,
  at: timeOf(row),
  offset_ms: row.offsetMs,
  deleted: row.isDeleted,
  event: row.event,
});

function cellsOf(row: ArchivedRow): (string | number | null)[] {
  const { id, author, fragments } = row.event;
  return [
    row.seq,
    timeOf(row),
    row.offsetMs,
    row.kind,
    String(row.isDeleted),
    id ?? null,
    author?.id ?? null,
    author?.username ?? null,
    author?.role ?? null,
    fragments?.map(({ text }) => text).join('') ?? null,
  ];
}
