import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { type DecisionRow, decisionColumns, toDecisionFacts, videoVisibleTo } from '../videos/index.ts';

interface WatchFacts {
  /** Null before it is known. */
  readonly durationMs: number | null;
  readonly views: number;
  readonly shards: number;
  /** The salt of the day in hex; null before it is made. */
  readonly salt: string | null;
}

/** What decides whether a viewer may play a video, with what a watch session of it needs; undefined when there is no such video. */
export async function findWatchedVideo(
  db: Db,
  query: { readonly videoId: string; readonly viewerId: string | undefined; readonly day: string },
) {
  const result = await db.execute(sql`
    SELECT ${decisionColumns(query.viewerId)}, video.duration_ms::float8 AS "durationMs",
      coalesce(counters.views, 0)::float8 AS views, coalesce(counters.view_shards, 1) AS shards,
      (SELECT encode(salt, 'hex') FROM view_salts WHERE day = ${query.day}::date) AS salt
    FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
      LEFT JOIN video_counters AS counters ON counters.video_id = video.id
    WHERE video.id = ${query.videoId}::uuid`);
  const [row] = result.rows as unknown as (DecisionRow & WatchFacts)[];
  return row === undefined ? undefined : toDecisionFacts(row, query.viewerId);
}

/** All views of a video this viewer may see; undefined when there is none. */
export async function findViewCount(
  db: Db,
  videoId: string,
  viewerId: string | undefined,
): Promise<{ readonly views: number; readonly shards: number } | undefined> {
  const result = await db.execute(sql`
    SELECT coalesce(counters.views, 0)::float8 AS views, coalesce(counters.view_shards, 1) AS shards
    FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
      LEFT JOIN video_counters AS counters ON counters.video_id = video.id
    WHERE video.id = ${videoId}::uuid AND ${videoVisibleTo(viewerId)}`);
  return result.rows[0] as { views: number; shards: number } | undefined;
}

/** Makes the salts of days that have none yet. @returns all of them that there are, by day. */
export async function makeSalts(
  db: Db,
  salts: readonly { readonly day: string; readonly salt: string }[],
): Promise<ReadonlyMap<string, string>> {
  const result = await db.execute(sql`
    WITH given AS (SELECT day, decode(salt, 'hex') AS salt FROM jsonb_to_recordset(${JSON.stringify(salts)}::jsonb) AS item (day date, salt text)),
    made AS (INSERT INTO view_salts (day, salt) SELECT day, salt FROM given ON CONFLICT DO NOTHING RETURNING day, salt)
    SELECT to_char(day, 'YYYY-MM-DD') AS day, encode(salt, 'hex') AS salt FROM made
    UNION ALL
    SELECT to_char(day, 'YYYY-MM-DD'), encode(view_salts.salt, 'hex') FROM view_salts JOIN given USING (day)
    WHERE NOT EXISTS (SELECT FROM made WHERE made.day = view_salts.day)`);
  const rows = result.rows as unknown as { readonly day: string; readonly salt: string }[];
  return new Map(rows.map(({ day, salt }) => [day, salt]));
}

/** Forgets the salts of days that are over; nothing hashed under them can be tried any more. */
export async function dropSalts(db: Db, beforeDay: string): Promise<number> {
  const result = await db.execute(sql`DELETE FROM view_salts WHERE day < ${beforeDay}::date`);
  return result.rowCount;
}
