import { sql } from 'drizzle-orm';
import {
  bigint,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';
import { videos } from './videos.table.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });
const count = (name: string) => bigint(name, { mode: 'number' });

export const encodeJobs = pgTable(
  'encode_jobs',
  {
    id: uuid().primaryKey(),
    videoId: uuid('video_id')
      .notNull()
      .references(() => videos.id, { onDelete: 'cascade' }),
    revision: integer().notNull(),
    attempt: integer().notNull(),
    providerJobId: text('provider_job_id'),
    kind: text({ enum: ['stream', 'preview', 'download'] })
      .notNull()
      .default('stream'),
    state: text({
      enum: ['queued', 'submitting', 'submitted', 'progressing', 'complete', 'error', 'canceled'],
    }).notNull(),
    phase: text(),
    percent: smallint().notNull().default(0),
    plan: jsonb().notNull(),
    errorCode: text('error_code'),
    errorMessage: text('error_message'),
    lastEventAt: instant('last_event_at'),
    lastCheckedAt: instant('last_checked_at').notNull().defaultNow(),
    createdAt: instant('created_at').notNull().defaultNow(),
    dueAt: instant('due_at').notNull().defaultNow(),
    startedAt: instant('started_at'),
    finishedAt: instant('finished_at'),
    estimatedCostMicros: bigint('estimated_cost_micros', { mode: 'bigint' }),
    actualCostMicros: bigint('actual_cost_micros', { mode: 'bigint' }),
    currency: text(),
    accelerationStatus: text('acceleration_status'),
  },
  (table) => [
    uniqueIndex('encode_jobs_attempt_key').on(table.videoId, table.revision, table.kind, table.attempt),
    uniqueIndex('encode_jobs_provider_key')
      .on(table.providerJobId)
      .where(sql`${table.providerJobId} IS NOT NULL`),
    uniqueIndex('encode_jobs_running_key')
      .on(table.videoId, table.revision, table.kind)
      .where(sql`${table.state} IN ('queued', 'submitting', 'submitted', 'progressing')`),
    index('encode_jobs_queued').on(table.dueAt, table.id).where(sql`${table.state} = 'queued'`),
    index('encode_jobs_stale')
      .on(table.lastCheckedAt)
      .where(sql`${table.state} IN ('submitting', 'submitted', 'progressing')`),
  ],
);

export const captions = pgTable(
  'captions',
  {
    videoId: uuid('video_id')
      .notNull()
      .references(() => videos.id, { onDelete: 'cascade' }),
    language: text().notNull(),
    label: text().notNull(),
    kind: text({ enum: ['subtitles', 'captions'] }).notNull(),
    objectKey: text('object_key').notNull(),
    cueCount: integer('cue_count').notNull(),
    sizeBytes: integer('size_bytes').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.videoId, table.language] })],
);

export const watermarks = pgTable('watermarks', {
  ownerId: uuid('owner_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  objectKey: text('object_key').notNull(),
  width: integer().notNull(),
  height: integer().notNull(),
  corner: text({ enum: ['top_left', 'top_right', 'bottom_left', 'bottom_right'] }).notNull(),
  opacityPercent: smallint('opacity_percent').notNull(),
  widthPercent: smallint('width_percent').notNull(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
});

export const renditions = pgTable(
  'renditions',
  {
    videoId: uuid('video_id')
      .notNull()
      .references(() => videos.id, { onDelete: 'cascade' }),
    revision: integer().notNull(),
    name: text().notNull(),
    width: integer().notNull(),
    height: integer().notNull(),
    maxBitrate: integer('max_bitrate').notNull(),
    durationMs: count('duration_ms'),
  },
  (table) => [primaryKey({ columns: [table.videoId, table.revision, table.name] })],
);

export const thumbnails = pgTable(
  'thumbnails',
  {
    videoId: uuid('video_id')
      .notNull()
      .references(() => videos.id, { onDelete: 'cascade' }),
    revision: integer().notNull(),
    position: smallint().notNull(),
    objectKey: text('object_key').notNull(),
  },
  (table) => [primaryKey({ columns: [table.videoId, table.revision, table.position] })],
);
