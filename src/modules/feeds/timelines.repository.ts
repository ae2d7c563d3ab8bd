import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { textArray } from '../../db/outbox.ts';
import { slotOf } from '../../db/slots.ts';

/** The newest posts in a timeline, before `before`, newest first. `shard` is the owner's. */
export async function listEntries(
  shard: Db,
  ownerId: string,
  { before, limit }: { readonly before: string | undefined; readonly limit: number },
): Promise<string[]> {
  const older = before === undefined ? sql`true` : sql`post_id < ${before}::uuid`;
  const result = await shard.execute(sql`
    SELECT post_id AS id FROM timeline_entries
    WHERE owner_id = ${ownerId}::uuid AND ${older} ORDER BY post_id DESC LIMIT ${limit}`);
  return result.rows.map((row) => String(row.id));
}

/** Puts one post into many timelines of a shard. Those that hold it already stay as they are. */
export async function insertPostEntries(
  shard: Db,
  ownerIds: readonly string[],
  post: { readonly id: string; readonly authorId: string },
): Promise<void> {
  const slots = `{${ownerIds.map(slotOf).join(',')}}`;
  await shard.execute(sql`
    INSERT INTO timeline_entries (owner_id, post_id, slot, author_id)
    SELECT owner_id, ${post.id}::uuid, slot, ${post.authorId}::uuid
    FROM unnest(${textArray(ownerIds)}::uuid[], ${slots}::smallint[]) AS owners (owner_id, slot)
    ON CONFLICT DO NOTHING`);
}

/** Puts posts of one author into one timeline. */
export async function insertAuthorEntries(
  shard: Db,
  ownerId: string,
  authorId: string,
  postIds: readonly string[],
): Promise<void> {
  await shard.execute(sql`
    INSERT INTO timeline_entries (owner_id, post_id, slot, author_id)
    SELECT ${ownerId}::uuid, post_id, ${slotOf(ownerId)}, ${authorId}::uuid
    FROM unnest(${textArray(postIds)}::uuid[]) AS post_id
    ON CONFLICT DO NOTHING`);
}

/** Takes the posts of one author out of one timeline. */
export async function deleteAuthorEntries(shard: Db, ownerId: string, authorId: string): Promise<void> {
  await shard.execute(sql`
    DELETE FROM timeline_entries WHERE owner_id = ${ownerId}::uuid AND author_id = ${authorId}::uuid`);
}

export interface TrimStep {
  readonly deleted: number;
  /** The last timeline looked at, or null when there was none. */
  readonly lastOwnerId: string | null;
}

/**
 * Looks at the next `ownerBatch` timelines of a shard after `afterOwnerId` and deletes what they hold beyond their newest
 * `keep` entries, at most `deleteBatch` entries at once.
 */
export async function trimOwners(
  shard: Db,
  options: {
    readonly afterOwnerId: string | null;
    readonly ownerBatch: number;
    readonly deleteBatch: number;
    readonly keep: number;
  },
): Promise<TrimStep> {
  const { afterOwnerId, ownerBatch, deleteBatch, keep } = options;
  const beyond = afterOwnerId === null ? sql`true` : sql`owner_id > ${afterOwnerId}::uuid`;
  const result = await shard.execute(sql`
    WITH owners AS (
      SELECT owner_id, count(*) AS entries FROM timeline_entries
      WHERE ${beyond} GROUP BY owner_id ORDER BY owner_id LIMIT ${ownerBatch}
    ),
    excess AS (
      SELECT owners.owner_id, oldest.post_id FROM owners CROSS JOIN LATERAL (
        SELECT post_id FROM timeline_entries AS entry WHERE entry.owner_id = owners.owner_id
        ORDER BY post_id LIMIT least(entries - ${keep}::bigint, ${deleteBatch}::bigint)
      ) AS oldest
      WHERE entries > ${keep}::bigint
      LIMIT ${deleteBatch}
    ),
    gone AS (
      DELETE FROM timeline_entries USING excess
      WHERE timeline_entries.owner_id = excess.owner_id AND timeline_entries.post_id = excess.post_id
      RETURNING 1
    )
    SELECT (SELECT count(*) FROM gone)::integer AS deleted,
           (SELECT owner_id FROM owners ORDER BY owner_id DESC LIMIT 1) AS "lastOwnerId"`);
  return result.rows[0] as unknown as TrimStep;
}
