import { z } from 'zod';
import { accountMessages } from '../modules/accounts/accounts.events.ts';
import { authMessages } from '../modules/auth/auth.events.ts';
import { broadcastMessages } from '../modules/broadcasts/broadcasts.events.ts';
import { commentMessages } from '../modules/comments/comments.events.ts';
import { feedMessages } from '../modules/feeds/feeds.events.ts';
import { graphMessages } from '../modules/graph/graph.events.ts';
import { noticeMessages } from '../modules/notices/notices.events.ts';
import { postMessages } from '../modules/posts/posts.events.ts';
import { streamMessages } from '../modules/streams/streams.events.ts';
import { videoMessages } from '../modules/videos/videos.events.ts';
import { viewMessages } from '../modules/views/views.events.ts';
import { webhookMessages } from '../modules/webhook-endpoints/webhook-endpoints.events.ts';

/** Every message the queues carry. */
export const messageSchema = z.discriminatedUnion('type', [
  ...authMessages,
  ...accountMessages,
  ...noticeMessages,
  ...graphMessages,
  ...postMessages,
  ...commentMessages,
  ...feedMessages,
  ...videoMessages,
  ...broadcastMessages,
  ...streamMessages,
  ...webhookMessages,
  ...viewMessages,
]);

export type Message = z.infer<typeof messageSchema>;
export type MessageType = Message['type'];
export type MessageOf<T extends MessageType> = Extract<Message, { type: T }>;
export type MessageData<T extends MessageType> = MessageOf<T>['data'];

const mediaTypes: ReadonlySet<string> = new Set<MessageType>([
  'video.uploaded',
  'video.released',
  'video.encode_requested',
  'video.extras_requested',
  'video.import_requested',
  'video.deleted',
  'video.withdrawn',
  'video.access_changed',
  'stream.access_changed',
  'account.export_requested',
  'mediaconvert.job_changed',
  'guardduty.object_scanned',
]);

const webhookTypes: ReadonlySet<string> = new Set<MessageType>(['webhooks.due']);

/** The bindings of the queues. */
export const queues = ['EVENTS_QUEUE', 'MEDIA_QUEUE', 'WEBHOOKS_QUEUE'] as const;

/** What waits on others, on S3 and MediaConvert or on the endpoints of users, has a queue of its own and never delays feeds. */
export const queueOf = (type: string): (typeof queues)[number] =>
  mediaTypes.has(type) ? 'MEDIA_QUEUE' : webhookTypes.has(type) ? 'WEBHOOKS_QUEUE' : 'EVENTS_QUEUE';
