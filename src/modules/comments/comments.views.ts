import { encodeId } from '../../shared/ids.ts';
import { presentFacet, type StoredFacet } from '../posts/index.ts';
import { presentUserSummary, type UserSummaryRow } from '../users/index.ts';
import type { CommentView, HoldReason } from './comments.schemas.ts';

/** What `selectComments` selects. */
export interface CommentRow {
  readonly id: string;
  readonly videoId: string;
  readonly parentId: string | null;
  readonly rootId: string | null;
  readonly depth: number;
  readonly state: CommentView['state'];
  readonly deletion: 'author' | 'owner' | null;
  readonly author: UserSummaryRow | null;
  readonly text: string;
  readonly facets: readonly StoredFacet[];
  readonly likes: number;
  /** The counter as it orders lists, without what the viewer adds to it. */
  readonly rank: number;
  readonly replies: number;
  readonly liked: boolean;
  readonly pinned: boolean;
  readonly hearted: boolean;
  readonly createdAt: string;
  readonly editedAt: string | null;
}

export interface HeldCommentRow extends CommentRow {
  readonly heldFor: HoldReason | null;
  readonly videoTitle: string;
}

/** `cdnBaseUrl` is `ctx.config.aws.cdnBaseUrl`. */
export const presentComment = (comment: CommentRow, cdnBaseUrl: string): CommentView => ({
  id: encodeId('comment', comment.id),
  video_id: encodeId('video', comment.videoId),
  parent_id: comment.parentId === null ? null : encodeId('comment', comment.parentId),
  thread_id: comment.rootId === null ? null : encodeId('comment', comment.rootId),
  depth: comment.depth,
  state: comment.state,
  deleted_by: comment.deletion,
  author: comment.author === null ? null : presentUserSummary(comment.author, cdnBaseUrl),
  text: comment.text,
  facets: comment.facets.map(presentFacet),
  like_count: comment.likes,
  reply_count: comment.replies,
  liked: comment.liked,
  pinned: comment.pinned,
  hearted: comment.hearted,
  created_at: comment.createdAt,
  edited_at: comment.editedAt,
});

export const presentHeldComment = (comment: HeldCommentRow, cdnBaseUrl: string) => ({
  ...presentComment(comment, cdnBaseUrl),
  held_for: comment.heldFor,
  video: { id: encodeId('video', comment.videoId), title: comment.videoTitle },
});
