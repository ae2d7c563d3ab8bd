import { z } from '@hono/zod-openapi';
import { idSchema } from '../../http/params.ts';
import { daysIn, maxRangeDays } from './analytics.policy.ts';

// Nobody watched anything before, and days far enough back are none to Postgres.
const firstDay = '2000-01-01';
const day = z.iso
  .date()
  .refine((text) => text >= firstDay, `must not lie before ${firstDay}`)
  .openapi({ example: '2026-11-27', description: 'A UTC day, inclusive.' });

export const rangeQuery = z
  .strictObject({ from: day.optional(), to: day.optional() })
  .refine(
    ({ from, to }) =>
      from === undefined ||
      to === undefined ||
      (daysIn({ from, to }) >= 1 && daysIn({ from, to }) <= maxRangeDays),
    `must be 1 to ${maxRangeDays} days`,
  );

export const analyticsParams = z.strictObject({ video_id: idSchema('video') });

const sumsFields = {
  views: z.int(),
  plays: z.int().openapi({ description: 'Watch sessions in which something was watched.' }),
  watch_seconds: z.number(),
  average_view_seconds: z.number().nullable().openapi({ description: 'Watch time for each play.' }),
  completion_rate: z
    .number()
    .nullable()
    .openapi({ description: 'Share of plays that watched at least 95 %.' }),
  average_startup_ms: z.number().nullable(),
  rebuffer_ratio: z
    .number()
    .nullable()
    .openapi({ description: 'Time spent waiting for each second watched.' }),
  errors: z.int().openapi({ description: 'Failures players reported.' }),
};

const viewersFields = {
  unique_viewers: z.int().nullable().openapi({
    description:
      'Different viewers. Counted for a day on which one video was watched; over several days or videos estimated by HyperLogLog. Null of a day of a large channel that was not added up yet.',
  }),
  unique_viewers_error: z.number().nullable().openapi({
    description: 'Standard error of `unique_viewers`, as a share of it: 0 where it was counted.',
    example: 0.023,
  }),
};

const sumsSchema = z.object(sumsFields).openapi('WatchSums');
const part = z
  .object({ value: z.string(), views: z.int(), plays: z.int(), watch_seconds: z.number(), errors: z.int() })
  .openapi('WatchPart');

export const analyticsSchema = z
  .object({
    from: z.string(),
    to: z.string(),
    totals: z.object({
      ...sumsFields,
      ...viewersFields,
    }),
    previous: sumsSchema.openapi({ description: 'The same number of days before `from`.' }),
    days: z.array(z.object({ day: z.string(), ...sumsFields, ...viewersFields })),
    sources: z.array(part),
    referrers: z.array(part),
    countries: z.array(part),
    devices: z.array(part),
    errors: z.array(part),
  })
  .openapi('VideoAnalytics');

export const channelAnalyticsSchema = analyticsSchema
  .extend({
    as_of: z.iso.datetime().nullable().openapi({
      description:
        'Where more than 400 watched days of videos are in the range: when viewers, and all numbers of days before yesterday, were last added up; at most an hour ago as a rule. Null where everything is counted as of now.',
    }),
    top_videos: z.array(
      z.object({ video_id: z.string(), title: z.string(), views: z.int(), watch_seconds: z.number() }),
    ),
  })
  .openapi('ChannelAnalytics');

export const retentionSchema = z
  .object({
    from: z.string(),
    to: z.string(),
    plays: z.int(),
    points: z
      .array(z.object({ percent: z.int(), seconds: z.number().nullable(), share: z.number() }))
      .openapi({ description: 'One for each hundredth of the film: the share of plays that watched it.' }),
  })
  .openapi('Retention');

export const realtimeSchema = z
  .object({
    views: z.int(),
    watch_seconds: z.number(),
    minutes: z
      .array(z.object({ minute: z.iso.datetime(), views: z.int(), watch_seconds: z.number() }))
      .openapi({
        description: 'The last 60 minutes, the oldest first. What was watched shows within a minute.',
      }),
  })
  .openapi('RealtimeAnalytics');

export type AnalyticsView = z.infer<typeof analyticsSchema>;
export type ChannelAnalyticsView = z.infer<typeof channelAnalyticsSchema>;
