import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

const ivsEventData = z.strictObject({
  event_id: z.string().max(128),
  time: z.iso.datetime({ offset: true }),
  /** ARN of the channel. */
  resource: z.string().max(2_048).optional(),
  detail: z.record(z.string(), z.unknown()),
});
const streamData = z.strictObject({ stream_id: z.uuid(), owner_id: z.uuid() });

export const broadcastMessages = [
  // EventBridge events of IVS, as received: `detail` is parsed by the handler.
  defineMessage('ivs.stream_changed', ivsEventData),
  defineMessage('ivs.recording_changed', ivsEventData),
  // Viewers can see it; the owner and their followers are told.
  defineMessage('stream.started', streamData),
  // It is over for good, and no encoder may come back to it.
  defineMessage('stream.ended', streamData),
  // One page of the owner's followers, in order of follower id; the handler queues the next page.
  defineMessage('stream.tell_followers', streamData.extend({ after_follower_id: z.uuid().nullable() })),
] as const;
