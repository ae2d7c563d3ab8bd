import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import { streams } from '../streams/index.ts';
import { users } from '../users/index.ts';
import { videos } from '../videos/index.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });

export const streamSessions = pgTable(
  'stream_sessions',
  {
    sessionId: text('session_id').primaryKey(),
    channelArn: text('channel_arn').notNull(),
    streamId: uuid('stream_id').references(() => streams.id, { onDelete: 'cascade' }),
    startedAt: instant('started_at'),
    endedAt: instant('ended_at'),
    failureCode: text('failure_code'),
    notedAt: instant('noted_at').notNull().defaultNow(),
  },
  (table) => [
    index('stream_sessions_channel').on(table.channelArn, table.startedAt.desc()),
    index('stream_sessions_stream')
      .on(table.streamId, table.startedAt)
      .where(sql`${table.streamId} IS NOT NULL`),
    index('stream_sessions_unbegun').on(table.notedAt).where(sql`${table.startedAt} IS NULL`),
  ],
);

export const streamSamples = pgTable(
  'stream_samples',
  {
    streamId: uuid('stream_id')
      .notNull()
      .references(() => streams.id, { onDelete: 'cascade' }),
    minute: instant('minute').notNull(),
    viewers: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.streamId, table.minute] })],
);

export const streamRecordings = pgTable(
  'stream_recordings',
  {
    prefix: text().primaryKey(),
    streamId: uuid('stream_id')
      .notNull()
      .references(() => streams.id, { onDelete: 'cascade' }),
    beganAt: instant('began_at').notNull(),
    endedAt: instant('ended_at'),
    durationMs: bigint('duration_ms', { mode: 'number' }),
    failed: boolean().notNull().default(false),
    videoId: uuid('video_id').references(() => videos.id, { onDelete: 'set null' }),
    checkedAt: instant('checked_at').notNull().defaultNow(),
  },
  (table) => [
    index('stream_recordings_stream').on(table.streamId, table.beganAt),
    index('stream_recordings_video').on(table.videoId).where(sql`${table.videoId} IS NOT NULL`),
    index('stream_recordings_open').on(table.checkedAt).where(sql`${table.endedAt} IS NULL`),
  ],
);

export const streamMarkers = pgTable(
  'stream_markers',
  {
    id: uuid().primaryKey(),
    streamId: uuid('stream_id')
      .notNull()
      .references(() => streams.id, { onDelete: 'cascade' }),
    authorId: uuid('author_id').references(() => users.id, { onDelete: 'set null' }),
    title: text().notNull(),
    at: instant('at').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [
    index('stream_markers_stream').on(table.streamId, table.at, table.id),
    index('stream_markers_author').on(table.authorId).where(sql`${table.authorId} IS NOT NULL`),
  ],
);

export const streamClips = pgTable(
  'stream_clips',
  {
    videoId: uuid('video_id')
      .primaryKey()
      .references(() => videos.id, { onDelete: 'cascade' }),
    streamId: uuid('stream_id')
      .notNull()
      .references(() => streams.id, { onDelete: 'cascade' }),
    creatorId: uuid('creator_id').references(() => users.id, { onDelete: 'set null' }),
    fromAt: instant('from_at').notNull(),
    toAt: instant('to_at').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [
    index('stream_clips_stream').on(table.streamId, table.videoId.desc()),
    index('stream_clips_creator').on(table.creatorId).where(sql`${table.creatorId} IS NOT NULL`),
  ],
);
