import { type SQL, sql } from 'drizzle-orm';
import { atomic, type Db } from '../../db/client.ts';
import { slotOf } from '../../db/slots.ts';
import { isCompleted } from './history.policy.ts';
import type { HistoryPosition } from './history.schemas.ts';
import type { ProgressRow } from './history.views.ts';

/** How far a user has come in a video, at a moment. */
export interface Progress {
  readonly userId: string;
  readonly videoId: string;
  readonly positionMs: number;
  readonly durationMs: number | null;
  /** RFC 3339. */
  readonly watchedAt: string;
}

// Every function takes the shard of the user.

/**
 * Keeps how far a user has come, unless something newer is known, the video was taken out of the history since, or nothing
 * of that moment is to enter it. Twice and in any order the outcome is the same.
 */
export async function saveProgress(shard: Db, progress: Progress): Promise<void> {
  const { userId, videoId, positionMs, durationMs, watchedAt } = progress;
  await shard.execute(sql`
    INSERT INTO watch_history (user_id, video_id, slot, position_ms, duration_ms, completed, watched_at)
    SELECT ${userId}::uuid, ${videoId}::uuid, ${slotOf(userId)}, ${positionMs}::bigint, ${durationMs}::bigint,
      ${isCompleted(positionMs, durationMs)}, ${watchedAt}::timestamptz
    WHERE NOT EXISTS (
      SELECT FROM watch_history_settings
      WHERE user_id = ${userId}::uuid AND (paused OR not_before >= ${watchedAt}::timestamptz))
    ON CONFLICT (user_id, video_id) DO UPDATE
      SET position_ms = excluded.position_ms, duration_ms = excluded.duration_ms, completed = excluded.completed,
        watched_at = excluded.watched_at, removed_at = NULL
      WHERE (watch_history.watched_at, watch_history.position_ms) < (excluded.watched_at, excluded.position_ms)
        AND (watch_history.removed_at IS NULL OR watch_history.removed_at < excluded.watched_at)`);
}

const progressColumns: SQL = sql`video_id AS "videoId", position_ms::float8 AS "positionMs", duration_ms::float8 AS "durationMs",
  completed, to_char(watched_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "watchedAt"`;

/** A page of what a user watched, latest first. */
export async function listProgress(
  shard: Db,
  userId: string,
  { after, limit }: { readonly after: HistoryPosition | undefined; readonly limit: number },
): Promise<ProgressRow[]> {
  const beyond =
    after === undefined
      ? sql`true`
      : sql`watched_at <= ${after.since}::timestamptz
          AND (watched_at < ${after.since}::timestamptz OR video_id > ${after.id}::uuid)`;
  const result = await shard.execute(sql`
    SELECT ${progressColumns} FROM watch_history
    WHERE user_id = ${userId}::uuid AND removed_at IS NULL AND ${beyond}
    ORDER BY watch_history.watched_at DESC, video_id LIMIT ${limit}`);
  return result.rows as unknown as ProgressRow[];
}

/** How far a user has come in one video. */
export async function findProgress(
  shard: Db,
  userId: string,
  videoId: string,
): Promise<ProgressRow | undefined> {
  const result = await shard.execute(sql`
    SELECT ${progressColumns} FROM watch_history
    WHERE user_id = ${userId}::uuid AND video_id = ${videoId}::uuid AND removed_at IS NULL`);
  return result.rows[0] as unknown as ProgressRow | undefined;
}

/** Takes a video out of the history. What is emptied stays, so that news from before does not bring it back. */
export async function removeProgress(
  shard: Db,
  userId: string,
  videoId: string,
  now: string,
): Promise<boolean> {
  const result = await shard.execute(sql`
    UPDATE watch_history SET removed_at = ${now}::timestamptz, position_ms = 0, duration_ms = NULL, completed = false
    WHERE user_id = ${userId}::uuid AND video_id = ${videoId}::uuid AND removed_at IS NULL RETURNING 1`);
  return result.rows.length > 0;
}

/** Empties the history; nothing watched before now enters it any more. */
export async function clearProgress(shard: Db, userId: string, now: string): Promise<void> {
  await atomic(shard, [
    shard.execute(sql`
      INSERT INTO watch_history_settings (user_id, slot, not_before)
      VALUES (${userId}::uuid, ${slotOf(userId)}, ${now}::timestamptz)
      ON CONFLICT (user_id) DO UPDATE
        SET not_before = greatest(watch_history_settings.not_before, excluded.not_before)`),
    shard.execute(sql`DELETE FROM watch_history WHERE user_id = ${userId}::uuid`),
  ]);
}

export async function findPaused(shard: Db, userId: string): Promise<boolean> {
  const result = await shard.execute(sql`
    SELECT paused FROM watch_history_settings WHERE user_id = ${userId}::uuid`);
  return result.rows[0]?.paused === true;
}

/** Pauses the history or goes on with it; what was watched in between does not enter it, however late it is heard of. */
export async function savePaused(shard: Db, userId: string, paused: boolean, now: string): Promise<void> {
  await shard.execute(sql`
    INSERT INTO watch_history_settings (user_id, slot, paused) VALUES (${userId}::uuid, ${slotOf(userId)}, ${paused})
    ON CONFLICT (user_id) DO UPDATE SET paused = excluded.paused,
      not_before = CASE WHEN watch_history_settings.paused AND NOT excluded.paused
        THEN greatest(watch_history_settings.not_before, ${now}::timestamptz) ELSE watch_history_settings.not_before END`);
}

/**
 * Deletes up to `limit` entries last watched before `watchedBefore`, or taken out before `removedBefore`.
 * @returns how many there were.
 */
export async function trimProgress(
  shard: Db,
  options: { readonly watchedBefore: string; readonly removedBefore: string; readonly limit: number },
): Promise<number> {
  const result = await shard.execute(sql`
    DELETE FROM watch_history WHERE ctid = ANY (ARRAY(
      (SELECT ctid FROM watch_history WHERE watched_at < ${options.watchedBefore}::timestamptz LIMIT ${options.limit})
      UNION ALL
      (SELECT ctid FROM watch_history WHERE removed_at < ${options.removedBefore}::timestamptz LIMIT ${options.limit})
    ))`);
  return result.rowCount;
}
