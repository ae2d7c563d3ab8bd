import { z } from '@hono/zod-openapi';
import { plainText } from '../../shared/text.ts';

export const sessionSchema = z
  .object({
    session_id: z.string(),
    started_at: z.iso.datetime(),
    ended_at: z.iso.datetime().nullable(),
    failure_code: z.string().nullable(),
  })
  .openapi('StreamSession');

export const sessionListSchema = z.object({ data: z.array(sessionSchema) }).openapi('StreamSessionList');

export const healthSchema = z
  .object({
    session: sessionSchema,
    video: z
      .object({
        codec: z.string().nullable(),
        encoder: z.string().nullable(),
        width: z.int().nullable(),
        height: z.int().nullable(),
        frame_rate: z.number().nullable(),
        bitrate: z.int().nullable().openapi({ description: 'Bits a second the encoder means to send.' }),
      })
      .nullable(),
    audio: z
      .object({
        codec: z.string().nullable(),
        channels: z.int().nullable(),
        sample_rate: z.int().nullable(),
        bitrate: z.int().nullable(),
      })
      .nullable(),
    starvations: z.int().openapi({ description: 'How often less came than viewers need.' }),
    events: z
      .array(z.object({ name: z.string(), at: z.iso.datetime(), code: z.string().nullable() }))
      .openapi({ description: 'What happened in the broadcast, newest first.' }),
  })
  .openapi('StreamHealth');

export const createMarkerBody = z
  .strictObject({
    title: plainText({ min: 1, max: 100 }),
    at: z.iso
      .datetime({ offset: true })
      .max(64)
      .optional()
      .openapi({ description: 'Now, if it is not given.' }),
  })
  .openapi('CreateStreamMarker');

export const markerSchema = z
  .object({ id: z.string(), title: z.string(), at: z.iso.datetime() })
  .openapi('StreamMarker');

export const markerListSchema = z.object({ data: z.array(markerSchema) }).openapi('StreamMarkerList');

export const clipStreamBody = z
  .strictObject({
    seconds: z.int().min(5).max(90).default(30).openapi({ description: 'How much of what was just shown.' }),
    title: plainText({ min: 1, max: 100 })
      .optional()
      .openapi({ description: 'That of the stream, if it is not given.' }),
  })
  .openapi('ClipStream');

export const streamClipSchema = z
  .object({ video_id: z.string().openapi({ description: 'The video, of the owner of the stream.' }) })
  .openapi('StreamClip');
