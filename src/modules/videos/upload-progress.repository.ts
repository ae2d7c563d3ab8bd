import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import type { HeldPart, Quarter } from './policy/upload-progress.ts';
import { insertQuarters, type QuarterEvent } from './quarter-events.repository.ts';
import { type UploadRow, uploadColumns } from './uploads.repository.ts';

const partSize = sql`CASE WHEN part.part_number = upload.part_count
  THEN upload.size_bytes - (upload.part_count - 1) * upload.part_size_bytes ELSE upload.part_size_bytes END`;

const listed = (parts: readonly { readonly partNumber: number; readonly etag: string }[]): SQL =>
  sql`jsonb_to_recordset(${JSON.stringify(parts)}::jsonb) AS part("partNumber" integer, etag text)`;

/** How much of an upload its client says it has sent. */
export interface Acknowledged {
  readonly upload: UploadRow;
  readonly heldBytes: number;
  readonly toldPercent: number;
  /** S3 is to be asked: by what the client says a new quarter is reached, and nobody asked just now. */
  readonly mustConfirm: boolean;
}

/** Between two questions to S3 about one upload. */
const confirmSeconds = 2;

/** Notes parts a client says it has sent; undefined when the upload is not open or is an import. */
export async function acknowledgeParts(
  db: Db,
  uploadId: string,
  ownerId: string,
  parts: readonly { readonly partNumber: number; readonly etag: string }[],
): Promise<Acknowledged | undefined> {
  const result = await db.execute(sql`
    WITH upload AS (
      SELECT * FROM uploads
      WHERE id = ${uploadId}::uuid AND owner_id = ${ownerId}::uuid AND state = 'open' AND s3_upload_id IS NOT NULL
        AND expires_at > now()
        AND NOT EXISTS (SELECT FROM video_imports WHERE video_imports.upload_id = uploads.id)
      FOR UPDATE
    ), given AS (
      SELECT upload.id, part."partNumber" AS part_number, part.etag FROM upload, ${listed(parts)}
      WHERE part."partNumber" <= upload.part_count
    ), noted AS (
      INSERT INTO upload_parts (upload_id, part_number, etag, confirmed)
      SELECT id, part_number, etag, false FROM given
      ON CONFLICT (upload_id, part_number) DO UPDATE SET etag = excluded.etag, confirmed = false
      WHERE upload_parts.etag <> excluded.etag
    ), held AS (
      SELECT coalesce(sum(${partSize}), 0) AS bytes
      FROM upload, (
        SELECT part_number FROM upload_parts WHERE upload_id = ${uploadId}::uuid
        UNION SELECT part_number FROM given
      ) AS part
    ), due AS (
      UPDATE uploads SET checked_at = now()
      FROM upload, held
      WHERE uploads.id = upload.id AND floor(held.bytes * 4 / upload.size_bytes) * 25 > upload.told_percent
        AND (upload.checked_at IS NULL OR upload.checked_at < now() - make_interval(secs => ${confirmSeconds}))
      RETURNING 1
    )
    SELECT ${uploadColumns('upload')}, held.bytes::float8 AS "heldBytes", upload.told_percent AS "toldPercent",
      EXISTS (SELECT FROM due) AS "mustConfirm"
    FROM upload, held`);
  const row = result.rows[0] as (UploadRow & Omit<Acknowledged, 'upload'>) | undefined;
  if (row === undefined) return undefined;
  const { heldBytes, toldPercent, mustConfirm, ...upload } = row;
  return { upload, heldBytes, toldPercent, mustConfirm };
}

/**
 * Keeps which parts S3 holds, and tells of the quarters that are reached by them.
 * @returns the last quarter told so far; undefined when the upload has ended.
 */
export async function confirmParts(
  db: Db,
  uploadId: string,
  held: { readonly parts: readonly HeldPart[]; readonly quarter: Quarter | 0 },
  events: readonly QuarterEvent[],
): Promise<number | undefined> {
  const parts = held.parts.map(({ partNumber, etag }) => ({ partNumber, etag }));
  const result = await db.execute(sql`
    WITH upload AS (
      SELECT id, told_percent FROM uploads
      WHERE id = ${uploadId}::uuid AND state IN ('open', 'completing') FOR UPDATE
    ), kept AS (
      INSERT INTO upload_parts (upload_id, part_number, etag, confirmed)
      SELECT upload.id, part."partNumber", part.etag, true FROM upload, ${listed(parts)}
      ON CONFLICT (upload_id, part_number) DO UPDATE SET etag = excluded.etag, confirmed = true
      WHERE upload_parts.etag <> excluded.etag OR NOT upload_parts.confirmed
    ), told AS (
      UPDATE uploads SET told_percent = greatest(upload.told_percent, ${held.quarter}::smallint), checked_at = now()
      FROM upload WHERE uploads.id = upload.id
      RETURNING upload.told_percent AS "toldBefore", uploads.told_percent AS "toldNow"
    ), events AS (${insertQuarters(events, sql`told`)})
    SELECT "toldNow" FROM told`);
  return result.rows[0]?.toldNow as number | undefined;
}

/** Parts of an upload as we know them, without asking S3. */
export interface KnownUpload {
  readonly upload: UploadRow;
  readonly isImport: boolean;
  /** Undefined when that is too long ago to rely on, or its client does not tell what it sends. */
  readonly parts: readonly { readonly partNumber: number; readonly etag: string }[] | undefined;
}

// A client that tells of its parts knows them itself; this bounds how long a lie or a lost message of its lasts.
const knownSeconds = 30;

/** An upload of this owner with its parts. Anyone else's does not exist. */
export async function findKnownUpload(
  db: Db,
  uploadId: string,
  ownerId: string,
): Promise<KnownUpload | undefined> {
  const result = await db.execute(sql`
    SELECT ${uploadColumns('uploads')},
      EXISTS (SELECT FROM video_imports WHERE video_imports.upload_id = uploads.id) AS "isImport",
      CASE WHEN checked_at > now() - make_interval(secs => ${knownSeconds}) THEN (
        SELECT json_agg(json_build_object('partNumber', part_number, 'etag', etag) ORDER BY part_number)
        FROM upload_parts WHERE upload_id = uploads.id
      ) END AS parts
    FROM uploads WHERE id = ${uploadId}::uuid AND owner_id = ${ownerId}::uuid`);
  const row = result.rows[0] as
    | (UploadRow & { isImport: boolean; parts: KnownUpload['parts'] | null })
    | undefined;
  if (row === undefined) return undefined;
  const { isImport, parts, ...upload } = row;
  return { upload, isImport, parts: parts ?? undefined };
}

/** Forgets what was known of the parts of an upload: S3 says otherwise. */
export async function forgetParts(db: Db, uploadId: string): Promise<void> {
  await db.execute(sql`
    WITH upload AS (UPDATE uploads SET checked_at = NULL WHERE id = ${uploadId}::uuid RETURNING id)
    DELETE FROM upload_parts USING upload WHERE upload_parts.upload_id = upload.id`);
}
