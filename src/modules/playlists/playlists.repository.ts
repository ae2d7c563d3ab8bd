import { type SQL, sql } from 'drizzle-orm';
import { atomic, type Db } from '../../db/client.ts';
import { notBlocked } from '../graph/index.ts';
import { userSummaryJson } from '../users/index.ts';
import { videoSummaryJson, videoVisibleTo } from '../videos/index.ts';
import {
  type ItemPosition,
  maxPlaylists,
  type PlaylistChanges,
  type PlaylistVisibility,
} from './playlists.schemas.ts';
import type { PlaylistItemRow, PlaylistRow } from './playlists.views.ts';

type ViewerId = string | undefined;

const viewerParameter = (viewerId: ViewerId): SQL => sql`${viewerId ?? null}::uuid`;
const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** The condition that the viewer may see a row of `playlists AS list` by `users AS list_owner`. Unlisted ones are found by their id. */
const listVisibleTo = (viewerId: ViewerId): SQL => sql`(list.owner_id = ${viewerParameter(viewerId)}
  OR (list.visibility <> 'private' AND list_owner.status = 'active' AND ${notBlocked(viewerId, sql`list.owner_id`)}))`;

/** Selects `PlaylistRow`s of `source`: SQL for a FROM item of playlists as `list`. */
export const selectPlaylists = (source: SQL, viewerId: ViewerId): SQL => sql`
  SELECT list.id, list.kind, list.title, list.description, list.visibility, list.allow_duplicates AS "allowDuplicates",
    (SELECT count(*)::integer FROM playlist_items AS item WHERE item.playlist_id = list.id) AS "itemCount",
    (SELECT first.cover FROM (
        SELECT item.rank, item.id, ${videoSummaryJson('video')} AS cover
        FROM playlist_items AS item JOIN videos AS video ON video.id = item.video_id
        JOIN users AS owner ON owner.id = video.owner_id
        WHERE item.playlist_id = list.id AND ${videoVisibleTo(viewerId)}
      ) AS first
      WHERE first.cover ->> 'thumbnailKey' IS NOT NULL AND (first.cover ->> 'stillsOpen')::boolean ORDER BY first.rank, first.id LIMIT 1) AS cover,
    ${userSummaryJson('list_owner')} AS owner,
    ${utc(sql`list.created_at`)} AS "createdAt", ${utc(sql`list.updated_at`)} AS "updatedAt"
  FROM ${source} JOIN users AS list_owner ON list_owner.id = list.owner_id`;

export interface NewPlaylist {
  readonly id: string;
  readonly ownerId: string;
  readonly title: string;
  readonly description: string;
  readonly visibility: PlaylistVisibility;
  readonly allowDuplicates: boolean;
}

/**
 * Makes a playlist; one of this id and owner that is there already is returned as it is. Makings of one owner queue behind a
 * lock, so that the count of lists holds.
 * @returns undefined when the owner has too many.
 */
export async function insertPlaylist(db: Db, list: NewPlaylist): Promise<PlaylistRow | undefined> {
  const owner = sql`${list.ownerId}::uuid`;
  const [, result] = await atomic(db, [
    db.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`playlists:${list.ownerId}`}, 0))`),
    db.execute(sql`
      WITH made AS (
        INSERT INTO playlists (id, owner_id, title, description, visibility, allow_duplicates)
        SELECT ${list.id}::uuid, ${owner}, ${list.title}, ${list.description}, ${list.visibility}, ${list.allowDuplicates}
        WHERE (SELECT count(*) FROM playlists WHERE owner_id = ${owner} AND kind = 'custom') < ${maxPlaylists}
        ON CONFLICT (id) DO NOTHING RETURNING *
      ),
      written AS (
        SELECT * FROM made UNION ALL SELECT * FROM playlists WHERE id = ${list.id}::uuid AND owner_id = ${owner}
      )
      ${selectPlaylists(sql`written AS list`, list.ownerId)}`),
  ]);
  return result.rows[0] as unknown as PlaylistRow | undefined;
}

/** A playlist, if the viewer may see it. */
export async function findPlaylist(db: Db, id: string, viewerId: ViewerId): Promise<PlaylistRow | undefined> {
  const result = await db.execute(sql`
    ${selectPlaylists(sql`playlists AS list`, viewerId)} WHERE list.id = ${id}::uuid AND ${listVisibleTo(viewerId)}`);
  return result.rows[0] as unknown as PlaylistRow | undefined;
}

/** Changes what is given; undefined when the owner has no such list, `built_in` for one that may not be changed. */
export async function updatePlaylist(
  db: Db,
  id: string,
  ownerId: string,
  changes: PlaylistChanges,
): Promise<PlaylistRow | 'built_in' | undefined> {
  const assignments = [sql`updated_at = now()`];
  if (changes.title !== undefined) assignments.push(sql`title = ${changes.title}`);
  if (changes.description !== undefined) assignments.push(sql`description = ${changes.description}`);
  if (changes.visibility !== undefined) assignments.push(sql`visibility = ${changes.visibility}`);
  if (changes.allow_duplicates !== undefined)
    assignments.push(sql`allow_duplicates = ${changes.allow_duplicates}`);
  const result = await db.execute(sql`
    WITH target AS (SELECT * FROM playlists WHERE id = ${id}::uuid AND owner_id = ${ownerId}::uuid FOR UPDATE),
    made AS (
      UPDATE playlists SET ${sql.join(assignments, sql`, `)} FROM target
      WHERE playlists.id = target.id AND target.kind = 'custom' RETURNING playlists.*
    ),
    now_is AS (SELECT * FROM made UNION ALL SELECT * FROM target WHERE kind <> 'custom')
    ${selectPlaylists(sql`now_is AS list`, ownerId)}`);
  const row = result.rows[0] as unknown as PlaylistRow | undefined;
  return row?.kind === 'watch_later' ? 'built_in' : row;
}

/** Deletes a list with its items. */
export async function deletePlaylist(
  db: Db,
  id: string,
  ownerId: string,
): Promise<'deleted' | 'built_in' | undefined> {
  const result = await db.execute(sql`
    WITH target AS (SELECT id, kind FROM playlists WHERE id = ${id}::uuid AND owner_id = ${ownerId}::uuid),
    gone AS (DELETE FROM playlists USING target WHERE playlists.id = target.id AND target.kind = 'custom')
    SELECT kind FROM target`);
  const [row] = result.rows;
  if (row === undefined) return undefined;
  return row.kind === 'custom' ? 'deleted' : 'built_in';
}

interface Page {
  readonly before: string | undefined;
  readonly limit: number;
}

/** A page of all lists of an owner, newest first. */
export async function listOwnPlaylists(db: Db, ownerId: string, page: Page): Promise<PlaylistRow[]> {
  const older = page.before === undefined ? sql`true` : sql`list.id < ${page.before}::uuid`;
  const result = await db.execute(sql`
    ${selectPlaylists(sql`playlists AS list`, ownerId)}
    WHERE list.owner_id = ${ownerId}::uuid AND ${older} ORDER BY list.id DESC LIMIT ${page.limit}`);
  return result.rows as unknown as PlaylistRow[];
}

/**
 * A page of the public lists of an owner, newest first.
 * @returns undefined when the owner is not active or blocks the viewer.
 */
export async function listPublicPlaylists(
  db: Db,
  ownerId: string,
  viewerId: ViewerId,
  page: Page,
): Promise<PlaylistRow[] | undefined> {
  const older = page.before === undefined ? sql`true` : sql`list.id < ${page.before}::uuid`;
  const result = await db.execute(sql`
    SELECT page.*
    FROM users AS subject LEFT JOIN LATERAL (
      ${selectPlaylists(sql`playlists AS list`, viewerId)}
      WHERE list.owner_id = subject.id AND list.visibility = 'public' AND ${older} AND ${listVisibleTo(viewerId)}
      ORDER BY list.id DESC LIMIT ${page.limit}
    ) AS page ON true
    WHERE subject.id = ${ownerId}::uuid AND subject.status = 'active'
      AND NOT EXISTS (
        SELECT FROM blocks WHERE blocker_id = subject.id AND blocked_id = ${viewerParameter(viewerId)})
    ORDER BY page.id DESC`);
  const rows = result.rows as unknown as (PlaylistRow | { readonly id: null })[];
  return rows.length === 0 ? undefined : rows.filter((row): row is PlaylistRow => row.id !== null);
}

/**
 * A page of the items of one list, in order. Videos the viewer may not see are left out, except for the owner of the list, who
 * sees that something is there. `which` narrows `playlists AS list` to one.
 * @returns undefined when there is no such list for the viewer.
 */
async function listItemsOf(
  db: Db,
  which: SQL,
  viewerId: ViewerId,
  { after, limit }: { readonly after: ItemPosition | undefined; readonly limit: number },
): Promise<PlaylistItemRow[] | undefined> {
  const visible = videoVisibleTo(viewerId);
  // Ranks of another numbering say nothing: then the item is asked where it stands now.
  const beyond =
    after === undefined
      ? sql`true`
      : sql`(item.rank, item.id) > (
          CASE WHEN list.numbering = ${after.numbering}::integer THEN ${after.rank}::bigint
               ELSE coalesce((SELECT rank FROM playlist_items WHERE id = ${after.id}::uuid AND playlist_id = list.id), ${after.rank}::bigint)
          END, ${after.id}::uuid)`;
  const result = await db.execute(sql`
    SELECT page.id, page.rank::text AS rank, list.numbering, page.video, page.channel, page."addedAt"
    FROM playlists AS list JOIN users AS list_owner ON list_owner.id = list.owner_id
    LEFT JOIN LATERAL (
      SELECT item.id, item.rank, CASE WHEN ${visible} THEN ${videoSummaryJson('video')} END AS video,
        CASE WHEN ${visible} THEN ${userSummaryJson('owner')} END AS channel, ${utc(sql`item.added_at`)} AS "addedAt"
      FROM playlist_items AS item JOIN videos AS video ON video.id = item.video_id
      JOIN users AS owner ON owner.id = video.owner_id
      WHERE item.playlist_id = list.id AND ${beyond} AND (${visible} OR list.owner_id = ${viewerParameter(viewerId)})
      ORDER BY item.rank, item.id LIMIT ${limit}
    ) AS page ON true
    WHERE ${which} AND ${listVisibleTo(viewerId)}
    ORDER BY page.rank, page.id`);
  const rows = result.rows as unknown as (PlaylistItemRow | { readonly id: null })[];
  return rows.length === 0 ? undefined : rows.filter((row): row is PlaylistItemRow => row.id !== null);
}

export const listItems = (
  db: Db,
  playlistId: string,
  viewerId: ViewerId,
  page: { readonly after: ItemPosition | undefined; readonly limit: number },
) => listItemsOf(db, sql`list.id = ${playlistId}::uuid`, viewerId, page);

/** The items of the built-in list; undefined while there is none. */
export const listWatchLater = (
  db: Db,
  ownerId: string,
  page: { readonly after: ItemPosition | undefined; readonly limit: number },
) => listItemsOf(db, sql`list.owner_id = ${ownerId}::uuid AND list.kind = 'watch_later'`, ownerId, page);
