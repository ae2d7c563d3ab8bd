import type { RequestContext } from '../../context.ts';
import type { Handlers } from '../../jobs/handlers.ts';
import type { MessageOf } from '../../jobs/messages.ts';
import { encodeId } from '../../shared/ids.ts';
import { findStreamNews } from '../broadcasts/index.ts';
import { findReplacementFailure, findVideoNews } from '../videos/index.ts';
import { deliverDue } from './usecases/deliver-due.ts';
import { notifyCreator } from './usecases/notify-creator.ts';

type VideoNews = 'video.progressed' | 'video.published' | 'video.failed' | 'video.replaced';

// A video that was deleted since has no news but that.
const tellOfVideo = (ctx: RequestContext, { id, type, occurred_at, data }: MessageOf<VideoNews>) =>
  notifyCreator(ctx, {
    id,
    userId: data.owner_id,
    type,
    occurredAt: occurred_at,
    data: () => findVideoNews(ctx, data.video_id, data.owner_id),
  });

const tellOfStream = (
  ctx: RequestContext,
  { id, type, occurred_at, data }: MessageOf<'stream.started' | 'stream.ended'>,
) =>
  notifyCreator(ctx, {
    id,
    userId: data.owner_id,
    type,
    occurredAt: occurred_at,
    data: () => findStreamNews(ctx, data.stream_id, data.owner_id),
  });

/** The end of a file that was to replace another is news of the video its owner knows, which stays as it is. */
async function tellOfFailure(ctx: RequestContext, message: MessageOf<'video.failed'>): Promise<void> {
  const { id, occurred_at, data } = message;
  const replacement = await findReplacementFailure(ctx, data.video_id);
  if (replacement === undefined) return tellOfVideo(ctx, message);
  await notifyCreator(ctx, {
    id,
    userId: data.owner_id,
    type: 'video.replacement_failed',
    occurredAt: occurred_at,
    data: async () => replacement,
  });
}

/** Repeating them changes nothing: an endpoint gets one delivery of an event, and deliveries are attempted when they are due. */
export const webhookEndpointHandlers: Handlers = {
  'video.progressed': tellOfVideo,
  'video.published': tellOfVideo,
  'video.failed': tellOfFailure,
  'video.replaced': tellOfVideo,
  'stream.started': tellOfStream,
  'stream.ended': tellOfStream,
  'video.deleted': (ctx, { id, type, occurred_at, data }) =>
    notifyCreator(ctx, {
      id,
      userId: data.owner_id,
      type,
      occurredAt: occurred_at,
      data: async () => ({ video_id: encodeId('video', data.video_id) }),
    }),
  'upload.progressed': (ctx, { id, type, occurred_at, data }) =>
    notifyCreator(ctx, {
      id,
      userId: data.owner_id,
      type,
      occurredAt: occurred_at,
      data: async () => ({
        upload_id: encodeId('upload', data.upload_id),
        video_id: encodeId('video', data.video_id),
        percent: data.percent,
      }),
    }),
  'webhooks.due': (ctx, { data }) => deliverDue(ctx, data.endpoint_id),
};
