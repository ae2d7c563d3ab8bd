import { type HubEvent, hubName } from '../../../durable-objects/user-hub/protocol.ts';
import type { RequestContext } from '../../context.ts';
import { callDurableObject } from '../../shared/durable-object-call.ts';

type HubScope = Pick<RequestContext, 'bindings' | 'log'>;

/**
 * Sends an event to every open connection of a user and keeps it for those who come back. Safe to repeat: an event id is
 * delivered once. `event.data` is JSON that the user may see.
 * @returns whether the hub took it; failures are logged, because what happened is in the database whether or not
 * anybody was told.
 */
export async function pushToUser(ctx: HubScope, userId: string, event: HubEvent): Promise<boolean> {
  try {
    const result = await callDurableObject(ctx.bindings.USER_HUB, hubName(userId), (hub) => hub.push(event));
    if (!result.ok) ctx.log.log('error', 'realtime.refused', { event_type: event.type, reason: result.code });
    return result.ok;
  } catch (error) {
    ctx.log.log('warn', 'realtime.push_failed', {
      event_id: event.id,
      event_type: event.type,
      error_name: error instanceof Error ? error.name : 'unknown',
    });
    return false;
  }
}

/** Closes the connections of a session that ended, or of every session of the user. */
export async function disconnectUser(ctx: HubScope, userId: string, sessionId?: string): Promise<void> {
  await callDurableObject(ctx.bindings.USER_HUB, hubName(userId), (hub) => hub.disconnect(sessionId));
}
