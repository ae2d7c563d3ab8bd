import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';
import { videos } from './videos.table.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });
const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });
const count = (name: string) => bigint(name, { mode: 'number' });

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
