import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

export const streamMessages = [
  /**
   * Somebody may not see what they saw before: `viewer_id` a channel, or everybody (null) the channel of `owner_id`; with
   * `owner_id` null, the viewer any channel.
   */
  defineMessage(
    'stream.access_changed',
    z.strictObject({ owner_id: z.uuid().nullable(), viewer_id: z.uuid().nullable() }),
  ),
] as const;
