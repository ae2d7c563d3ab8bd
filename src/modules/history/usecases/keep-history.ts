import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import type { Handlers } from '../../../jobs/handlers.ts';
import { videoNotFound } from '../../videos/index.ts';
import { historyEntryNotFound } from '../history.errors.ts';
import {
  clearProgress,
  findPaused,
  findProgress,
  listProgress,
  removeProgress,
  savePaused,
  saveProgress,
  trimProgress,
} from '../history.repository.ts';
import type { HistoryPosition } from '../history.schemas.ts';
import type { ProgressRow, WatchedVideo } from '../history.views.ts';
import { findDuration, findWatched } from '../watched.repository.ts';

const dayMs = 86_400_000;
// Longer than any queue keeps a message that could bring an entry back.
const removedDays = 14;
const trimBatch = 5_000;
const maxTrimBatches = 200;

const isoOf = (unixMs: number): string => new Date(unixMs).toISOString();
const nowOf = (ctx: RequestContext): string => isoOf(ctx.clock.now());

export interface HistoryPage {
  readonly entries: readonly ProgressRow[];
  /** What is known of the videos the caller may still see, by id. */
  readonly watched: ReadonlyMap<string, WatchedVideo>;
}

/** What the caller watched, latest first. Two round trips: the entries on the caller's shard, then the videos. */
export async function readHistory(
  ctx: RequestContext,
  page: { readonly after: HistoryPosition | undefined; readonly limit: number },
): Promise<HistoryPage> {
  const userId = requireViewerId(ctx);
  const entries = await listProgress(ctx.databases.shardOf(userId), userId, page);
  const videoIds = entries.map(({ videoId }) => videoId);
  const watched = videoIds.length === 0 ? new Map() : await findWatched(ctx.readDb, videoIds, userId);
  return { entries, watched };
}

/**
 * Where the caller stopped watching a video.
 * @throws history.not_found
 */
export async function readProgress(ctx: RequestContext, videoId: string): Promise<ProgressRow> {
  const userId = requireViewerId(ctx);
  const entry = await findProgress(ctx.databases.shardOf(userId), userId, videoId);
  if (entry === undefined) throw historyEntryNotFound();
  return entry;
}

/**
 * Keeps where the caller has come to in a video, at most its end. Changes nothing while the history is paused.
 * @throws videos.not_found
 */
export async function savePosition(ctx: RequestContext, videoId: string, positionMs: number): Promise<void> {
  const userId = requireViewerId(ctx);
  const durationMs = await findDuration(ctx.readDb, videoId, userId);
  if (durationMs === undefined) throw videoNotFound();
  await saveProgress(ctx.databases.shardOf(userId), {
    userId,
    videoId,
    positionMs: Math.min(positionMs, durationMs ?? positionMs),
    durationMs,
    watchedAt: nowOf(ctx),
  });
}

/**
 * Takes a video out of the caller's history.
 * @throws history.not_found
 */
export async function forgetProgress(ctx: RequestContext, videoId: string): Promise<void> {
  const userId = requireViewerId(ctx);
  const removed = await removeProgress(ctx.databases.shardOf(userId), userId, videoId, nowOf(ctx));
  if (!removed) throw historyEntryNotFound();
}

/** Empties the caller's history. */
export async function clearHistory(ctx: RequestContext): Promise<void> {
  const userId = requireViewerId(ctx);
  await clearProgress(ctx.databases.shardOf(userId), userId, nowOf(ctx));
}

export async function getHistorySettings(ctx: RequestContext): Promise<{ readonly paused: boolean }> {
  const userId = requireViewerId(ctx);
  return { paused: await findPaused(ctx.databases.shardOf(userId), userId) };
}

/** Pauses the caller's history, or goes on with it. */
export async function setHistorySettings(
  ctx: RequestContext,
  { paused }: { readonly paused: boolean },
): Promise<{ readonly paused: boolean }> {
  const userId = requireViewerId(ctx);
  await savePaused(ctx.databases.shardOf(userId), userId, paused, nowOf(ctx));
  return { paused };
}

/**
 * Deletes what was last watched longer than `HISTORY_RETENTION_DAYS` ago, and what is left of entries taken out, shard by shard in
 * bounded steps.
 * @returns how many entries were deleted.
 */
export async function trimHistories(ctx: RequestContext): Promise<number> {
  const nowMs = ctx.clock.now();
  const watchedBefore = isoOf(nowMs - ctx.config.history.retentionDays * dayMs);
  const removedBefore = isoOf(nowMs - removedDays * dayMs);
  let total = 0;
  for (const { role, db } of ctx.databases.all) {
    if (!role.startsWith('shard_')) continue;
    for (let batch = 0; batch < maxTrimBatches; batch += 1) {
      const deleted = await trimProgress(db, { watchedBefore, removedBefore, limit: trimBatch });
      total += deleted;
      if (deleted < trimBatch) break;
    }
  }
  ctx.log.log('info', 'histories.trimmed', { entries: total });
  return total;
}

/** Fills histories from what players report. */
export const historyHandlers: Handlers = {
  'watch.progressed': (ctx, { data }) =>
    saveProgress(ctx.databases.shardOf(data.user_id), {
      userId: data.user_id,
      videoId: data.video_id,
      positionMs: Math.min(data.position_ms, data.duration_ms),
      durationMs: data.duration_ms,
      watchedAt: isoOf(Math.min(Date.parse(data.watched_at), ctx.clock.now())),
    }),
};
