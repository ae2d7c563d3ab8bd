import type { RequestContext } from '../../../context.ts';
import { requireViewerId, viewerIdOf } from '../../../http/viewer.ts';
import { userNotFound } from '../../users/index.ts';
import { playlistBuiltIn, playlistNotFound, tooManyPlaylists } from '../playlists.errors.ts';
import {
  deletePlaylist as deleteRow,
  findPlaylist,
  insertPlaylist,
  listOwnPlaylists,
  listPublicPlaylists,
  type NewPlaylist,
  updatePlaylist as updateRow,
} from '../playlists.repository.ts';
import type { PlaylistChanges } from '../playlists.schemas.ts';
import type { PlaylistRow } from '../playlists.views.ts';

/**
 * Makes a playlist of the caller's.
 * @throws playlists.too_many
 */
export async function createPlaylist(
  ctx: RequestContext,
  input: Omit<NewPlaylist, 'id' | 'ownerId'>,
): Promise<PlaylistRow> {
  const ownerId = requireViewerId(ctx);
  const playlist = await insertPlaylist(ctx.databases.primary, { ...input, id: ctx.ids.next(), ownerId });
  if (playlist === undefined) throw tooManyPlaylists();
  return playlist;
}

/**
 * A playlist the caller may see.
 * @throws playlists.not_found
 */
export async function getPlaylist(ctx: RequestContext, id: string): Promise<PlaylistRow> {
  const playlist = await findPlaylist(ctx.readDb, id, viewerIdOf(ctx));
  if (playlist === undefined) throw playlistNotFound();
  return playlist;
}

/**
 * Changes a playlist of the caller's.
 * @throws playlists.not_found, playlists.built_in.
 */
export async function updatePlaylist(
  ctx: RequestContext,
  id: string,
  changes: PlaylistChanges,
): Promise<PlaylistRow> {
  const playlist = await updateRow(ctx.databases.primary, id, requireViewerId(ctx), changes);
  if (playlist === undefined) throw playlistNotFound();
  if (playlist === 'built_in') throw playlistBuiltIn();
  return playlist;
}

/**
 * Deletes a playlist of the caller's with all its items.
 * @throws playlists.not_found, playlists.built_in.
 */
export async function deletePlaylist(ctx: RequestContext, id: string): Promise<void> {
  const outcome = await deleteRow(ctx.databases.primary, id, requireViewerId(ctx));
  if (outcome === undefined) throw playlistNotFound();
  if (outcome === 'built_in') throw playlistBuiltIn();
}

interface Page {
  readonly before: string | undefined;
  readonly limit: number;
}

/** All playlists of the caller, newest first. */
export const listMyPlaylists = (ctx: RequestContext, page: Page): Promise<PlaylistRow[]> =>
  listOwnPlaylists(ctx.readDb, requireViewerId(ctx), page);

/**
 * The public playlists of a user, newest first.
 * @throws users.not_found when the user is not active or blocks the caller.
 */
export async function listUserPlaylists(
  ctx: RequestContext,
  ownerId: string,
  page: Page,
): Promise<PlaylistRow[]> {
  const playlists = await listPublicPlaylists(ctx.readDb, ownerId, viewerIdOf(ctx), page);
  if (playlists === undefined) throw userNotFound();
  return playlists;
}
