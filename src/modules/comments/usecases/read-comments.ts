import type { RequestContext } from '../../../context.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import { videoNotFound } from '../../videos/index.ts';
import { commentNotFound } from '../comments.errors.ts';
import {
  type CommentsRequest,
  findComment,
  listComments as listCommentRows,
  listReplies as listReplyRows,
} from '../comments.repository.ts';
import type { CommentRow } from '../comments.views.ts';

/**
 * A comment the caller may see.
 * @throws comments.not_found
 */
export async function getComment(ctx: RequestContext, id: string): Promise<CommentRow> {
  const comment = await findComment(ctx.readDb, id, viewerIdOf(ctx));
  if (comment === undefined) throw commentNotFound();
  return comment;
}

/**
 * The comments of a video that answer no other; the pinned one opens the first page.
 * @throws videos.not_found
 */
export async function listComments(ctx: RequestContext, request: CommentsRequest): Promise<CommentRow[]> {
  const comments = await listCommentRows(ctx.readDb, request, viewerIdOf(ctx));
  if (comments === undefined) throw videoNotFound();
  return comments;
}

/**
 * The answers in a thread, oldest first.
 * @throws comments.not_found
 */
export async function listReplies(
  ctx: RequestContext,
  request: { readonly rootId: string; readonly after: string | undefined; readonly limit: number },
): Promise<CommentRow[]> {
  const replies = await listReplyRows(ctx.readDb, request, viewerIdOf(ctx));
  if (replies === undefined) throw commentNotFound();
  return replies;
}
