import type { RequestContext } from '../../context.ts';
import { newEvent } from '../../db/outbox.ts';
import { forbidden } from '../../http/errors.ts';
import { requireViewerId, viewerIdOf } from '../../http/viewer.ts';
import type { Handlers } from '../../jobs/handlers.ts';
import { publishAfterResponse } from '../../jobs/publish.ts';
import { userNotFound } from '../users/index.ts';
import { postNotFound, videoNotAvailable } from './posts.errors.ts';
import { extractFacets } from './posts.policy.ts';
import {
  countLike,
  countPost,
  deleteLike,
  deletePost as deletePostRow,
  findPost,
  insertLike,
  insertPost,
  listPostsByAuthor,
} from './posts.repository.ts';
import type { PostRow } from './posts.views.ts';

/**
 * Posts text, a video of the caller's own, or both.
 * @throws posts.video_not_available, auth.forbidden when the account is no longer active.
 */
export async function createPost(
  ctx: RequestContext,
  input: { readonly text: string; readonly videoId: string | undefined },
): Promise<PostRow> {
  const authorId = requireViewerId(ctx);
  const id = ctx.ids.next();
  const event = newEvent(ctx, 'post.created', { post_id: id, author_id: authorId });
  const facets = extractFacets(input.text);
  const post = await insertPost(ctx, { id, authorId, facets, ...input }, event);
  if (post === undefined) throw input.videoId === undefined ? forbidden() : videoNotAvailable();
  publishAfterResponse(ctx, [event.id]);
  return post;
}

/**
 * A post the caller may see.
 * @throws posts.not_found
 */
export async function getPost(ctx: RequestContext, id: string): Promise<PostRow> {
  const post = await findPost(ctx.readDb, id, viewerIdOf(ctx));
  if (post === undefined) throw postNotFound();
  return post;
}

/**
 * Deletes a post of the caller's own; it leaves every feed at once. Deleting twice is deleting once.
 * @throws posts.not_found, also for posts of others.
 */
export async function deletePost(ctx: RequestContext, id: string): Promise<void> {
  const authorId = requireViewerId(ctx);
  const event = newEvent(ctx, 'post.deleted', { post_id: id, author_id: authorId });
  const { found, changed } = await deletePostRow(ctx, { id, authorId }, event);
  if (!found) throw postNotFound();
  if (changed) publishAfterResponse(ctx, [event.id]);
}

export interface LikeState {
  readonly liked: boolean;
  /** As it will be once the counter has caught up with this change. */
  readonly likes: number;
}

/**
 * Likes a post. Liking twice is liking once.
 * @throws posts.not_found
 */
export async function likePost(ctx: RequestContext, postId: string): Promise<LikeState> {
  const userId = requireViewerId(ctx);
  const event = newEvent(ctx, 'post.liked', {});
  const { found, changed, likes } = await insertLike(ctx.databases.primary, { postId, userId }, event);
  if (!found) throw postNotFound();
  if (changed) publishAfterResponse(ctx, [event.id]);
  return { liked: true, likes: changed ? likes + 1 : Math.max(likes, 1) };
}

/**
 * Takes a like back.
 * @throws posts.not_found
 */
export async function unlikePost(ctx: RequestContext, postId: string): Promise<LikeState> {
  const userId = requireViewerId(ctx);
  const event = newEvent(ctx, 'post.unliked', {});
  const { found, changed, likes } = await deleteLike(ctx.databases.primary, { postId, userId }, event);
  if (!found) throw postNotFound();
  if (changed) publishAfterResponse(ctx, [event.id]);
  return { liked: false, likes: changed ? Math.max(likes - 1, 0) : likes };
}

/**
 * An author's posts as the caller may see them, newest first, before the given post.
 * @throws users.not_found when the author is not active or blocks the caller.
 */
export async function getProfileTimeline(
  ctx: RequestContext,
  authorId: string,
  page: { readonly before: string | undefined; readonly limit: number },
): Promise<PostRow[]> {
  const posts = await listPostsByAuthor(ctx.readDb, authorId, viewerIdOf(ctx), page);
  if (posts === undefined) throw userNotFound();
  return posts;
}

/** Keeps the like counts of posts and the post counts of users. */
export const postHandlers: Handlers = {
  'post.created': (ctx, { data }) => movePosts(ctx, 'made', data),
  'post.deleted': (ctx, { data }) => movePosts(ctx, 'undone', data),
  'post.liked': (ctx, { data }) => moveLikes(ctx, 'made', data),
  'post.unliked': (ctx, { data }) => moveLikes(ctx, 'undone', data),
};

const movePosts = (
  ctx: RequestContext,
  kind: 'made' | 'undone',
  data: { readonly post_id: string; readonly author_id: string },
) =>
  countPost(ctx.databases.primary, kind, { postId: data.post_id, authorId: data.author_id }, ctx.clock.now());

const moveLikes = (
  ctx: RequestContext,
  kind: 'made' | 'undone',
  data: { readonly post_id: string; readonly like_id: string },
) => countLike(ctx.databases.primary, kind, { id: data.like_id, postId: data.post_id }, ctx.clock.now());
