import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { fromBase64 } from '../../shared/encoding.ts';
import { type DayRange, maxVideoDays, type PartRow } from './analytics.policy.ts';

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
  /** Different viewers, exact; null where several videos were watched, which may have viewers in common. */
  readonly viewers: number | null;
}

export interface DaySketch {
  readonly day: string;
  /** HyperLogLog registers of the viewers of one video, or of all of a channel. */
  readonly sketch: Uint8Array;
}

export interface Watched {
  readonly durationMs: number | null;
  /** When what is not read from the rows of the videos was added up; null where all of it is. */
  readonly addedUpAt: string | null;
  readonly days: readonly DaySums[];
  readonly previous: WatchSums;
  readonly parts: readonly PartRow[];
  /** One at least for each day of which viewers are known. */
  readonly sketches: readonly DaySketch[];
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

const mine = ({ ownerId, videoId }: Subject): SQL => sql`
  SELECT id, title, duration_ms FROM videos
  WHERE owner_id = ${ownerId}::uuid AND deleted_at IS NULL AND replaces_id IS NULL
    ${videoId === undefined ? sql`` : sql`AND id = ${videoId}::uuid`}`;

const sums = sql`coalesce(sum(views), 0)::float8 AS views, coalesce(sum(plays), 0)::float8 AS plays,
  coalesce(sum(watch_ms), 0)::float8 AS "watchMs", coalesce(sum(completions), 0)::float8 AS completions,
  coalesce(sum(startups), 0)::float8 AS startups, coalesce(sum(startup_ms), 0)::float8 AS "startupMs",
  coalesce(sum(rebuffer_ms), 0)::float8 AS "rebufferMs", coalesce(sum(errors), 0)::float8 AS errors`;

const within = (range: DayRange): SQL => sql`day BETWEEN ${range.from}::date AND ${range.to}::date`;

// From `raw_from` on the rows of the videos, before it those of the channel. One video never has so many days that it mattered.
const rowsOf = ({ ownerId }: Subject, range: DayRange): SQL => sql`(
  SELECT day, 1 AS videos, viewers, views, plays, watch_ms, completions, startups, startup_ms, rebuffer_ms, errors
  FROM video_view_days AS days JOIN mine ON mine.id = days.video_id
  WHERE ${within(range)} AND day >= (SELECT raw_from FROM reach)
  UNION ALL
  SELECT day, videos, viewers, views, plays, watch_ms, completions, startups, startup_ms, rebuffer_ms, errors
  FROM channel_view_days WHERE owner_id = ${ownerId}::uuid AND ${within(range)} AND day < (SELECT raw_from FROM reach)
)`;

const partsOf = ({ ownerId }: Subject, range: DayRange): SQL => sql`(
  SELECT dimension, value, views, plays, watch_ms, errors
  FROM video_view_parts AS parts JOIN mine ON mine.id = parts.video_id
  WHERE ${within(range)} AND day >= (SELECT raw_from FROM reach)
  UNION ALL
  SELECT dimension, value, views, plays, watch_ms, errors
  FROM channel_view_parts WHERE owner_id = ${ownerId}::uuid AND ${within(range)} AND day < (SELECT raw_from FROM reach)
)`;

/** How a video, or everything of an owner, was watched; undefined when the owner has no such video. */
export async function findWatched(
  db: Db,
  subject: Subject,
  range: DayRange,
  previous: DayRange,
): Promise<Watched | undefined> {
  const { ownerId } = subject;
  const result = await db.execute(sql`
    WITH mine AS (${mine(subject)}),
    size AS (
      SELECT count(*) > ${maxVideoDays} AS large FROM (
        SELECT FROM video_view_days AS days JOIN mine ON mine.id = days.video_id WHERE ${within(range)} LIMIT ${maxVideoDays + 1}
      ) AS counted
    ), reach AS MATERIALIZED (
      SELECT large, viewers_at, CASE WHEN large THEN coalesce(live_from, '-infinity') ELSE '-infinity' END AS raw_from
      FROM size LEFT JOIN channel_view_refresh ON true
    ),
    by_day AS (
      SELECT to_char(day, 'YYYY-MM-DD') AS day, CASE WHEN sum(videos) = 1 THEN max(viewers)::float8 END AS viewers, ${sums}
      FROM ${rowsOf(subject, range)} AS watched GROUP BY day
    ), before AS (
      SELECT ${sums} FROM ${rowsOf(subject, previous)} AS watched
    ), by_part AS (
      SELECT dimension, value, sum(views)::float8 AS views, sum(plays)::float8 AS plays, sum(watch_ms)::float8 AS "watchMs",
        sum(errors)::float8 AS errors
      FROM ${partsOf(subject, range)} AS parts GROUP BY dimension, value
    ), top AS (
      SELECT mine.id, mine.title, sum(views)::float8 AS views, sum(watch_ms)::float8 AS "watchMs"
      FROM video_view_days AS days JOIN mine ON mine.id = days.video_id WHERE ${within(range)} GROUP BY mine.id, mine.title
      ORDER BY sum(views) DESC, mine.id LIMIT 10
    ), sketches AS (
      SELECT day, viewers_sketch FROM video_view_days AS days JOIN mine ON mine.id = days.video_id
      WHERE ${within(range)} AND NOT (SELECT large FROM reach)
      UNION ALL
      SELECT day, viewers_sketch FROM channel_view_sketches
      WHERE owner_id = ${ownerId}::uuid AND ${within(range)} AND (SELECT large FROM reach)
    )
    SELECT (SELECT count(*) FROM mine)::int AS count, (SELECT max(duration_ms) FROM mine)::float8 AS "durationMs",
      (SELECT to_char(viewers_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM reach WHERE large) AS "addedUpAt",
      (SELECT coalesce(json_agg(by_day ORDER BY day), '[]') FROM by_day) AS days,
      (SELECT to_json(before) FROM before) AS previous,
      (SELECT coalesce(json_agg(by_part), '[]') FROM by_part) AS parts,
      (SELECT coalesce(json_agg(top ORDER BY views DESC), '[]') FROM top) AS "topVideos",
      (SELECT coalesce(json_agg(json_build_object('day', day, 'sketch', coalesce(encode(viewers_sketch, 'base64'), ''))), '[]')
        FROM sketches) AS sketches`);
  const row = result.rows[0] as
    | (Omit<Watched, 'sketches'> & {
        count: number;
        sketches: readonly { readonly day: string; readonly sketch: string }[];
      })
    | undefined;
  if (row === undefined || (subject.videoId !== undefined && row.count === 0)) return undefined;
  const { count: _, sketches, ...rest } = row;
  return { ...rest, sketches: sketches.map(({ day, sketch }) => ({ day, sketch: fromBase64(sketch) })) };
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
