import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

const pair = { follower_id: z.uuid(), followee_id: z.uuid() };

export const graphMessages = [
  // `follow_id` names this very follow, so that its end, should it be heard of first, is known to be its end.
  defineMessage('user.followed', z.strictObject({ ...pair, follow_id: z.uuid().optional() })),
  defineMessage('user.unfollowed', z.strictObject({ ...pair, follow_id: z.uuid() })),
  defineMessage('user.blocked', z.strictObject({ blocker_id: z.uuid(), blocked_id: z.uuid() })),
] as const;
