import type { RequestContext } from '../../../context.ts';
import { requireViewerId, viewerIdOf } from '../../../http/viewer.ts';
import { videoNotFound } from '../../videos/index.ts';
import {
  type AddOutcome,
  deleteItem,
  deleteWatchLater,
  insertItem,
  insertWatchLater,
  moveItem as moveRow,
  type Place,
} from '../items.repository.ts';
import {
  alreadyInPlaylist,
  anchorNotAvailable,
  playlistFull,
  playlistItemNotFound,
  playlistNotFound,
  videoNotAvailable,
} from '../playlists.errors.ts';
import { listItems as listItemRows, listWatchLater as listLaterRows } from '../playlists.repository.ts';
import type { ItemPosition } from '../playlists.schemas.ts';
import type { PlaylistItemRow } from '../playlists.views.ts';

interface Page {
  readonly after: ItemPosition | undefined;
  readonly limit: number;
}

/**
 * The items of a playlist the caller may see, in order.
 * @throws playlists.not_found
 */
export async function listItems(
  ctx: RequestContext,
  playlistId: string,
  page: Page,
): Promise<PlaylistItemRow[]> {
  const items = await listItemRows(ctx.readDb, playlistId, viewerIdOf(ctx), page);
  if (items === undefined) throw playlistNotFound();
  return items;
}

/**
 * Puts a video the caller may see into a playlist of the caller's.
 * @throws playlists.not_found, playlists.video_not_available, playlists.already_in_list, playlists.full,
 * playlists.anchor_not_available.
 */
export async function addItem(
  ctx: RequestContext,
  input: { readonly playlistId: string; readonly videoId: string; readonly place: Place },
): Promise<PlaylistItemRow> {
  const outcome = await insertItem(ctx.databases.primary, {
    ...input,
    id: ctx.ids.next(),
    ownerId: requireViewerId(ctx),
  });
  if (outcome.item !== null) return outcome.item;
  throw refusalOf(outcome);
}

function refusalOf({ list, video, duplicate, full }: AddOutcome): Error {
  if (!list) return playlistNotFound();
  if (!video)
    return videoNotAvailable({
      errors: [{ pointer: '/video_id', code: 'not_available', message: 'There is no such video.' }],
    });
  if (duplicate) return alreadyInPlaylist();
  if (full) return playlistFull();
  return noAnchor();
}

const noAnchor = () =>
  anchorNotAvailable({
    errors: [{ pointer: '/after_item_id', code: 'not_available', message: 'There is no such item.' }],
  });

/**
 * Moves an item of a playlist of the caller's right after another one, or to the front (null).
 * @throws playlists.item_not_found, playlists.anchor_not_available.
 */
export async function moveItem(
  ctx: RequestContext,
  id: string,
  place: string | null,
): Promise<PlaylistItemRow> {
  const ownerId = requireViewerId(ctx);
  const { found, item } = await moveRow(ctx.databases.primary, { id, ownerId, place });
  if (!found) throw playlistItemNotFound();
  if (item === null) throw noAnchor();
  return item;
}

/**
 * Takes an item out of a playlist of the caller's.
 * @throws playlists.item_not_found
 */
export async function removeItem(ctx: RequestContext, id: string): Promise<void> {
  if (!(await deleteItem(ctx.databases.primary, id, requireViewerId(ctx)))) throw playlistItemNotFound();
}

/** What the caller keeps to watch later, in order. */
export const listWatchLater = async (ctx: RequestContext, page: Page): Promise<PlaylistItemRow[]> =>
  (await listLaterRows(ctx.readDb, requireViewerId(ctx), page)) ?? [];

/**
 * Keeps a video to watch later. Keeping it twice is keeping it once.
 * @throws videos.not_found, playlists.full.
 */
export async function keepForLater(ctx: RequestContext, videoId: string): Promise<void> {
  const outcome = await insertWatchLater(ctx.databases.primary, {
    id: ctx.ids.next(),
    listId: ctx.ids.next(),
    ownerId: requireViewerId(ctx),
    videoId,
  });
  if (!outcome.video) throw videoNotFound();
  if (outcome.item === null && !outcome.duplicate) throw playlistFull();
}

/**
 * Takes a video from what the caller keeps to watch later.
 * @throws videos.not_found for one that is not kept and that the caller may not see.
 */
export async function dropFromLater(ctx: RequestContext, videoId: string): Promise<void> {
  if (!(await deleteWatchLater(ctx.databases.primary, videoId, requireViewerId(ctx)))) throw videoNotFound();
}
