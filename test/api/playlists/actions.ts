import { callJson, type TestUser } from '../../support/worker/client.ts';
import { readAll } from '../posts/actions.ts';

export interface PlaylistBody {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly visibility: string;
  readonly item_count: number;
  readonly cover_url: string | null;
}

export interface ItemBody {
  readonly id: string;
  readonly video: { readonly id: string } | null;
  readonly channel: { readonly id: string } | null;
}

export const playlist = (owner: TestUser, more: Readonly<Record<string, unknown>> = {}) =>
  callJson<PlaylistBody>(201, 'POST', '/v1/playlists', {
    token: owner.token,
    body: { title: 'A list', ...more },
  });

export const add = (owner: TestUser, list: PlaylistBody, videoId: string, after?: string | null) =>
  callJson<ItemBody>(201, 'POST', `/v1/playlists/${list.id}/items`, {
    token: owner.token,
    body: { video_id: videoId, ...(after === undefined ? {} : { after_item_id: after }) },
  });

export const move = (owner: TestUser, itemId: string, after: string | null) =>
  callJson<ItemBody>(200, 'PATCH', `/v1/playlist-items/${itemId}`, {
    token: owner.token,
    body: { after_item_id: after },
  });

export const remove = (owner: TestUser, itemId: string) =>
  callJson(204, 'DELETE', `/v1/playlist-items/${itemId}`, { token: owner.token });

/** The items of a list, read page by page. */
export const itemsOf = (list: PlaylistBody, viewer: TestUser, limit = 100): Promise<ItemBody[]> =>
  readAll<ItemBody>(`/v1/playlists/${list.id}/items`, viewer, limit);
