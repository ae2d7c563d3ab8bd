import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import type { ExportSection } from './personal-data.policy.ts';

// Names come from the list in personal-data.policy.ts, never from input.
const column = (name: string): SQL => sql`t.${sql.identifier(name)}`;

export interface ExportedRow {
  readonly key: string;
  /** A JSON object. */
  readonly line: string;
}

/** A page of the rows of one section, in order of their key, after the given one. */
export async function listExportedRows(
  db: Db,
  section: ExportSection & { readonly table: string },
  userId: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<ExportedRow[]> {
  const key = column(section.key);
  const keyType = sql.raw(section.keyType ?? 'uuid');
  const userType = sql.raw(section.byType ?? 'uuid');
  const fields = section.columns.map((name) => sql`${name}::text, ${column(name)}`);
  const result = await db.execute(sql`
    SELECT ${key}::text AS key, json_build_object(${sql.join(fields, sql`, `)})::text AS line
    FROM ${sql.identifier(section.table)} AS t
    WHERE ${column(section.by)} = ${userId}::${userType} AND ${onlyOf(section)}
      AND ${after === undefined ? sql`true` : sql`${key} > ${after}::${keyType}`}
    ORDER BY ${key} LIMIT ${limit}`);
  return result.rows as unknown as ExportedRow[];
}

function onlyOf({ only }: ExportSection): SQL {
  if (only === undefined) return sql`true`;
  return only.is === 'null' ? sql`${column(only.column)} IS NULL` : sql`${column(only.column)} IS NOT NULL`;
}

export interface OwnFile {
  /** What the next page goes on after. */
  readonly key: string;
  /** The video made of the file, or to be made of it. */
  readonly videoId: string;
  readonly title: string;
  readonly fileName: string;
  readonly objectKey: string;
}

/** A page of the original files of a user that are kept. */
export async function listOwnFiles(
  db: Db,
  userId: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<OwnFile[]> {
  const result = await db.execute(sql`
    SELECT videos.id AS key, coalesce(videos.replaces_id, videos.id) AS "videoId", videos.title,
      videos.source_key AS "objectKey",
      coalesce((SELECT file_name FROM uploads
        WHERE uploads.video_id IN (
            SELECT videos.id UNION ALL SELECT made.id FROM videos AS made WHERE made.replaces_id = videos.id)
          AND uploads.state = 'completed'
        ORDER BY regexp_replace(uploads.object_key, '^quarantine/', 'originals/') = videos.source_key DESC,
          uploads.id DESC LIMIT 1), '') AS "fileName"
    FROM videos
    WHERE owner_id = ${userId}::uuid AND source_key IS NOT NULL AND deleted_at IS NULL
      AND ${after === undefined ? sql`true` : sql`videos.id > ${after}::uuid`}
    ORDER BY videos.id LIMIT ${limit}`);
  return result.rows as unknown as OwnFile[];
}

/**
 * Deletes up to `limit` rows whose `column` is the user.
 * @returns how many there were.
 */
export async function deleteUserRows(
  db: Db,
  rows: { readonly table: string; readonly column: string },
  userId: string,
  limit: number,
): Promise<number> {
  const table = sql.identifier(rows.table);
  const result = await db.execute(sql`
    DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM ${table} WHERE ${sql.identifier(rows.column)} = ${userId}::uuid LIMIT ${limit}))`);
  return result.rowCount;
}
