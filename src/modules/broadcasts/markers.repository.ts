import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { streamVisibleTo } from '../streams/index.ts';
import { instant } from './life.repository.ts';

export const maxMarkers = 100;

export interface MarkerRow {
  readonly id: string;
  readonly title: string;
  readonly at: string;
}

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/**
 * The condition that somebody is the owner of a stream, or a moderator of theirs who may see it, for a statement with
 * `streams AS stream` and `users AS owner`.
 */
const runBy = (userId: string): SQL => sql`(stream.owner_id = ${userId}::uuid OR (
  EXISTS (
    SELECT FROM chat_roles AS given
    WHERE given.owner_id = stream.owner_id AND given.user_id = ${userId}::uuid AND given.role = 'moderator')
  AND ${streamVisibleTo(userId)}))`;

/**
 * Marks a moment of a live stream, now without `atMs`. Undefined when the author does not run such a stream.
 */
export async function insertMarker(
  db: Db,
  marker: {
    readonly id: string;
    readonly streamId: string;
    readonly authorId: string;
    readonly title: string;
    /** Unix milliseconds. */
    readonly atMs: number | undefined;
  },
): Promise<MarkerRow | 'not_live' | 'too_many' | 'outside' | undefined> {
  const at = marker.atMs === undefined ? sql`now()` : instant(marker.atMs);
  const result = await db.execute(sql`
    WITH stream AS (
      SELECT stream.* FROM streams AS stream JOIN users AS owner ON owner.id = stream.owner_id
      WHERE stream.id = ${marker.streamId}::uuid AND ${runBy(marker.authorId)} FOR UPDATE OF stream
    ), judged AS (
      SELECT id, CASE
        WHEN state <> 'live' THEN 'not_live'
        WHEN ${at} NOT BETWEEN started_at AND now() THEN 'outside'
        WHEN (SELECT count(*) FROM stream_markers WHERE stream_id = stream.id) >= ${maxMarkers} THEN 'too_many'
      END AS problem FROM stream
    ), marker AS (
      INSERT INTO stream_markers (id, stream_id, author_id, title, at)
      SELECT ${marker.id}::uuid, id, ${marker.authorId}::uuid, ${marker.title}, ${at} FROM judged WHERE problem IS NULL
      ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING *
    )
    SELECT judged.problem, marker.id, marker.title, ${utc(sql`marker.at`)} AS at FROM judged LEFT JOIN marker ON true`);
  const row = result.rows[0] as
    | (MarkerRow & { problem: 'not_live' | 'too_many' | 'outside' | null })
    | undefined;
  return row?.problem ?? row;
}

/** The marked moments of a stream somebody runs, in their order; undefined when they run no such stream. */
export async function listMarkers(
  db: Db,
  streamId: string,
  userId: string,
): Promise<MarkerRow[] | undefined> {
  const result = await db.execute(sql`
    SELECT marker.id, marker.title, ${utc(sql`marker.at`)} AS at
    FROM streams AS stream JOIN users AS owner ON owner.id = stream.owner_id
    LEFT JOIN stream_markers AS marker ON marker.stream_id = stream.id
    WHERE stream.id = ${streamId}::uuid AND ${runBy(userId)} ORDER BY marker.at, marker.id`);
  const rows = result.rows as unknown as (MarkerRow | { readonly id: null })[];
  return rows.length === 0 ? undefined : rows.filter((row): row is MarkerRow => row.id !== null);
}
