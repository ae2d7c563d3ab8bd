import { encodeId } from '../../../src/shared/ids.ts';
import { callJson, type TestUser } from '../../support/worker/client.ts';
import { seedVideo } from '../posts/actions.ts';

export interface CommentBody {
  readonly id: string;
  readonly video_id: string;
  readonly parent_id: string | null;
  readonly thread_id: string | null;
  readonly depth: number;
  readonly state: string;
  readonly deleted_by: string | null;
  readonly author: { readonly id: string } | null;
  readonly text: string;
  readonly facets: readonly Record<string, unknown>[];
  readonly like_count: number;
  readonly reply_count: number;
  readonly liked: boolean;
  readonly pinned: boolean;
  readonly hearted: boolean;
  readonly edited_at: string | null;
}

export interface CommentPage {
  readonly data: readonly CommentBody[];
  readonly next_cursor: string | null;
}

export const film = async (
  owner: TestUser,
  columns: Readonly<Record<string, unknown>> = {},
): Promise<string> => encodeId('video', await seedVideo(owner, columns));

export const comment = (author: TestUser, videoId: string, text: string, parent?: CommentBody) =>
  callJson<CommentBody>(201, 'POST', `/v1/videos/${videoId}/comments`, {
    token: author.token,
    body: { text, ...(parent === undefined ? {} : { parent_id: parent.id }) },
  });

export const readComment = (id: string, viewer?: TestUser) =>
  callJson<CommentBody>(200, 'GET', `/v1/comments/${id}`, { token: viewer?.token });

export const listOf = async (
  videoId: string,
  viewer?: TestUser,
  query = '',
): Promise<readonly CommentBody[]> =>
  (
    await callJson<CommentPage>(200, 'GET', `/v1/videos/${videoId}/comments${query}`, {
      token: viewer?.token,
    })
  ).data;

export const repliesOf = async ({ id }: CommentBody, viewer?: TestUser): Promise<readonly CommentBody[]> =>
  (await callJson<CommentPage>(200, 'GET', `/v1/comments/${id}/replies`, { token: viewer?.token })).data;

export const texts = (comments: readonly CommentBody[]): string[] => comments.map(({ text }) => text);

/** One of the things a user does to a comment, by its path. */
export const act = (method: string, user: TestUser, { id }: CommentBody, word = '') =>
  callJson<CommentBody>(method === 'DELETE' && word === '' ? 204 : 200, method, `/v1/comments/${id}${word}`, {
    token: user.token,
  });
