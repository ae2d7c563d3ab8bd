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
  smallint,
  text,
  timestamp,
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
    burnInCaptions: text('burn_in_captions'),
    clippedFrom: uuid('clipped_from').references((): AnyPgColumn => videos.id, { onDelete: 'set null' }),
    clipStartMs: count('clip_start_ms'),
    clipEndMs: count('clip_end_ms'),
    captionsWanted: integer('captions_wanted').notNull().default(0),
    captionsBuilt: integer('captions_built').notNull().default(0),
    captionsPlayed: jsonb('captions_played').notNull().default([]),
    captionsToCut: jsonb('captions_to_cut'),
    announcedAt: instant('announced_at'),
    thumbnailPosition: smallint('thumbnail_position'),
    supersededAt: instant('superseded_at'),
    openPrefix: text('open_prefix'),
    extrasDueAt: instant('extras_due_at').defaultNow(),
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
        sql`${table.openPrefix} IS NOT NULL AND (${table.deletedAt} IS NOT NULL OR ${table.visibility} NOT IN ('public', 'unlisted') OR ${table.passwordHash} IS NOT NULL OR ${table.ageRestricted} OR ${table.state} = 'failed')`,
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
    index('videos_source').on(table.sourceKey).where(sql`${table.sourceKey} IS NOT NULL`),
    index('videos_extras_due')
      .on(table.extrasDueAt)
      .where(
        sql`${table.extrasDueAt} IS NOT NULL AND ${table.state} = 'published' AND ${table.deletedAt} IS NULL AND ${table.replacesId} IS NULL`,
      ),
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
