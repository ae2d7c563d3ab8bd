import { type SQL, sql } from 'drizzle-orm';
import { atomic, type Db } from '../../db/client.ts';
import { userSummaryJson } from '../users/index.ts';
import { videoSummaryJson, videoVisibleTo } from '../videos/index.ts';
import { maxItems } from './playlists.schemas.ts';
import type { PlaylistItemRow } from './playlists.views.ts';

/** Between two items that were put at the end one after the other: room for twenty halvings. */
const gap = 1_048_576;

/** Where an item goes: right after another, to the front (null), or to the end (undefined). */
export type Place = string | null | undefined;

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Makes this transaction the only one that changes the list, so that the statements after it see what the one before did. */
const lockList = (db: Db, list: SQL) => db.execute(sql`SELECT id FROM (${list}) AS list`);

/** CTEs `anchor(id, rank)` and `follower(rank)`: the item to stand after, and the rank of the one behind it, without `moving`. */
const neighbours = (list: SQL, afterId: string, moving: SQL): SQL => sql`
  anchor AS (
    SELECT item.id, item.rank FROM playlist_items AS item
    WHERE item.id = ${afterId}::uuid AND item.id <> ${moving} AND item.playlist_id = (SELECT id FROM (${list}) AS list)
  ),
  follower AS (
    SELECT item.rank FROM playlist_items AS item, anchor
    WHERE item.playlist_id = (SELECT id FROM (${list}) AS list) AND item.id <> ${moving}
      AND (item.rank, item.id) > (anchor.rank, anchor.id)
    ORDER BY item.rank, item.id LIMIT 1
  )`;

/** Numbers the whole list anew if there is no room between the item to stand after and the one behind it. */
const makeRoom = (db: Db, list: SQL, place: Place, moving: SQL) =>
  typeof place !== 'string'
    ? db.execute(sql`SELECT 1 AS nothing_to_do`)
    : db.execute(sql`
        WITH ${neighbours(list, place, moving)},
        cramped AS (SELECT FROM anchor, follower WHERE follower.rank - anchor.rank < 2),
        numbered AS (
          SELECT item.id, item.playlist_id, row_number() OVER (ORDER BY item.rank, item.id) * ${gap}::bigint AS rank
          FROM playlist_items AS item
          WHERE item.playlist_id = (SELECT id FROM (${list}) AS list) AND EXISTS (SELECT FROM cramped)
        ),
        counted AS (
          UPDATE playlists SET numbering = numbering + 1
          WHERE id = (SELECT playlist_id FROM numbered LIMIT 1)
        )
        UPDATE playlist_items SET rank = numbered.rank FROM numbered WHERE playlist_items.id = numbered.id`);

/** The rank of a place, as CTEs ending in `spot(rank)`: no row where the item to stand after is not there. */
const spotOf = (list: SQL, place: Place, moving: SQL): SQL => {
  const items = sql`playlist_items AS item WHERE item.playlist_id = (SELECT id FROM (${list}) AS list) AND item.id <> ${moving}`;
  if (place === undefined)
    return sql`spot AS (SELECT coalesce(max(item.rank), 0) + ${gap}::bigint AS rank FROM ${items})`;
  if (place === null)
    return sql`spot AS (SELECT coalesce(min(item.rank), 0) - ${gap}::bigint AS rank FROM ${items})`;
  return sql`${neighbours(list, place, moving)},
    spot AS (
      SELECT coalesce(anchor.rank + (follower.rank - anchor.rank) / 2, anchor.rank + ${gap}::bigint) AS rank
      FROM anchor LEFT JOIN follower ON true
    )`;
};

const itemColumns = (viewerId: string): SQL => {
  const visible = videoVisibleTo(viewerId);
  return sql`item.id, item.rank::text AS rank, 0 AS numbering, CASE WHEN ${visible} THEN ${videoSummaryJson('video')} END AS video,
    CASE WHEN ${visible} THEN ${userSummaryJson('owner')} END AS channel, ${utc(sql`item.added_at`)} AS "addedAt"`;
};

const withVideo = sql`JOIN videos AS video ON video.id = item.video_id JOIN users AS owner ON owner.id = video.owner_id`;

export interface AddOutcome {
  readonly list: boolean;
  readonly video: boolean;
  readonly duplicate: boolean;
  readonly full: boolean;
  readonly spot: boolean;
  readonly item: PlaylistItemRow | null;
}

const addTo = (
  list: SQL,
  added: { readonly id: string; readonly ownerId: string; readonly videoId: string; readonly place: Place },
): SQL => {
  const item = sql`${added.id}::uuid`;
  return sql`
    WITH list AS (${list}),
    seen AS (
      SELECT video.id FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
      WHERE video.id = ${added.videoId}::uuid AND ${videoVisibleTo(added.ownerId)}
    ),
    existing AS (SELECT item.* FROM playlist_items AS item JOIN list ON list.id = item.playlist_id WHERE item.id = ${item}),
    duplicate AS (
      SELECT FROM playlist_items AS item JOIN list ON list.id = item.playlist_id
      WHERE item.video_id = ${added.videoId}::uuid AND NOT list.allow_duplicates LIMIT 1
    ),
    held AS (SELECT count(*) AS items FROM playlist_items AS item JOIN list ON list.id = item.playlist_id),
    ${spotOf(list, added.place, item)},
    made AS (
      INSERT INTO playlist_items (id, playlist_id, owner_id, video_id, rank)
      SELECT ${item}, list.id, list.owner_id, seen.id, spot.rank FROM list, seen, spot, held
      WHERE held.items < ${maxItems} AND NOT EXISTS (SELECT FROM duplicate)
      ON CONFLICT (id) DO NOTHING RETURNING *
    ),
    touched AS (UPDATE playlists SET updated_at = now() FROM made WHERE playlists.id = made.playlist_id),
    written AS (SELECT * FROM made UNION ALL SELECT * FROM existing)
    SELECT EXISTS (SELECT FROM list) AS list, EXISTS (SELECT FROM seen) AS video, EXISTS (SELECT FROM duplicate) AS duplicate,
      (SELECT items >= ${maxItems} FROM held) AS "full", EXISTS (SELECT FROM spot) AS spot,
      (SELECT to_json(page) FROM (SELECT ${itemColumns(added.ownerId)} FROM written AS item ${withVideo}) AS page) AS item`;
};

/** Puts a video into a list of the owner's. An item of this id that is there already is returned as it is. */
export async function insertItem(
  db: Db,
  added: {
    readonly id: string;
    readonly playlistId: string;
    readonly ownerId: string;
    readonly videoId: string;
    readonly place: Place;
  },
): Promise<AddOutcome> {
  const list = sql`SELECT * FROM playlists WHERE id = ${added.playlistId}::uuid AND owner_id = ${added.ownerId}::uuid`;
  const [, , result] = await atomic(db, [
    lockList(db, sql`${list} FOR UPDATE`),
    makeRoom(db, list, added.place, sql`${added.id}::uuid`),
    db.execute(addTo(list, added)),
  ]);
  return result.rows[0] as unknown as AddOutcome;
}

/** Puts a video at the end of the owner's built-in list, which is made if it is the first. */
export async function insertWatchLater(
  db: Db,
  added: { readonly id: string; readonly listId: string; readonly ownerId: string; readonly videoId: string },
): Promise<AddOutcome> {
  const list = sql`SELECT * FROM playlists WHERE owner_id = ${added.ownerId}::uuid AND kind = 'watch_later'`;
  const [, , result] = await atomic(db, [
    db.execute(sql`
      INSERT INTO playlists (id, owner_id, kind, title)
      SELECT ${added.listId}::uuid, ${added.ownerId}::uuid, 'watch_later', 'Watch later'
      FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
      WHERE video.id = ${added.videoId}::uuid AND ${videoVisibleTo(added.ownerId)}
      ON CONFLICT (owner_id) WHERE kind = 'watch_later' DO NOTHING`),
    lockList(db, sql`${list} FOR UPDATE`),
    db.execute(addTo(list, { ...added, place: undefined })),
  ]);
  return result.rows[0] as unknown as AddOutcome;
}

/** Moves an item of a list of the owner's. */
export async function moveItem(
  db: Db,
  moved: { readonly id: string; readonly ownerId: string; readonly place: string | null },
): Promise<{ readonly found: boolean; readonly item: PlaylistItemRow | null }> {
  const item = sql`${moved.id}::uuid`;
  const list = sql`SELECT * FROM playlists WHERE owner_id = ${moved.ownerId}::uuid
    AND id = (SELECT playlist_id FROM playlist_items WHERE playlist_items.id = ${item})`;
  const [, , result] = await atomic(db, [
    lockList(db, sql`${list} FOR UPDATE`),
    makeRoom(db, list, moved.place, item),
    db.execute(sql`
      WITH list AS (${list}),
      ${spotOf(list, moved.place, item)},
      made AS (
        UPDATE playlist_items SET rank = spot.rank FROM spot, list
        WHERE playlist_items.id = ${item} AND playlist_items.playlist_id = list.id RETURNING playlist_items.*
      ),
      touched AS (UPDATE playlists SET updated_at = now() FROM made WHERE playlists.id = made.playlist_id)
      SELECT EXISTS (SELECT FROM list) AS found,
        (SELECT to_json(page) FROM (SELECT ${itemColumns(moved.ownerId)} FROM made AS item ${withVideo}) AS page) AS item`),
  ]);
  return result.rows[0] as unknown as { found: boolean; item: PlaylistItemRow | null };
}

/** Takes an item out of a list of the owner's. */
export async function deleteItem(db: Db, id: string, ownerId: string): Promise<boolean> {
  const result = await db.execute(sql`
    WITH gone AS (
      DELETE FROM playlist_items WHERE id = ${id}::uuid AND owner_id = ${ownerId}::uuid RETURNING playlist_id
    ),
    touched AS (UPDATE playlists SET updated_at = now() FROM gone WHERE playlists.id = gone.playlist_id)
    SELECT 1 FROM gone`);
  return result.rows.length > 0;
}

/** Takes a video out of the owner's built-in list. @returns false when it is not in it and the owner may not see it. */
export async function deleteWatchLater(db: Db, videoId: string, ownerId: string): Promise<boolean> {
  const result = await db.execute(sql`
    WITH gone AS (
      DELETE FROM playlist_items AS item USING playlists AS list
      WHERE item.video_id = ${videoId}::uuid AND item.playlist_id = list.id AND list.owner_id = ${ownerId}::uuid
        AND list.kind = 'watch_later'
      RETURNING item.playlist_id
    ),
    touched AS (UPDATE playlists SET updated_at = now() FROM gone WHERE playlists.id = gone.playlist_id)
    SELECT EXISTS (SELECT FROM gone) OR EXISTS (
      SELECT FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
      WHERE video.id = ${videoId}::uuid AND ${videoVisibleTo(ownerId)}) AS found`);
  return result.rows[0]?.found === true;
}
