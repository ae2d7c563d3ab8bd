import { encodeId } from '../../shared/ids.ts';
import { presentUserSummary, type UserSummaryRow } from '../users/index.ts';
import { presentVideoSummary, type VideoSummaryRow } from '../videos/index.ts';
import type { PlaylistItemView, PlaylistView, PlaylistVisibility } from './playlists.schemas.ts';

export interface PlaylistRow {
  readonly id: string;
  readonly owner: UserSummaryRow;
  readonly kind: 'custom' | 'watch_later';
  readonly title: string;
  readonly description: string;
  readonly visibility: PlaylistVisibility;
  readonly allowDuplicates: boolean;
  readonly itemCount: number;
  /** The first video with a thumbnail the viewer may see. */
  readonly cover: VideoSummaryRow | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface PlaylistItemRow {
  readonly id: string;
  readonly rank: string;
  readonly numbering: number;
  readonly video: VideoSummaryRow | null;
  readonly channel: UserSummaryRow | null;
  readonly addedAt: string;
}

/** `cdnBaseUrl` is `ctx.config.aws.cdnBaseUrl`. */
export const presentPlaylist = (playlist: PlaylistRow, cdnBaseUrl: string): PlaylistView => ({
  id: encodeId('playlist', playlist.id),
  owner: presentUserSummary(playlist.owner, cdnBaseUrl),
  kind: playlist.kind,
  title: playlist.title,
  description: playlist.description,
  visibility: playlist.visibility,
  allow_duplicates: playlist.allowDuplicates,
  item_count: playlist.itemCount,
  cover_url: playlist.cover === null ? null : presentVideoSummary(playlist.cover, cdnBaseUrl).thumbnail_url,
  created_at: playlist.createdAt,
  updated_at: playlist.updatedAt,
});

export const presentPlaylistItem = (item: PlaylistItemRow, cdnBaseUrl: string): PlaylistItemView => ({
  id: encodeId('playlistItem', item.id),
  video: item.video === null ? null : presentVideoSummary(item.video, cdnBaseUrl),
  channel: item.channel === null ? null : presentUserSummary(item.channel, cdnBaseUrl),
  added_at: item.addedAt,
});
