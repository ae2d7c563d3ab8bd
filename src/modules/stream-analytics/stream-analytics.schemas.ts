import { z } from '@hono/zod-openapi';
import { pageOf } from '../../http/pagination.ts';
import { userSummarySchema } from '../users/index.ts';

const mood = z.number().nullable().openapi({
  description:
    'Mean mood of the messages by a lexicon, from -1 (angry) to 1 (glad); null without messages. Other languages than English count by their emoji only.',
});

const audienceFields = {
  peak_viewers: z.int(),
  average_viewers: z
    .number()
    .nullable()
    .openapi({ description: 'Over the time in which anybody looked on, each moment weighing the same.' }),
  unique_viewers: z.int().openapi({
    description:
      'Different signed-in people, and connections of strangers. Those who came within the last minute may be missing.',
  }),
  signed_in_viewers: z.int(),
  joins: z.int(),
  leaves: z.int(),
  watch_seconds: z.number().openapi({
    description:
      'Time spent by all. What somebody saw in several tabs at once counts once; of those who are still there, up to ten minutes may be missing.',
  }),
  average_watch_seconds: z.number().nullable().openapi({ description: '`watch_seconds` for each viewer.' }),
  new_followers: z.int().openapi({ description: 'Who began to follow meanwhile, and still does.' }),
};

const chatFields = {
  messages: z.int(),
  chatters: z.int().openapi({ description: 'Different people who wrote; estimated by HyperLogLog.' }),
  chatters_error: z
    .number()
    .openapi({ description: 'Standard error of `chatters`, as a share of it.', example: 0.023 }),
  positive: z.int(),
  neutral: z.int(),
  negative: z.int(),
  mood,
};

const minute = z
  .object({
    minute: z.iso.datetime(),
    average_viewers: z.number(),
    peak_viewers: z.int(),
    messages: z.int(),
    chatters: z.int(),
    positive: z.int(),
    negative: z.int(),
    mood,
  })
  .openapi('StreamMinute');

const summaryFields = {
  stream_id: z.string(),
  title: z.string(),
  ...audienceFields,
  peak_at: z.iso.datetime().nullable(),
  ...chatFields,
  summarised_at: z.iso.datetime().nullable().openapi({
    description: 'When the summary was made after the end. Numbers that arrive late still correct it.',
  }),
};

export const streamSummarySchema = z.object(summaryFields).openapi('StreamSummary');
export const streamSummaryPageSchema = pageOf(streamSummarySchema).openapi('StreamSummaryPage');
export const streamSummaryPositionSchema = z.uuid();

export const streamAnalyticsSchema = z
  .object({
    ...summaryFields,
    as_of: z.iso
      .datetime()
      .nullable()
      .openapi({ description: 'How current the numbers of the room are; null when nobody came yet.' }),
    viewers: z.int().openapi({ description: 'How many look on now.' }),
    messages_per_minute: z.number().nullable(),
    top_emotes: z.array(z.object({ name: z.string(), count: z.int(), over: z.int() })).openapi({
      description: '`count` may be up to `over` too high: only so many are kept count of.',
    }),
    top_chatters: z.array(z.object({ user: userSummarySchema, messages: z.int(), over: z.int() })),
    minutes: z.array(minute).openapi({
      description: 'Minutes in which anybody looked on or wrote, the oldest first, the running one last.',
    }),
  })
  .openapi('StreamAnalytics');

export type StreamSummaryView = z.infer<typeof streamSummarySchema>;
export type StreamAnalyticsView = z.infer<typeof streamAnalyticsSchema>;
