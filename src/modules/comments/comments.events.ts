import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

const commentData = z.strictObject({
  comment_id: z.uuid(),
  video_id: z.uuid(),
  /** Of the video. */
  owner_id: z.uuid(),
  author_id: z.uuid(),
  /** The comment that is answered. */
  parent_id: z.uuid().nullable(),
});
// `showing_id` names the very time through which others see the comment: it may be held, approved, edited and held again.
const showingData = z.strictObject({
  comment_id: z.uuid(),
  video_id: z.uuid(),
  root_id: z.uuid().nullable(),
  showing_id: z.uuid(),
});
const likeData = z.strictObject({ comment_id: z.uuid(), user_id: z.uuid(), like_id: z.uuid() });

export const commentMessages = [
  // Once for each comment, whether others see it or it waits for its owner.
  defineMessage('comment.created', commentData.extend({ state: z.enum(['visible', 'held']) })),
  defineMessage('comment.shown', showingData),
  defineMessage('comment.hidden', showingData),
  defineMessage('comment.approved', commentData),
  defineMessage('comment.hearted', commentData),
  defineMessage('comment.liked', likeData),
  defineMessage('comment.unliked', likeData),
] as const;
