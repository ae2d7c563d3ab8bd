import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { encodeId } from '../../../shared/ids.ts';
import { insertTest } from '../deliveries.repository.ts';
import { findTarget } from '../endpoints.repository.ts';
import { webhookBody } from '../payloads.schemas.ts';
import { testEventType } from '../policy/event-types.ts';
import { endpointNotFound } from '../webhook-endpoints.errors.ts';
import type { DeliveryDetailRow } from '../webhook-endpoints.views.ts';
import { attempt } from './attempt.ts';

/**
 * Sends a test event to one of the caller's endpoints, disabled or not, and waits for what comes of it. There is one attempt,
 * and it neither mends nor spoils the standing of the endpoint.
 * @throws webhooks.endpoint_not_found.
 */
export async function testMyEndpoint(ctx: RequestContext, endpointId: string): Promise<DeliveryDetailRow> {
  const { primary } = ctx.databases;
  const userId = requireViewerId(ctx);
  const now = new Date(ctx.clock.now()).toISOString();
  const target = await findTarget(primary, { id: endpointId, userId }, now);
  if (target === undefined) throw endpointNotFound();
  const [id, eventId] = [ctx.ids.next(), ctx.ids.next()];
  const body = webhookBody(testEventType, now, { endpoint_id: encodeId('webhookEndpoint', endpointId) });
  const outcome = await attempt(ctx, { ...target, id, endpointId, eventId, body });
  const key = { id, endpointId, userId };
  const event = { eventId, type: testEventType, body, now };
  const row = await insertTest(primary, key, event, { ...outcome, dueAt: undefined });
  if (row === undefined) throw endpointNotFound();
  return row;
}
