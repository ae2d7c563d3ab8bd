import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import type { OutboxEvent } from '../../db/outbox.ts';
import { at } from './uploads.repository.ts';

/** Finished videos whose time has come and of which nobody was told, the oldest first. */
export async function findDueVideos(
  db: Db,
  nowMs: number,
  limit: number,
): Promise<{ readonly id: string; readonly ownerId: string }[]> {
  const result = await db.execute(sql`
    SELECT id, owner_id AS "ownerId" FROM videos
    WHERE publish_at <= ${at(nowMs)} AND announced_at IS NULL AND state = 'published' AND deleted_at IS NULL
    ORDER BY publish_at LIMIT ${limit}`);
  return result.rows as unknown as { id: string; ownerId: string }[];
}

/** Writes the event of each video that is still due: rescheduled, deleted and told ones are left out. */
export async function announceVideos(
  db: Db,
  nowMs: number,
  events: readonly (OutboxEvent & { readonly videoId: string })[],
): Promise<void> {
  await db.execute(sql`
    WITH event AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
        AS event(id uuid, "videoId" uuid, type text, payload jsonb, traceparent text)
    ), told AS (
      UPDATE videos SET announced_at = now()
      FROM event
      WHERE videos.id = event."videoId" AND videos.publish_at <= ${at(nowMs)} AND videos.announced_at IS NULL
        AND videos.state = 'published' AND videos.deleted_at IS NULL
      RETURNING event.id
    )
    INSERT INTO outbox (id, type, payload, traceparent)
    SELECT event.id, event.type, event.payload, event.traceparent FROM event JOIN told ON told.id = event.id`);
}
