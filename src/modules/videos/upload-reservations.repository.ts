import { type SQL, sql } from 'drizzle-orm';
import { atomic, type Db } from '../../db/client.ts';
import { insertEventFrom } from '../../db/counting.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import { detailValues } from './details.repository.ts';
import type { DetailsInput } from './details.schemas.ts';
import { at, type UploadRow, uploadColumns } from './uploads.repository.ts';
import type { Visibility } from './videos.schemas.ts';

export interface NewUpload extends Omit<UploadRow, 'state' | 's3UploadId'> {
  readonly title: string;
  readonly description: string;
  readonly visibility: Visibility;
  readonly details: DetailsInput;
  /** Unix milliseconds. */
  readonly publishAtMs: number | null;
  /** Set when we fetch the file ourselves; `requested` has it begun. */
  readonly fetched: { readonly sealedUrl: string; readonly requested: OutboxEvent } | undefined;
  /** Has what a replacement that failed before left behind removed; its payload is filled in. */
  readonly cleared: OutboxEvent | undefined;
}

export type Quota = 'daily_uploads' | 'daily_bytes' | 'open_uploads' | 'stored_bytes';

export interface QuotaLimits {
  readonly dailyUploads: number;
  readonly dailyBytes: number;
  readonly maxOpenUploads: number;
  readonly maxStoredBytes: number;
}

export type Reservation =
  | { readonly kind: 'reserved'; readonly upload: UploadRow }
  | { readonly kind: 'exceeded'; readonly quota: Quota; readonly retryAfterSeconds: number | null }
  /** The video to replace is not there, not published, or not the owner's. */
  | { readonly kind: 'nothing_to_replace' }
  | { readonly kind: 'already_replacing' };

/** What an owner has used of the quotas. */
export interface QuotaUsage {
  readonly dailyUploads: number;
  readonly dailyBytes: number;
  readonly openUploads: number;
  readonly storedBytes: number;
  /** Until the oldest upload of the last 24 hours counts no more; null when there is none. */
  readonly secondsToReset: number | null;
}

/** The CTEs `recent`, `unfinished` and `stored`: what an owner has used, without the upload `except`. */
const usage = (owner: SQL, except: SQL = sql`NULL::uuid`): SQL => sql`
  recent AS (
    SELECT count(*) AS started, coalesce(sum(size_bytes), 0) AS bytes, min(created_at) AS oldest
    FROM uploads
    WHERE owner_id = ${owner} AND created_at > now() - interval '24 hours' AND id IS DISTINCT FROM ${except}
  ), unfinished AS (
    SELECT count(*) AS held, coalesce(sum(size_bytes), 0) AS bytes
    FROM uploads
    WHERE owner_id = ${owner} AND state IN ('open', 'completing') AND id IS DISTINCT FROM ${except}
  ), stored AS (
    SELECT coalesce(sum(source_bytes), 0) AS bytes FROM videos
    -- Clips are made of the file of another video.
    WHERE owner_id = ${owner} AND (source_key IS NOT NULL OR state = 'scanning') AND deleted_at IS NULL
      AND clipped_from IS NULL
  )`;

const secondsToReset = sql`ceil(extract(epoch FROM recent.oldest + interval '24 hours' - now()))::int`;

const bytesExceeded = (sizeBytes: number, limits: QuotaLimits): SQL => sql`
  WHEN recent.bytes + ${sizeBytes}::bigint > ${limits.dailyBytes}::bigint THEN 'daily_bytes'
  WHEN stored.bytes + unfinished.bytes + ${sizeBytes}::bigint > ${limits.maxStoredBytes}::bigint THEN 'stored_bytes'`;

/**
 * What begins uploads of an owner, or takes failed ones up again, does so one after the other: the next statement of the same
 * transaction sees what those before have committed.
 */
export const ownersTurn = (db: Db, ownerId: string) =>
  db.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`uploads:${ownerId}`}, 0))`);

/**
 * Writes the video and its upload if the owner's quotas allow one more. The owner's starts queue behind an advisory lock in
 * the same transaction, so the counts are those of committed rows however many start at once. With ids that exist already
 * (a replayed request) nothing is written and the existing upload is returned. A replacement takes the place of one that
 * failed before.
 */
export async function reserveUpload(db: Db, upload: NewUpload, limits: QuotaLimits): Promise<Reservation> {
  const owner = sql`${upload.ownerId}::uuid`;
  const replaced = sql`${upload.replacesId}::uuid`;
  const { fetched, cleared } = upload;
  const details = detailValues(upload.details);
  const listOf = (parts: readonly SQL[]): SQL => sql.join(parts.map((part) => sql`, ${part}`));
  const [, result] = await atomic(db, [
    ownersTurn(db, upload.ownerId),
    db.execute(sql`
      WITH existing AS (
        SELECT * FROM uploads WHERE id = ${upload.id}::uuid AND owner_id = ${owner}
      ), ${usage(owner)},
      target AS (
        SELECT id FROM videos
        WHERE id = ${replaced} AND owner_id = ${owner} AND state = 'published' AND replaces_id IS NULL
          AND deleted_at IS NULL
        FOR UPDATE
      ), verdict AS (
        SELECT CASE
            WHEN EXISTS (SELECT FROM existing) THEN NULL
            WHEN ${replaced} IS NOT NULL AND NOT EXISTS (SELECT FROM target) THEN 'nothing_to_replace'
            WHEN EXISTS (
              SELECT FROM videos WHERE replaces_id = ${replaced} AND state <> 'failed' AND deleted_at IS NULL
            ) THEN 'already_replacing'
            WHEN unfinished.held >= ${limits.maxOpenUploads} THEN 'open_uploads'
            WHEN recent.started >= ${limits.dailyUploads} THEN 'daily_uploads'
            ${bytesExceeded(upload.sizeBytes, limits)}
          END AS refused, ${secondsToReset} AS "retryAfterSeconds", NOT EXISTS (SELECT FROM existing) AS is_new
        FROM recent, unfinished, stored
      ), given_up AS (
        UPDATE videos SET deleted_at = now(), updated_at = now()
        FROM verdict
        WHERE verdict.refused IS NULL AND verdict.is_new AND videos.replaces_id = ${replaced}
          AND videos.state = 'failed' AND videos.deleted_at IS NULL
        RETURNING videos.id
      ), cleared AS (${
        cleared === undefined
          ? sql`SELECT`
          : insertEventFrom(
              cleared,
              sql`jsonb_build_object('video_id', given_up.id, 'owner_id', ${upload.ownerId}::text)`,
              sql`(SELECT id FROM given_up LIMIT 1) AS given_up`,
            )
      }),
      new_video AS (
        INSERT INTO videos (id, owner_id, title, description, visibility, state, publish_at, replaces_id${listOf(details.map(({ column }) => column))})
        SELECT ${upload.videoId}::uuid, ${owner}, ${upload.title}, ${upload.description}, ${upload.visibility}, 'uploading',
          ${at(upload.publishAtMs)}, ${replaced}${listOf(details.map(({ value }) => value))}
        FROM verdict WHERE refused IS NULL
        ON CONFLICT (id) DO NOTHING RETURNING id
      ), new_upload AS (
        INSERT INTO uploads (id, video_id, owner_id, state, file_name, content_type, size_bytes, part_size_bytes,
          part_count, object_key, expires_at, replaces_id)
        SELECT ${upload.id}::uuid, new_video.id, ${owner}, 'open', ${upload.fileName}, ${upload.contentType},
          ${upload.sizeBytes}::bigint, ${upload.partSizeBytes}::bigint, ${upload.partCount}::int, ${upload.objectKey},
          ${at(upload.expiresAtMs)}, ${replaced}
        FROM new_video RETURNING *
      ), fetched AS (
        INSERT INTO video_imports (upload_id, sealed_url)
        SELECT id, decode(${fetched?.sealedUrl ?? null}, 'hex') FROM new_upload
        WHERE ${fetched !== undefined} RETURNING 1
      ), requested AS (${
        fetched === undefined ? sql`SELECT` : insertEventIfAny(fetched.requested, sql`fetched`)
      }),
      chosen AS (SELECT * FROM new_upload UNION ALL SELECT * FROM existing)
      SELECT verdict.refused, verdict."retryAfterSeconds", ${uploadColumns('chosen')}
      FROM verdict LEFT JOIN chosen ON true`),
  ]);
  const row = result.rows[0] as
    | (UploadRow & { refused: Refusal | null; retryAfterSeconds: number | null })
    | undefined;
  if (row === undefined || (row.refused === null && row.id === null))
    throw new TypeError('an upload was neither reserved nor refused');
  const { refused, retryAfterSeconds, ...reserved } = row;
  return refused === null ? { kind: 'reserved', upload: reserved } : refusalOf(refused, retryAfterSeconds);
}

type Refusal = Quota | 'nothing_to_replace' | 'already_replacing';

function refusalOf(refused: Refusal, retryAfterSeconds: number | null): Reservation {
  if (refused === 'nothing_to_replace' || refused === 'already_replacing') return { kind: refused };
  const passes = refused === 'daily_uploads' || refused === 'daily_bytes';
  return { kind: 'exceeded', quota: refused, retryAfterSeconds: passes ? retryAfterSeconds : null };
}

/** What an owner has used of the quotas now. */
export async function readUsage(db: Db, ownerId: string): Promise<QuotaUsage> {
  const result = await db.execute(sql`
    WITH ${usage(sql`${ownerId}::uuid`)}
    SELECT recent.started::float8 AS "dailyUploads", recent.bytes::float8 AS "dailyBytes",
      unfinished.held::float8 AS "openUploads", (stored.bytes + unfinished.bytes)::float8 AS "storedBytes",
      ${secondsToReset} AS "secondsToReset"
    FROM recent, unfinished, stored`);
  return result.rows[0] as unknown as QuotaUsage;
}

/**
 * Writes down the size of a file whose server has just told it, if the owner's quotas allow that many bytes.
 * @returns what is exceeded; undefined when nothing is.
 */
export async function declareSize(
  db: Db,
  upload: Pick<UploadRow, 'id' | 'ownerId'> & {
    readonly sizeBytes: number;
    readonly partSizeBytes: number;
    readonly partCount: number;
  },
  limits: QuotaLimits,
): Promise<Quota | undefined> {
  const id = sql`${upload.id}::uuid`;
  const [, result] = await atomic(db, [
    ownersTurn(db, upload.ownerId),
    db.execute(sql`
      WITH ${usage(sql`${upload.ownerId}::uuid`, id)},
      verdict AS (
        SELECT CASE ${bytesExceeded(upload.sizeBytes, limits)} END AS exceeded FROM recent, unfinished, stored
      ), changed AS (
        UPDATE uploads SET size_bytes = ${upload.sizeBytes}::bigint, part_size_bytes = ${upload.partSizeBytes}::bigint,
          part_count = ${upload.partCount}::int
        FROM verdict WHERE verdict.exceeded IS NULL AND uploads.id = ${id} AND uploads.state = 'open'
      )
      SELECT exceeded FROM verdict`),
  ]);
  return (result.rows[0] as { exceeded: Quota | null } | undefined)?.exceeded ?? undefined;
}
