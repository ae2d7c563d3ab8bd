import { sql } from 'drizzle-orm';
import {
  type AnyPgColumn,
  bigint,
  boolean,
  customType,
  doublePrecision,
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

const instant = (name: string) => timestamp(name, { withTimezone: true });
const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });
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
    burnInCaptions: text('burn_in_captions'),
    clippedFrom: uuid('clipped_from').references((): AnyPgColumn => videos.id, { onDelete: 'set null' }),
    clipStartMs: count('clip_start_ms'),
    clipEndMs: count('clip_end_ms'),
    captionsWanted: integer('captions_wanted').notNull().default(0),
    captionsBuilt: integer('captions_built').notNull().default(0),
    captionsPlayed: jsonb('captions_played').notNull().default([]),
    announcedAt: instant('announced_at'),
    thumbnailPosition: smallint('thumbnail_position'),
    supersededAt: instant('superseded_at'),
    openPrefix: text('open_prefix'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
    publishedAt: instant('published_at'),
    deletedAt: instant('deleted_at'),
  },
  (table) => [
    index('videos_owner').on(table.ownerId, table.id.desc()).where(sql`${table.deletedAt} IS NULL`),
    index('videos_unfinished').on(table.updatedAt).where(sql`${table.state} IN ('probing', 'transcoding')`),
    index('videos_stills_to_open')
      .on(table.updatedAt)
      .where(
        sql`${table.state} = 'published' AND ${table.deletedAt} IS NULL AND ${table.replacesId} IS NULL AND ${table.visibility} IN ('public', 'unlisted') AND ${table.passwordHash} IS NULL AND NOT ${table.ageRestricted} AND ${table.openPrefix} IS DISTINCT FROM 'open/' || substr(coalesce(${table.mediaPrefix}, 'media/' || ${table.id}::text || '/v' || ${table.revision}::text || '/'), 7)`,
      ),
    index('videos_stills_to_close')
      .on(table.updatedAt)
      .where(
        sql`${table.openPrefix} IS NOT NULL AND (${table.deletedAt} IS NOT NULL OR ${table.visibility} NOT IN ('public', 'unlisted') OR ${table.passwordHash} IS NOT NULL OR ${table.ageRestricted})`,
      ),
    uniqueIndex('videos_replacement_key')
      .on(table.replacesId)
      .where(
        sql`${table.replacesId} IS NOT NULL AND ${table.deletedAt} IS NULL AND ${table.state} <> 'failed'`,
      ),
    index('videos_due')
      .on(table.publishAt)
      .where(
        sql`${table.publishAt} IS NOT NULL AND ${table.announcedAt} IS NULL AND ${table.state} = 'published' AND ${table.deletedAt} IS NULL`,
      ),
    index('videos_replacements').on(table.replacesId).where(sql`${table.replacesId} IS NOT NULL`),
    index('videos_superseded').on(table.supersededAt).where(sql`${table.supersededAt} IS NOT NULL`),
    index('videos_failed_originals')
      .on(table.updatedAt)
      .where(
        sql`${table.state} = 'failed' AND ${table.sourceKey} IS NOT NULL AND ${table.deletedAt} IS NULL`,
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
    replacesId: uuid('replaces_id'),
    toldPercent: smallint('told_percent').notNull().default(0),
    checkedAt: instant('checked_at'),
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

export const uploadParts = pgTable(
  'upload_parts',
  {
    uploadId: uuid('upload_id')
      .notNull()
      .references(() => uploads.id, { onDelete: 'cascade' }),
    partNumber: integer('part_number').notNull(),
    etag: text().notNull(),
    confirmed: boolean().notNull(),
  },
  (table) => [primaryKey({ columns: [table.uploadId, table.partNumber] })],
);

export const videoImports = pgTable(
  'video_imports',
  {
    uploadId: uuid('upload_id')
      .primaryKey()
      .references(() => uploads.id, { onDelete: 'cascade' }),
    sealedUrl: bytea('sealed_url'),
    validator: text(),
    totalBytes: count('total_bytes'),
    doneBytes: count('done_bytes').notNull().default(0),
    failures: smallint().notNull().default(0),
    failureCode: text('failure_code'),
    lease: uuid(),
    leasedUntil: instant('leased_until'),
    updatedAt: instant('updated_at').notNull().defaultNow(),
    finishedAt: instant('finished_at'),
  },
  (table) => [index('video_imports_waiting').on(table.updatedAt).where(sql`${table.finishedAt} IS NULL`)],
);

export const videoSweeps = pgTable('video_sweeps', {
  prefix: text().primaryKey(),
  position: text().notNull(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
});

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

/**
 * Key of the picture a video is shown by: the still its owner chose, else the picture they gave, else the second still, since
 * films often open in black. `alias` is the table alias of `videos` in the query, never input.
 */
export const thumbnailKeyOf = (alias: string) => {
  const video = sql.identifier(alias);
  const still = sql`SELECT thumbnails.object_key FROM thumbnails
    WHERE thumbnails.video_id = ${video}.id AND thumbnails.revision = ${video}.revision`;
  return sql`coalesce(
    (${still} AND thumbnails.position = ${video}.thumbnail_position), ${video}.custom_thumbnail_key,
    (${still} ORDER BY (thumbnails.position = 1) DESC, thumbnails.position LIMIT 1))`;
};

/**
 * A JSON object with the columns of `VideoSummaryRow`, for hydrating a joined video in one statement:
 * `SELECT ..., ${videoSummaryJson('video')} AS video FROM posts LEFT JOIN videos AS video ON ...`.
 * `alias` is the table alias of `videos` in the query, never input.
 */
export const videoSummaryJson = (alias: string) => {
  const video = sql.identifier(alias);
  return sql`json_build_object(
    'id', ${video}.id, 'title', ${video}.title, 'state', ${video}.state, 'durationMs', ${video}.duration_ms,
    'viewCount', coalesce((SELECT views FROM video_counters WHERE video_id = ${video}.id), 0),
    'width', ${video}.width, 'height', ${video}.height, 'hlsKey', ${video}.hls_key, 'dashKey', ${video}.dash_key,
    'stillsOpen', coalesce(${video}.open_prefix = 'open/' || substr(coalesce(${video}.media_prefix,
      'media/' || ${video}.id::text || '/v' || ${video}.revision::text || '/'), 7), false),
    'thumbnailKey', ${thumbnailKeyOf(alias)})`;
};
