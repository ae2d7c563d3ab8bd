import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

const followData = z.strictObject({ follower_id: z.uuid(), followee_id: z.uuid() });

export const graphMessages = [
  defineMessage('user.followed', followData),
  defineMessage('user.unfollowed', followData),
  defineMessage('user.blocked', z.strictObject({ blocker_id: z.uuid(), blocked_id: z.uuid() })),
] as const;
