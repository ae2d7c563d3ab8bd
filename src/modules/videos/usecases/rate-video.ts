import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import type { Handlers } from '../../../jobs/handlers.ts';
import type { MessageData } from '../../../jobs/messages.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import {
  countRating,
  deleteRating,
  type LikedVideo,
  listLiked,
  upsertRating,
} from '../ratings.repository.ts';
import type { LikedPosition, Rating } from '../ratings.schemas.ts';
import { videoNotFound } from '../videos.errors.ts';

export interface RatingState {
  readonly rating: Rating | null;
  /** As it will be once the counter has caught up with this change. */
  readonly likes: number;
}

const likesAfter = (before: number, previous: Rating | null, now: Rating | null): number => {
  const likes = before + (now === 'like' ? 1 : 0) - (previous === 'like' ? 1 : 0);
  return Math.max(likes, now === 'like' ? 1 : 0);
};

/**
 * Rates a video; the same rating again changes nothing.
 * @throws videos.not_found
 */
export async function rateVideo(ctx: RequestContext, videoId: string, rating: Rating): Promise<RatingState> {
  const userId = requireViewerId(ctx);
  const events = { rated: newEvent(ctx, 'video.rated', {}), unrated: newEvent(ctx, 'video.unrated', {}) };
  const outcome = await upsertRating(ctx.databases.primary, { videoId, userId }, rating, events);
  if (!outcome.found) throw videoNotFound();
  publishAfterResponse(ctx, outcome.eventIds);
  return { rating, likes: likesAfter(outcome.likes, outcome.previous, rating) };
}

/**
 * Takes the caller's rating back.
 * @throws videos.not_found
 */
export async function unrateVideo(ctx: RequestContext, videoId: string): Promise<RatingState> {
  const userId = requireViewerId(ctx);
  const unrated = newEvent(ctx, 'video.unrated', {});
  const outcome = await deleteRating(ctx.databases.primary, { videoId, userId }, unrated);
  if (!outcome.found) throw videoNotFound();
  publishAfterResponse(ctx, outcome.eventIds);
  return { rating: null, likes: likesAfter(outcome.likes, outcome.previous, null) };
}

/** The videos the caller likes and may still see, latest liked first. */
export const listLikedVideos = (
  ctx: RequestContext,
  page: { readonly after: LikedPosition | undefined; readonly limit: number },
): Promise<LikedVideo[]> => listLiked(ctx.readDb, requireViewerId(ctx), page);

/** Keeps the like and dislike counts of videos. */
export const ratingHandlers: Handlers = {
  'video.rated': (ctx, { data }) => move(ctx, 'made', data),
  'video.unrated': (ctx, { data }) => move(ctx, 'undone', data),
};

const move = (ctx: RequestContext, kind: 'made' | 'undone', data: MessageData<'video.rated'>) =>
  countRating(
    ctx.databases.primary,
    kind,
    { id: data.rating_id, videoId: data.video_id, rating: data.rating },
    ctx.clock.now(),
  );
