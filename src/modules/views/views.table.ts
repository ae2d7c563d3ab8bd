import { sql } from 'drizzle-orm';
import {
  bigint,
  customType,
  date,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import { videos } from '../videos/index.ts';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });
const instant = (name: string) => timestamp(name, { withTimezone: true });
const count = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);
const videoId = () =>
  uuid('video_id')
    .notNull()
    .references(() => videos.id, { onDelete: 'cascade' });

/** The last flush of each counter object that was applied. */
export const viewFlushes = pgTable(
  'view_flushes',
  {
    videoId: videoId(),
    counterId: uuid('counter_id').notNull(),
    seq: bigint({ mode: 'number' }).notNull(),
    flushedAt: instant('flushed_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.videoId, table.counterId] })],
);

/** Random keys of a UTC day, under which viewers nobody knows are told apart. */
export const viewSalts = pgTable('view_salts', {
  day: date().primaryKey(),
  salt: bytea().notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
});

/** How a video was watched on a UTC day; partitioned by month. Written by flushes only; docs/views.md defines every column. */
export const videoViewDays = pgTable(
  'video_view_days',
  {
    videoId: videoId(),
    day: date().notNull(),
    views: count('views'),
    viewers: count('viewers'),
    viewersSketch: bytea('viewers_sketch'),
    plays: count('plays'),
    watchMs: count('watch_ms'),
    completions: count('completions'),
    retention: bigint({ mode: 'number' }).array().notNull().default(sql`array_fill(0::bigint, ARRAY[100])`),
    startups: count('startups'),
    startupMs: count('startup_ms'),
    rebufferMs: count('rebuffer_ms'),
    errors: count('errors'),
  },
  (table) => [primaryKey({ columns: [table.videoId, table.day] })],
);

/** The views, watch time and errors of a day by where they came from; partitioned by month. */
export const videoViewParts = pgTable(
  'video_view_parts',
  {
    videoId: videoId(),
    day: date().notNull(),
    dimension: text({ enum: ['source', 'referrer', 'country', 'device', 'error'] }).notNull(),
    value: text().notNull(),
    views: count('views'),
    plays: count('plays'),
    watchMs: count('watch_ms'),
    errors: count('errors'),
  },
  (table) => [primaryKey({ columns: [table.videoId, table.day, table.dimension, table.value] })],
);

/** Views and watch time by minute; partitioned by month, kept for a month. */
export const videoViewMinutes = pgTable(
  'video_view_minutes',
  {
    videoId: videoId(),
    minute: instant('minute').notNull(),
    views: count('views'),
    watchMs: count('watch_ms'),
  },
  (table) => [primaryKey({ columns: [table.videoId, table.minute] })],
);

/** Which tables `keep_monthly_partitions` looks after. */
export const monthlyTables = pgTable('monthly_tables', {
  parent: text().primaryKey(),
  keepMonths: smallint('keep_months'),
});
