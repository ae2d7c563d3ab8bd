import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

const postData = z.strictObject({ post_id: z.uuid(), author_id: z.uuid() });
// `like_id` names this very like, so that its end, should it be heard of first, is known to be its end.
const likeData = z.strictObject({ post_id: z.uuid(), user_id: z.uuid(), like_id: z.uuid() });

export const postMessages = [
  defineMessage('post.created', postData),
  defineMessage('post.deleted', postData),
  defineMessage('post.liked', likeData),
  defineMessage('post.unliked', likeData),
] as const;
