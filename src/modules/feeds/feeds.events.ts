import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

export const feedMessages = [
  // One page of an author's followers, in order of follower id; the handler queues the next page.
  defineMessage(
    'feed.fan_out',
    z.strictObject({ post_id: z.uuid(), author_id: z.uuid(), after_follower_id: z.uuid().nullable() }),
  ),
] as const;
