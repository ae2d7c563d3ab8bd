import type pg from 'pg';
import { sealedColumns } from '../../src/db/sealed-columns.ts';
import { type EnvelopeKeys, open, seal } from './envelope.ts';

export interface ReencryptReport {
  /** Sealed anew under the current key. */
  readonly changed: number;
  /** Still sealed under an older key when all was done, such as what appeared meanwhile. */
  readonly left: number;
  /** Places whose value opens under none of the keys. */
  readonly unreadable: readonly string[];
}

const batchSize = 500;

/**
 * Seals every value under the current key that is sealed under an older one. Safe beside a running system: a value is only
 * replaced while it still is the one that was read. May be stopped and run again at any time.
 * @param client connected as the owner or the application.
 */
export async function reencrypt(
  client: pg.Client,
  keys: EnvelopeKeys,
  options: {
    readonly dryRun?: boolean;
    readonly onProgress?: (done: number, total: number) => void;
  } = {},
): Promise<ReencryptReport> {
  const total = await countOutdated(client, keys.currentVersion);
  if (options.dryRun === true) return { changed: 0, left: total, unreadable: [] };
  let changed = 0;
  let seen = 0;
  const unreadable: string[] = [];
  for (const { table, column, rowId, sealedFor } of sealedColumns) {
    let after = '00000000-0000-0000-0000-000000000000';
    for (;;) {
      const { rows } = await client.query<{ id: string; sealed: Buffer }>(
        `SELECT ${rowId}::text AS id, ${column} AS sealed FROM ${table}
         WHERE ${rowId} > $1 AND get_byte(${column}, 0) <> $2 ORDER BY ${rowId} LIMIT ${batchSize}`,
        [after, keys.currentVersion],
      );
      for (const { id, sealed } of rows) {
        const place = { ...(sealedFor ?? { table, column }), rowId: id };
        const value = await open(keys, new Uint8Array(sealed), place);
        if (value === undefined) unreadable.push(`${table}.${column} of ${id}`);
        else {
          const { rowCount } = await client.query(
            `UPDATE ${table} SET ${column} = $1 WHERE ${rowId} = $2 AND ${column} = $3`,
            [Buffer.from(await seal(keys, value, place)), id, sealed],
          );
          changed += rowCount ?? 0;
        }
        after = id;
      }
      seen += rows.length;
      options.onProgress?.(seen, total);
      if (rows.length < batchSize) break;
    }
  }
  return { changed, left: await countOutdated(client, keys.currentVersion), unreadable };
}

async function countOutdated(client: pg.Client, currentVersion: number): Promise<number> {
  const counts = sealedColumns.map(
    ({ table, column }) => `(SELECT count(*) FROM ${table} WHERE get_byte(${column}, 0) <> $1)`,
  );
  const { rows } = await client.query<{ n: number }>(`SELECT (${counts.join(' + ')})::float8 AS n`, [
    currentVersion,
  ]);
  return rows[0]?.n ?? 0;
}
