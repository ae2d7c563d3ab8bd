import { type SQL, sql } from 'drizzle-orm';
import { atomic, type Db } from '../../db/client.ts';
import { commentLikeId, countChange, counters, showingId } from '../../db/counting.ts';
import { moveVideoCounter } from '../videos/index.ts';

/** What tells of a comment that others see, or see no longer; `comment` names a FROM item with the columns of `comments`. */
export const showingPayload: SQL = sql`jsonb_build_object('comment_id', comment.id, 'video_id', comment.video_id,
  'root_id', comment.root_id, 'showing_id', ${showingId(sql`comment`)})`;

/** What tells of a comment as such. */
export const commentPayload: SQL = sql`jsonb_build_object('comment_id', comment.id, 'video_id', comment.video_id,
  'owner_id', comment.owner_id, 'author_id', comment.author_id, 'parent_id', comment.parent_id)`;

/** What the event of a like tells; `given` names a FROM item with the columns of `comment_likes`. */
export const commentLikePayload: SQL = sql`jsonb_build_object('comment_id', given.comment_id, 'user_id', given.user_id,
  'like_id', ${commentLikeId(sql`given`)})`;

export interface CountedShowing {
  readonly showingId: string;
  readonly videoId: string;
  readonly rootId: string | null;
}

/** Moves the comment count of a video and the reply count of a thread, once for a showing and once for its end. */
export async function countShowing(
  db: Db,
  kind: 'made' | 'undone',
  showing: CountedShowing,
  nowMs: number,
): Promise<void> {
  const ofVideo = db.execute(sql`
    WITH ${countChange(counters.videoComments, kind, showing.showingId, nowMs)}
    ${moveVideoCounter(sql`comments`, showing.videoId)}`);
  if (showing.rootId === null) return void (await ofVideo);
  const ofThread = db.execute(sql`
    WITH ${countChange(counters.commentReplies, kind, showing.showingId, nowMs)}
    UPDATE comments SET replies = greatest(replies + change.delta, 0) FROM change WHERE id = ${showing.rootId}::uuid`);
  await atomic(db, [ofVideo, ofThread]);
}

/** Moves the like count of a comment, once for a like and once for its end. */
export async function countCommentLike(
  db: Db,
  kind: 'made' | 'undone',
  like: { readonly id: string; readonly commentId: string },
  nowMs: number,
): Promise<void> {
  await db.execute(sql`
    WITH ${countChange(counters.commentLikes, kind, like.id, nowMs)}
    UPDATE comments SET likes = greatest(likes + change.delta, 0) FROM change WHERE id = ${like.commentId}::uuid`);
}
