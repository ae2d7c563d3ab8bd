import { z } from '@hono/zod-openapi';
import { idSchema } from '../../http/params.ts';

export const maxWindowMs = 60_000;

const ms = z
  .string()
  .regex(/^(0|[1-9]\d{0,9})$/, 'must be a number of milliseconds')
  .transform(Number);

export const replayParams = z.strictObject({ video_id: idSchema('video') });

export const replayQuery = z
  .strictObject({
    from_ms: ms.default(0).openapi({ type: 'string', description: 'From the beginning of the video on.' }),
    to_ms: ms.optional().openapi({
      type: 'string',
      description: 'Not included; at most, and without it, 60,000 after `from_ms`.',
    }),
    limit: z
      .string()
      .regex(/^[1-9]\d{0,2}$/)
      .transform(Number)
      .refine((limit) => limit <= 500, 'must be 500 at most')
      .default(200)
      .openapi({ type: 'string' }),
    cursor: z
      .string()
      .min(1)
      .max(1_024)
      .optional()
      .openapi({ description: '`next_cursor` of the page before.' }),
  })
  .transform((query) => ({ ...query, to_ms: query.to_ms ?? query.from_ms + maxWindowMs }))
  .refine(({ from_ms, to_ms }) => to_ms > from_ms && to_ms <= from_ms + maxWindowMs, {
    path: ['to_ms'],
    message: 'must be after from_ms, by 60,000 at most',
  });

export const replayPositionSchema = z.object({ atUs: z.number(), seq: z.number() });

export const replaySchema = z
  .object({
    is_recording: z.boolean().openapi({ description: 'False for videos that were never live.' }),
    events: z.array(
      z.object({
        offset_ms: z.int().openapi({ description: 'From the beginning of the video on.' }),
        seq: z.int(),
        event: z.looseObject({ type: z.string() }).openapi({
          description:
            'As in the frames of the room (`/v1/chat/asyncapi.json`): `message`, `announcement`, `pinned` or `poll`.',
        }),
      }),
    ),
    next_cursor: z.string().nullable(),
  })
  .openapi('ChatReplay');

export type ReplayView = z.infer<typeof replaySchema>;

export const exportQuery = z.strictObject({ format: z.enum(['ndjson', 'csv']).default('ndjson') });
