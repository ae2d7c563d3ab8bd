import { sql } from 'drizzle-orm';
import {
  type AnyPgColumn,
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });
const count = (name: string) => bigint(name, { mode: 'number' });

export const videos = pgTable(
  'videos',
  {
    id: uuid().primaryKey(),
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    title: text().notNull(),
    description: text().notNull().default(''),
    visibility: text({ enum: ['public', 'unlisted', 'private', 'followers', 'members'] })
      .notNull()
      .default('public'),
    state: text({
      enum: ['uploading', 'scanning', 'probing', 'transcoding', 'published', 'failed'],
    }).notNull(),
    failureCode: text('failure_code'),
    failureMessage: text('failure_message'),
    progressPercent: smallint('progress_percent').notNull().default(0),
    revision: integer().notNull().default(1),
    sourceKey: text('source_key'),
    sourceBytes: count('source_bytes'),
    container: text(),
    durationMs: count('duration_ms'),
    width: integer(),
    height: integer(),
    frameRate: doublePrecision('frame_rate'),
    videoCodec: text('video_codec'),
    audioCodec: text('audio_codec'),
    hlsKey: text('hls_key'),
    dashKey: text('dash_key'),
    mediaPrefix: text('media_prefix'),
    replacesId: uuid('replaces_id').references((): AnyPgColumn => videos.id, { onDelete: 'cascade' }),
    publishAt: instant('publish_at'),
    tags: text().array().notNull().default([]),
    tagKeys: text('tag_keys').array().notNull().default([]),
    category: text(),
    language: text(),
    licence: text().notNull().default('standard'),
    chapters: jsonb().notNull().default([]),
    endScreens: jsonb('end_screens').notNull().default([]),
    commentPolicy: text('comment_policy', { enum: ['open', 'approve', 'off'] })
      .notNull()
      .default('open'),
    ageRestricted: boolean('age_restricted').notNull().default(false),
    passwordHash: text('password_hash'),
    geoMode: text('geo_mode', { enum: ['allow', 'deny'] }),
    geoCountries: text('geo_countries').array().notNull().default([]),
    embedMode: text('embed_mode', { enum: ['anywhere', 'nowhere', 'listed'] })
      .notNull()
      .default('anywhere'),
    embedDomains: text('embed_domains').array().notNull().default([]),
    downloadsEnabled: boolean('downloads_enabled').notNull().default(false),
    customThumbnailKey: text('custom_thumbnail_key'),
    storyboardKey: text('storyboard_key'),
    previewKey: text('preview_key'),
    downloadKey: text('download_key'),
    openPrefix: text('open_prefix'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
    publishedAt: instant('published_at'),
    deletedAt: instant('deleted_at'),
  },
  (table) => [
    index('videos_owner').on(table.ownerId, table.id.desc()).where(sql`${table.deletedAt} IS NULL`),
    index('videos_unfinished').on(table.updatedAt).where(sql`${table.state} IN ('probing', 'transcoding')`),
    uniqueIndex('videos_replacement_key')
      .on(table.replacesId)
      .where(
        sql`${table.replacesId} IS NOT NULL AND ${table.deletedAt} IS NULL AND ${table.state} <> 'failed'`,
      ),
  ],
);

/** Projections of rows elsewhere, which are the truth. A video without a row has nothing yet. */
export const videoCounters = pgTable('video_counters', {
  videoId: uuid('video_id')
    .primaryKey()
    .references(() => videos.id, { onDelete: 'cascade' }),
  views: count('views').notNull().default(0),
  likes: integer().notNull().default(0),
  dislikes: integer().notNull().default(0),
  comments: integer().notNull().default(0),
  viewShards: smallint('view_shards').notNull().default(1),
});

export const uploads = pgTable(
  'uploads',
  {
    id: uuid().primaryKey(),
    videoId: uuid('video_id')
      .notNull()
      .references(() => videos.id, { onDelete: 'cascade' }),
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    state: text({ enum: ['open', 'completing', 'completed', 'aborted', 'expired'] }).notNull(),
    fileName: text('file_name').notNull(),
    contentType: text('content_type').notNull(),
    sizeBytes: count('size_bytes').notNull(),
    partSizeBytes: count('part_size_bytes').notNull(),
    partCount: integer('part_count').notNull(),
    objectKey: text('object_key').notNull(),
    s3UploadId: text('s3_upload_id'),
    createdAt: instant('created_at').notNull().defaultNow(),
    expiresAt: instant('expires_at').notNull(),
    finishedAt: instant('finished_at'),
  },
  (table) => [
    index('uploads_owner_recent').on(table.ownerId, table.createdAt.desc()),
    index('uploads_video').on(table.videoId),
    index('uploads_open_expiry').on(table.expiresAt).where(sql`${table.state} IN ('open', 'completing')`),
  ],
);

/** What the virus scan of an uploaded file has come to. */
export const uploadScans = pgTable(
  'upload_scans',
  {
    uploadId: uuid('upload_id')
      .primaryKey()
      .references(() => uploads.id, { onDelete: 'cascade' }),
    videoId: uuid('video_id')
      .notNull()
      .references(() => videos.id, { onDelete: 'cascade' }),
    verdict: text({ enum: ['clean', 'infected', 'unsupported', 'failed', 'waived'] }),
    etag: text(),
    threats: text().array().notNull().default([]),
    reasons: text().array().notNull().default([]),
    requests: integer().notNull().default(1),
    requestedAt: instant('requested_at').notNull().defaultNow(),
    lastCheckedAt: instant('last_checked_at').notNull().defaultNow(),
    copyUploadId: text('copy_upload_id'),
    settledAt: instant('settled_at'),
    clearedAt: instant('cleared_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [
    index('upload_scans_video').on(table.videoId),
    index('upload_scans_unsettled').on(table.lastCheckedAt).where(sql`${table.clearedAt} IS NULL`),
  ],
);

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
    state: text({
      enum: ['submitting', 'submitted', 'progressing', 'complete', 'error', 'canceled'],
    }).notNull(),
    phase: text(),
    percent: smallint().notNull().default(0),
    plan: jsonb().notNull(),
    errorCode: text('error_code'),
    errorMessage: text('error_message'),
    lastEventAt: instant('last_event_at'),
    lastCheckedAt: instant('last_checked_at').notNull().defaultNow(),
    createdAt: instant('created_at').notNull().defaultNow(),
    finishedAt: instant('finished_at'),
  },
  (table) => [
    unique().on(table.videoId, table.revision, table.attempt),
    uniqueIndex('encode_jobs_provider_key')
      .on(table.providerJobId)
      .where(sql`${table.providerJobId} IS NOT NULL`),
    uniqueIndex('encode_jobs_running_key')
      .on(table.videoId, table.revision)
      .where(sql`${table.state} IN ('submitting', 'submitted', 'progressing')`),
    index('encode_jobs_stale')
      .on(table.lastCheckedAt)
      .where(sql`${table.state} IN ('submitting', 'submitted', 'progressing')`),
  ],
);

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

/**
 * A JSON object with the columns of `VideoSummaryRow`, for hydrating a joined video in one statement:
 * `SELECT ..., ${videoSummaryJson('video')} AS video FROM posts LEFT JOIN videos AS video ON ...`.
 * The thumbnail is the second, since films often open in black. `alias` is the table alias of `videos` in the query, never input.
 */
export const videoSummaryJson = (alias: string) => {
  const video = sql.identifier(alias);
  return sql`json_build_object(
    'id', ${video}.id, 'title', ${video}.title, 'state', ${video}.state, 'durationMs', ${video}.duration_ms,
    'viewCount', coalesce((SELECT views FROM video_counters WHERE video_id = ${video}.id), 0),
    'width', ${video}.width, 'height', ${video}.height, 'hlsKey', ${video}.hls_key, 'dashKey', ${video}.dash_key,
    'thumbnailKey', (
      SELECT thumbnails.object_key FROM thumbnails
      WHERE thumbnails.video_id = ${video}.id AND thumbnails.revision = ${video}.revision
      ORDER BY (thumbnails.position = 1) DESC, thumbnails.position LIMIT 1))`;
};
