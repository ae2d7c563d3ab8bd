import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

export const viewMessages = [
  // How far a signed-in viewer has come. Sent straight by the counter object, at least once and in any order: the newest
  // `watched_at` counts.
  defineMessage(
    'watch.progressed',
    z.strictObject({
      user_id: z.uuid(),
      video_id: z.uuid(),
      position_ms: z.int().nonnegative(),
      duration_ms: z.int().positive(),
      watched_at: z.iso.datetime(),
    }),
  ),
] as const;
