import type { RequestContext } from '../../../context.ts';
import { hasSubscriber, insertDeliveries } from '../dispatch.repository.ts';
import { webhookBody } from '../payloads.schemas.ts';
import type { WebhookEventData, WebhookEventType } from '../policy/event-types.ts';
import { maxEndpoints } from '../policy/fair-share.ts';
import { wakeEndpoints } from './wake-endpoints.ts';

/**
 * Tells the webhook endpoints of a user of an event. Repeating it changes nothing: each endpoint gets one delivery of an event.
 * `data` is asked for only when somebody wants the event; undefined when there is nothing to tell any more.
 * @throws what keeps it from being written down; the message is then to be retried.
 */
export async function notifyCreator<T extends WebhookEventType>(
  ctx: RequestContext,
  event: {
    /** The id of the message, by which receivers know an event again. */
    readonly id: string;
    readonly userId: string;
    readonly type: T;
    /** RFC 3339. */
    readonly occurredAt: string;
    readonly data: () => Promise<WebhookEventData<T> | undefined>;
  },
): Promise<void> {
  const { primary } = ctx.databases;
  const { id, userId, type } = event;
  if (!(await hasSubscriber(primary, userId, type))) return;
  const data = await event.data();
  if (data === undefined) return;
  const endpointIds = await insertDeliveries(primary, {
    id,
    userId,
    type,
    body: webhookBody(type, event.occurredAt, data),
    deliveryIds: Array.from({ length: maxEndpoints }, () => ctx.ids.next()),
    now: new Date(ctx.clock.now()).toISOString(),
  });
  await wakeEndpoints(ctx, endpointIds);
}
