import { randomIds } from '../../../src/shared/ids.ts';
import { type CallOptions, call, callJson, sqlRows, type TestUser } from '../../support/worker/client.ts';

export interface PostBody {
  readonly id: string;
  readonly author: { readonly id: string; readonly username: string; readonly display_name: string };
  readonly text: string;
  readonly facets: readonly Record<string, unknown>[];
  readonly video: Record<string, unknown> | null;
  readonly like_count: number;
  readonly liked: boolean;
  readonly created_at: string;
}

export interface PageBody<T> {
  readonly data: readonly T[];
  readonly next_cursor: string | null;
}

/** Posts as the user and returns the post. */
export const post = (author: TestUser, text: string, more: Record<string, unknown> = {}): Promise<PostBody> =>
  callJson<PostBody>(201, 'POST', '/v1/posts', { token: author.token, body: { text, ...more } });

export const follow = (follower: TestUser, followee: TestUser) =>
  callJson(200, 'PUT', `/v1/users/${followee.id}/follow`, { token: follower.token });

export const unfollow = (follower: TestUser, followee: TestUser) =>
  callJson(200, 'DELETE', `/v1/users/${followee.id}/follow`, { token: follower.token });

export const block = (blocker: TestUser, blocked: TestUser) =>
  callJson(200, 'PUT', `/v1/users/${blocked.id}/block`, { token: blocker.token });

export const unblock = (blocker: TestUser, blocked: TestUser) =>
  callJson(200, 'DELETE', `/v1/users/${blocked.id}/block`, { token: blocker.token });

export const like = (user: TestUser, postId: string) =>
  callJson<{ liked: boolean; like_count: number }>(200, 'PUT', `/v1/posts/${postId}/like`, {
    token: user.token,
  });

export const unlike = (user: TestUser, postId: string) =>
  callJson<{ liked: boolean; like_count: number }>(200, 'DELETE', `/v1/posts/${postId}/like`, {
    token: user.token,
  });

export const getPost = (postId: string, viewer?: TestUser) =>
  callJson<PostBody>(200, 'GET', `/v1/posts/${postId}`, { token: viewer?.token });

export const readPage = <T = PostBody>(path: string, viewer?: TestUser) =>
  callJson<PageBody<T>>(200, 'GET', path, { token: viewer?.token });

export const homeFeed = (viewer: TestUser, query = '') => readPage(`/v1/feeds/home${query}`, viewer);

/** The texts on the first page of a home feed. */
export const homeTexts = async (viewer: TestUser): Promise<string[]> =>
  (await homeFeed(viewer, '?limit=100')).data.map(({ text }) => text);

export const profile = (user: TestUser) =>
  callJson<{ counters: { followers: number; following: number; posts: number } }>(
    200,
    'GET',
    `/v1/users/${user.id}`,
  );

/** Reads a list to its end, page by page. */
export async function readAll<T = PostBody>(path: string, viewer: TestUser, limit: number): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < 500; pages += 1) {
    const separator = path.includes('?') ? '&' : '?';
    const page: PageBody<T> = await readPage<T>(
      `${path}${separator}limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`,
      viewer,
    );
    items.push(...page.data);
    cursor = page.next_cursor;
    if (cursor === null) return items;
    if (page.data.length === 0) throw new Error('an empty page promised more');
  }
  throw new Error('the list does not end');
}

/** Asserts nothing: the status and the problem code of a call, for refusals. */
export async function refusal(
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<{ status: number; code: string; pointers: string[] }> {
  const response = await call(method, path, options);
  const body = (await response.json()) as { code: string; errors?: { pointer: string }[] };
  return {
    status: response.status,
    code: body.code,
    pointers: (body.errors ?? []).map(({ pointer }) => pointer),
  };
}

/** A video of the user's, as it is once published; `changes` override columns. */
export async function seedVideo(
  owner: TestUser,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const row: Record<string, unknown> = {
    id: randomIds.next(),
    owner_id: owner.uuid,
    title: 'A film',
    state: 'published',
    duration_ms: 12_500,
    width: 1280,
    height: 720,
    hls_key: 'v/1/master.m3u8',
    dash_key: 'v/1/manifest.mpd',
    published_at: new Date().toISOString(),
    ...changes,
  };
  const columns = Object.keys(row);
  await sqlRows(
    `INSERT INTO videos (${columns.join(', ')}) VALUES (${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(row),
  );
  return String(row.id);
}
