import { z } from '@hono/zod-openapi';

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
