import { type SQL, sql } from 'drizzle-orm';
import type { OutboxEvent } from '../../db/outbox.ts';
import type { Quarter } from './policy/upload-progress.ts';

/** `upload.progressed` for one quarter, ready to be written should it be reached. */
export interface QuarterEvent extends OutboxEvent {
  readonly percent: Quarter;
}

/**
 * The body of a CTE that writes the events of the quarters between `"toldBefore"` and `"toldNow"` of `source`, an earlier CTE
 * that changed `told_percent` to the latter.
 */
export const insertQuarters = (events: readonly QuarterEvent[], source: SQL): SQL => sql`
  INSERT INTO outbox (id, type, payload, traceparent)
  SELECT event.id, event.type, event.payload, event.traceparent
  FROM ${source} AS told, jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
    AS event(percent integer, id uuid, type text, payload jsonb, traceparent text)
  WHERE event.percent > told."toldBefore" AND event.percent <= told."toldNow"`;
