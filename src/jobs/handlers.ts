import type { RequestContext } from '../context.ts';
import { accountHandlers } from '../modules/accounts/index.ts';
import { authHandlers } from '../modules/auth/index.ts';
import { broadcastHandlers } from '../modules/broadcasts/index.ts';
import { commentHandlers } from '../modules/comments/index.ts';
import { deliveryHandlers } from '../modules/delivery/index.ts';
import { feedHandlers } from '../modules/feeds/index.ts';
import { graphHandlers } from '../modules/graph/index.ts';
import { historyHandlers } from '../modules/history/index.ts';
import { liveHandlers } from '../modules/live/index.ts';
import { noticeHandlers } from '../modules/notices/index.ts';
import { postHandlers } from '../modules/posts/index.ts';
import { videoHandlers } from '../modules/videos/index.ts';
import { webhookEndpointHandlers } from '../modules/webhook-endpoints/index.ts';
import type { Message, MessageOf, MessageType } from './messages.ts';

/** What modules do about messages. Each handler is idempotent on (its own name, message id). */
export type Handlers = {
  readonly [T in MessageType]?: (ctx: RequestContext, message: MessageOf<T>) => Promise<void>;
};

const subscribers: readonly Handlers[] = [
  authHandlers,
  accountHandlers,
  noticeHandlers,
  graphHandlers,
  postHandlers,
  commentHandlers,
  historyHandlers,
  feedHandlers,
  videoHandlers,
  deliveryHandlers,
  broadcastHandlers,
  liveHandlers,
  webhookEndpointHandlers,
];

/** Hands a message to every module that subscribed to its type, one after the other. */
export async function handleMessage(ctx: RequestContext, message: Message): Promise<void> {
  for (const handlers of subscribers) {
    const handler = handlers[message.type] as
      | ((ctx: RequestContext, message: Message) => Promise<void>)
      | undefined;
    await handler?.(ctx, message);
  }
}
