import { z } from '@hono/zod-openapi';
import { pageOf } from '../../http/pagination.ts';
import { userSummarySchema } from '../users/index.ts';
import { videoSummarySchema } from './videos.schemas.ts';

export const ratings = ['like', 'dislike'] as const;
export type Rating = (typeof ratings)[number];

export const rateVideoBody = z.strictObject({ rating: z.enum(ratings) }).openapi('RateVideo');

export const ratingSchema = z
  .object({
    rating: z.enum(ratings).nullable(),
    like_count: z.int().openapi({ description: 'As it will be once all counters have caught up.' }),
  })
  .openapi('VideoRating');

export const likedVideoPageSchema = pageOf(
  z.object({ video: videoSummarySchema, owner: userSummarySchema, liked_at: z.iso.datetime() }),
).openapi('LikedVideoPage');

/** The last item of a page: when it was liked, and which it is. */
export const likedPositionSchema = z.strictObject({ since: z.iso.datetime(), id: z.uuid() });
export type LikedPosition = z.infer<typeof likedPositionSchema>;
