import { z } from '@hono/zod-openapi';

const videoId = z.string().openapi({ example: 'vid_01jng6r1tn7qavpmv6x4qfjsyc' });
const uploadId = z.string().openapi({ example: 'upl_01jng6r1tn7qavpmv6x4qfjsyc' });
const failure = z.strictObject({ code: z.string(), message: z.string(), retryable: z.boolean() });

// What else is known of a video by then is not part of the payload.
const videoNews = z.object({
  video_id: videoId,
  title: z.string(),
  state: z.enum(['uploading', 'scanning', 'probing', 'transcoding', 'published', 'failed']),
  progress_percent: z.int().min(0).max(100),
  phase: z.string().nullable(),
  failure: failure.nullable(),
});

const streamNews = z.strictObject({
  stream_id: z.string().openapi({ example: 'str_01jng6r1tn7qavpmv6x4qfjsyc' }),
  owner_id: z.string(),
  title: z.string(),
  state: z.enum(['scheduled', 'live', 'ended', 'failed', 'canceled']),
  started_at: z.iso.datetime().nullable(),
  ended_at: z.iso.datetime().nullable(),
  video_id: videoId.nullable(),
});

/**
 * THE registry of events users can be told of: what happened, and the `data` of the payload. A new type is a line here, and a
 * line in webhook-endpoints.handlers.ts or a call of `notifyCreator` where it happens.
 */
export const webhookEvents = {
  'video.progressed': {
    doc: 'A video of yours has come further on its way to being published.',
    data: videoNews,
  },
  'video.published': { doc: 'A video of yours is published.', data: videoNews },
  'video.failed': { doc: 'A video of yours could not be published; `failure` says why.', data: videoNews },
  'video.replaced': { doc: 'A video of yours is played from its new file.', data: videoNews },
  'video.replacement_failed': {
    doc: 'The new file of a video of yours could not be used; `failure` says why. The video stays as it is.',
    data: z.strictObject({ video_id: videoId, title: z.string(), upload_id: uploadId.nullable(), failure }),
  },
  'video.deleted': { doc: 'A video of yours was deleted.', data: z.strictObject({ video_id: videoId }) },
  'stream.started': { doc: 'A stream of yours is live.', data: streamNews },
  'stream.ended': { doc: 'A stream of yours is over.', data: streamNews },
  'upload.progressed': {
    doc: 'A quarter, half, three quarters or all of a file has arrived.',
    data: z.strictObject({
      upload_id: uploadId,
      video_id: videoId,
      percent: z.int().min(0).max(100),
    }),
  },
} as const satisfies Readonly<Record<string, { readonly doc: string; readonly data: z.ZodType }>>;

export type WebhookEventType = keyof typeof webhookEvents;
export type WebhookEventData<T extends WebhookEventType> = z.input<(typeof webhookEvents)[T]['data']>;

export const webhookEventTypes = Object.keys(webhookEvents) as [WebhookEventType, ...WebhookEventType[]];

/** What the test button sends; nobody subscribes to it. */
export const testEventType = 'endpoint.test';
