import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';

/** Remembers an event from outside and queues ours for it, both or neither. False when its id is known already. */
export async function takeInboundEvent(
  db: Db,
  inbound: { readonly source: string; readonly eventId: string },
  event: OutboxEvent,
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH fresh AS (
      INSERT INTO inbound_events (source, event_id) VALUES (${inbound.source}, ${inbound.eventId})
      ON CONFLICT DO NOTHING RETURNING 1
    ), event AS (${insertEventIfAny(event, sql`fresh`)})
    SELECT 1 FROM fresh`);
  return result.rows.length > 0;
}
