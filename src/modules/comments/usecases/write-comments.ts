import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { forbidden } from '../../../http/errors.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { extractFacets } from '../../posts/index.ts';
import { videoNotFound } from '../../videos/index.ts';
import {
  commentNotEditable,
  commentNotFound,
  commentNotShown,
  commentsOff,
  parentNotAvailable,
} from '../comments.errors.ts';
import type { CommentRow } from '../comments.views.ts';
import { deleteCommentLike, insertCommentLike } from '../likes.repository.ts';
import { foldForFilter } from '../policy/word-filter.ts';
import {
  type CommentText,
  deleteComment as deleteCommentRow,
  insertComment,
  updateComment,
} from '../writing.repository.ts';

const textOf = (text: string): CommentText => ({
  text,
  facets: extractFacets(text),
  folded: foldForFilter(text),
});

/**
 * Comments on a video, or answers a comment on it. It may have to wait for the owner of the video (`held`).
 * @throws videos.not_found, comments.off, comments.parent_not_available, auth.forbidden when the account is no longer active.
 */
export async function createComment(
  ctx: RequestContext,
  input: { readonly videoId: string; readonly text: string; readonly parentId: string | undefined },
): Promise<CommentRow> {
  const authorId = requireViewerId(ctx);
  const { videoId, parentId } = input;
  const id = ctx.ids.next();
  const events = { created: newEvent(ctx, 'comment.created', {}), shown: newEvent(ctx, 'comment.shown', {}) };
  const written = await insertComment(
    ctx.databases.primary,
    { id, videoId, authorId, parentId, ...textOf(input.text) },
    events,
  );
  if (written.comment === undefined) throw refusalOf(written, parentId);
  publishAfterResponse(ctx, written.eventIds);
  return written.comment;
}

function refusalOf(
  written: { readonly found: boolean; readonly policy: string | null; readonly parentFound: boolean },
  parentId: string | undefined,
): Error {
  if (!written.found) return videoNotFound();
  if (written.policy === 'off') return commentsOff();
  if (parentId !== undefined && !written.parentFound)
    return parentNotAvailable({
      errors: [
        { pointer: '/parent_id', code: 'not_available', message: 'There is no such comment to answer.' },
      ],
    });
  return forbidden();
}

/**
 * Changes the words of a comment of the caller's own.
 * @throws comments.not_found, comments.not_editable.
 */
export async function editComment(ctx: RequestContext, id: string, text: string): Promise<CommentRow> {
  const authorId = requireViewerId(ctx);
  const events = { shown: newEvent(ctx, 'comment.shown', {}), hidden: newEvent(ctx, 'comment.hidden', {}) };
  const edited = await updateComment(ctx.databases.primary, { id, authorId, ...textOf(text) }, events);
  if (!edited.found) throw commentNotFound();
  if (edited.comment === undefined) throw commentNotEditable();
  publishAfterResponse(ctx, edited.eventIds);
  return edited.comment;
}

/**
 * Deletes a comment of the caller's own, or one on a video of the caller's. Deleting twice is deleting once.
 * @throws comments.not_found
 */
export async function deleteComment(ctx: RequestContext, id: string): Promise<void> {
  const userId = requireViewerId(ctx);
  const { found, eventIds } = await deleteCommentRow(
    ctx,
    { id, userId },
    newEvent(ctx, 'comment.hidden', {}),
  );
  if (!found) throw commentNotFound();
  publishAfterResponse(ctx, eventIds);
}

export interface LikeState {
  readonly liked: boolean;
  /** As it will be once the counter has caught up with this change. */
  readonly likes: number;
}

/**
 * Likes a comment. Liking twice is liking once.
 * @throws comments.not_found; comments.not_shown for one that waits for the owner of the video.
 */
export async function likeComment(ctx: RequestContext, commentId: string): Promise<LikeState> {
  const userId = requireViewerId(ctx);
  const event = newEvent(ctx, 'comment.liked', {});
  const outcome = await insertCommentLike(ctx.databases.primary, { commentId, userId }, event);
  if (!outcome.found) throw commentNotFound();
  if (!outcome.shown) throw commentNotShown();
  if (outcome.changed) publishAfterResponse(ctx, [event.id]);
  return { liked: true, likes: outcome.changed ? outcome.likes + 1 : Math.max(outcome.likes, 1) };
}

/**
 * Takes a like back.
 * @throws comments.not_found
 */
export async function unlikeComment(ctx: RequestContext, commentId: string): Promise<LikeState> {
  const userId = requireViewerId(ctx);
  const event = newEvent(ctx, 'comment.unliked', {});
  const outcome = await deleteCommentLike(ctx.databases.primary, { commentId, userId }, event);
  if (!outcome.found) throw commentNotFound();
  if (outcome.changed) publishAfterResponse(ctx, [event.id]);
  return { liked: false, likes: outcome.changed ? Math.max(outcome.likes - 1, 0) : outcome.likes };
}
