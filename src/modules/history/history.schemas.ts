import { z } from '@hono/zod-openapi';
import { pageOf } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';
import { userSummarySchema } from '../users/index.ts';
import { videoSummarySchema } from '../videos/index.ts';

const maxPositionMs = 7 * 86_400_000;

/** Named apart from `video_id`: it names an entry of the caller's own history, whoever's the video is. */
export const watchedVideoParams = z.strictObject({ watched_video_id: idSchema('video') });
export const positionVideoParams = z.strictObject({ video_id: idSchema('video') });

export const savePositionBody = z
  .strictObject({ position_ms: z.int().min(0).max(maxPositionMs) })
  .openapi('SavePosition');

export const historySettingsSchema = z
  .strictObject({
    paused: z.boolean().openapi({ description: 'While set, nothing enters the history.' }),
  })
  .openapi('HistorySettings');

const progress = {
  video_id: z.string(),
  position_ms: z.int().openapi({ description: 'Where watching stopped.' }),
  resume_ms: z.int().openapi({ description: 'Where to go on: 0 for a film that was seen to the end.' }),
  duration_ms: z.int().nullable(),
  completed: z.boolean(),
  watched_at: z.iso.datetime(),
};

export const progressSchema = z.object(progress).openapi('WatchProgress');

export const historyEntrySchema = z
  .object({
    ...progress,
    video: videoSummarySchema
      .nullable()
      .openapi({ description: 'Null for a video you may not see any more.' }),
    channel: userSummarySchema.nullable(),
  })
  .openapi('HistoryEntry');

export const historyPageSchema = pageOf(historyEntrySchema).openapi('HistoryPage');

export const historyPositionSchema = z.strictObject({ since: z.iso.datetime(), id: z.uuid() });
export type HistoryPosition = z.infer<typeof historyPositionSchema>;
