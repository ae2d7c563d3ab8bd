import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { fromHex } from '../../shared/encoding.ts';
import type { DayRange, PartRow } from './analytics.policy.ts';

export interface WatchSums {
  readonly views: number;
  readonly plays: number;
  readonly watchMs: number;
  readonly completions: number;
  readonly startups: number;
  readonly startupMs: number;
  readonly rebufferMs: number;
  readonly errors: number;
}

export interface DaySums extends WatchSums {
  readonly day: string;
  /** Exact for one video; undefined for a channel, whose videos have viewers in common. */
  readonly viewers: number | undefined;
}

export interface Watched {
  readonly durationMs: number | null;
  readonly days: readonly DaySums[];
  readonly previous: WatchSums;
  readonly parts: readonly PartRow[];
  /** HyperLogLog registers of each day and video; undefined when there are more than `maxSketches`. */
  readonly sketches: readonly Uint8Array[] | undefined;
  readonly topVideos: readonly {
    readonly id: string;
    readonly title: string;
    readonly views: number;
    readonly watchMs: number;
  }[];
}

/** Whose watching is asked for: one video of an owner, or all of them. */
export interface Subject {
  readonly ownerId: string;
  readonly videoId?: string;
}

/** 800 KB of registers; more is no longer one quick query. */
const maxSketches = 400;

const mine = ({ ownerId, videoId }: Subject): SQL => sql`
  SELECT id, title, duration_ms FROM videos
  WHERE owner_id = ${ownerId}::uuid AND deleted_at IS NULL AND replaces_id IS NULL
    ${videoId === undefined ? sql`` : sql`AND id = ${videoId}::uuid`}`;

const sums = sql`coalesce(sum(views), 0)::float8 AS views, coalesce(sum(plays), 0)::float8 AS plays,
  coalesce(sum(watch_ms), 0)::float8 AS "watchMs", coalesce(sum(completions), 0)::float8 AS completions,
  coalesce(sum(startups), 0)::float8 AS startups, coalesce(sum(startup_ms), 0)::float8 AS "startupMs",
  coalesce(sum(rebuffer_ms), 0)::float8 AS "rebufferMs", coalesce(sum(errors), 0)::float8 AS errors`;

const within = (range: DayRange): SQL => sql`day BETWEEN ${range.from}::date AND ${range.to}::date`;

/** How a video, or everything of an owner, was watched; undefined when the owner has no such video. */
export async function findWatched(
  db: Db,
  subject: Subject,
  range: DayRange,
  previous: DayRange,
): Promise<Watched | undefined> {
  const result = await db.execute(sql`
    WITH mine AS (${mine(subject)}),
    watched AS (SELECT days.* FROM video_view_days AS days JOIN mine ON mine.id = days.video_id WHERE ${within(range)}),
    by_day AS (
      SELECT to_char(day, 'YYYY-MM-DD') AS day, sum(viewers)::float8 AS viewers, ${sums} FROM watched GROUP BY day
    ), before AS (
      SELECT ${sums} FROM video_view_days AS days JOIN mine ON mine.id = days.video_id WHERE ${within(previous)}
    ), by_part AS (
      SELECT dimension, value, sum(views)::float8 AS views, sum(plays)::float8 AS plays, sum(watch_ms)::float8 AS "watchMs",
        sum(errors)::float8 AS errors
      FROM video_view_parts AS parts JOIN mine ON mine.id = parts.video_id WHERE ${within(range)}
      GROUP BY dimension, value
    ), top AS (
      SELECT mine.id, mine.title, sum(views)::float8 AS views, sum(watch_ms)::float8 AS "watchMs"
      FROM watched JOIN mine ON mine.id = watched.video_id GROUP BY mine.id, mine.title
      ORDER BY sum(views) DESC, mine.id LIMIT 10
    )
    SELECT (SELECT count(*) FROM mine)::int AS count, (SELECT max(duration_ms) FROM mine)::float8 AS "durationMs",
      (SELECT coalesce(json_agg(by_day ORDER BY day), '[]') FROM by_day) AS days,
      (SELECT to_json(before) FROM before) AS previous,
      (SELECT coalesce(json_agg(by_part), '[]') FROM by_part) AS parts,
      (SELECT coalesce(json_agg(top ORDER BY views DESC), '[]') FROM top) AS "topVideos",
      (SELECT count(*) FROM watched WHERE viewers_sketch IS NOT NULL)::int AS "sketchCount",
      (SELECT coalesce(json_agg(encode(viewers_sketch, 'hex')), '[]') FROM watched
        WHERE viewers_sketch IS NOT NULL
          AND (SELECT count(*) FROM watched WHERE viewers_sketch IS NOT NULL) <= ${maxSketches}) AS sketches`);
  const row = result.rows[0] as
    | (Omit<Watched, 'sketches'> & { count: number; sketchCount: number; sketches: readonly string[] })
    | undefined;
  if (row === undefined || (subject.videoId !== undefined && row.count === 0)) return undefined;
  const { count: _, sketchCount, sketches, days, ...rest } = row;
  return {
    ...rest,
    days: subject.videoId === undefined ? days.map((day) => ({ ...day, viewers: undefined })) : days,
    sketches: sketchCount > maxSketches ? undefined : sketches.map(fromHex),
  };
}

/** For each hundredth of a video the sum of the shares watched, in millionths; undefined when the owner has no such video. */
export async function findRetention(
  db: Db,
  subject: Subject & { readonly videoId: string },
  range: DayRange,
): Promise<
  | { readonly durationMs: number | null; readonly plays: number; readonly millionths: readonly number[] }
  | undefined
> {
  const result = await db.execute(sql`
    WITH mine AS (${mine(subject)}),
    watched AS (SELECT plays, retention FROM video_view_days AS days JOIN mine ON mine.id = days.video_id WHERE ${within(range)})
    SELECT mine.duration_ms::float8 AS "durationMs",
      (SELECT coalesce(sum(plays), 0) FROM watched)::float8 AS plays,
      (SELECT coalesce(json_agg(share ORDER BY bucket), '[]') FROM (
        SELECT bucket, sum(share)::float8 AS share
        FROM watched, unnest(watched.retention) WITH ORDINALITY AS item (share, bucket) GROUP BY bucket
      ) AS buckets) AS millionths
    FROM mine`);
  return result.rows[0] as
    | { durationMs: number | null; plays: number; millionths: readonly number[] }
    | undefined;
}

export interface Minute {
  /** RFC 3339. */
  readonly minute: string;
  readonly views: number;
  readonly watchMs: number;
}

/** The minutes after `sinceMs` in which something was watched; undefined when the owner has no such video. */
export async function findMinutes(
  db: Db,
  subject: Subject,
  sinceMs: number,
): Promise<readonly Minute[] | undefined> {
  const result = await db.execute(sql`
    WITH mine AS (${mine(subject)}),
    by_minute AS (
      SELECT to_char(minute AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS minute, sum(views)::float8 AS views,
        sum(watch_ms)::float8 AS "watchMs"
      FROM video_view_minutes AS minutes JOIN mine ON mine.id = minutes.video_id
      WHERE minute > to_timestamp(${sinceMs}::float8 / 1000)
      GROUP BY minute
    )
    SELECT (SELECT count(*) FROM mine)::int AS count,
      (SELECT coalesce(json_agg(by_minute ORDER BY minute), '[]') FROM by_minute) AS minutes`);
  const row = result.rows[0] as { count: number; minutes: readonly Minute[] } | undefined;
  return row === undefined || (subject.videoId !== undefined && row.count === 0) ? undefined : row.minutes;
}
