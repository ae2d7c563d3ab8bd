import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { textArray } from '../../db/outbox.ts';
import { randomIds } from '../../shared/ids.ts';

/** Paths sent, or about to be sent, to the CDN together. */
export interface InvalidationBatch {
  /** The CallerReference. */
  readonly id: string;
  readonly paths: readonly string[];
  /** Null until the CDN has accepted it. */
  readonly invalidationId: string | null;
}

/** Asks for paths to be forgotten; one that waits already waits once. */
export async function requestInvalidations(db: Db, paths: readonly string[]): Promise<void> {
  const rows = JSON.stringify(paths.map((path) => ({ id: randomIds.next(), path })));
  await db.execute(sql`
    INSERT INTO cdn_invalidations (id, path)
    SELECT id, path FROM jsonb_to_recordset(${rows}::jsonb) AS wanted (id uuid, path text)
    ON CONFLICT (path) WHERE batch_id IS NULL DO NOTHING`);
}

/** Everything that is under way. */
export async function listBatches(db: Db): Promise<InvalidationBatch[]> {
  const result = await db.execute(sql`
    SELECT batch_id AS id, json_agg(path ORDER BY path) AS paths, min(invalidation_id) AS "invalidationId"
    FROM cdn_invalidations WHERE batch_id IS NOT NULL GROUP BY batch_id ORDER BY min(claimed_at)`);
  return result.rows as unknown as InvalidationBatch[];
}

/**
 * Makes a batch of the paths that have waited longest, as many as may be in progress beside those that are.
 * @returns undefined when none waits, or none may be added now.
 */
export async function claimBatch(
  db: Db,
  batchId: string,
  limits: { readonly wildcards: number; readonly paths: number },
): Promise<InvalidationBatch | undefined> {
  const result = await db.execute(sql`
    WITH running AS (
      SELECT count(*) AS paths, count(*) FILTER (WHERE path LIKE '%*') AS wildcards
      FROM cdn_invalidations WHERE batch_id IS NOT NULL
    ), waiting AS (
      SELECT id, row_number() OVER oldest AS place, sum((path LIKE '%*')::integer) OVER oldest AS wildcards
      FROM cdn_invalidations WHERE batch_id IS NULL WINDOW oldest AS (ORDER BY requested_at, id)
    ), claimed AS (
      UPDATE cdn_invalidations SET batch_id = ${batchId}::uuid, claimed_at = now()
      FROM waiting, running
      WHERE cdn_invalidations.id = waiting.id AND cdn_invalidations.batch_id IS NULL
        AND running.paths + waiting.place <= ${limits.paths}
        AND running.wildcards + waiting.wildcards <= ${limits.wildcards}
      RETURNING path
    )
    SELECT json_agg(path ORDER BY path) AS paths FROM claimed`);
  const paths = result.rows[0]?.paths as readonly string[] | null | undefined;
  return paths === null || paths === undefined ? undefined : { id: batchId, paths, invalidationId: null };
}

/** Keeps the id under which the CDN accepted a batch. */
export async function acceptBatch(db: Db, batchId: string, invalidationId: string): Promise<void> {
  await db.execute(sql`
    UPDATE cdn_invalidations SET invalidation_id = ${invalidationId} WHERE batch_id = ${batchId}::uuid`);
}

/** Puts a batch the CDN did not take back into the line; what waits there again waits once. */
export async function releaseBatch(db: Db, { id, paths }: InvalidationBatch): Promise<void> {
  await db.execute(sql`
    WITH gone AS (
      DELETE FROM cdn_invalidations WHERE batch_id = ${id}::uuid RETURNING path, requested_at
    )
    INSERT INTO cdn_invalidations (id, path, requested_at)
    SELECT gen_random_uuid(), path, requested_at FROM gone WHERE path = ANY(${textArray(paths)}::text[])
    ON CONFLICT (path) WHERE batch_id IS NULL DO NOTHING`);
}

/** Forgets a batch that is done. */
export async function finishBatch(db: Db, batchId: string): Promise<void> {
  await db.execute(sql`DELETE FROM cdn_invalidations WHERE batch_id = ${batchId}::uuid`);
}

/** Forgets what waits, where there is no CDN to tell. */
export async function dropWaiting(db: Db): Promise<void> {
  await db.execute(sql`DELETE FROM cdn_invalidations WHERE batch_id IS NULL`);
}
