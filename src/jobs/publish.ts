import type { RequestContext } from '../context.ts';
import { claimEvents, type OutboxRow, removeEvents } from '../db/outbox.ts';
import { queueOf } from './messages.ts';

const sendBatchLimit = 100;

/** Sends the outbox rows just written by this request to their queues, after the response. The sweeper repeats what fails. */
export const publishAfterResponse = (ctx: RequestContext, ids: readonly string[]): void => {
  if (ids.length > 0) ctx.background(() => publishEvents(ctx, { ids, limit: ids.length }));
};

/**
 * Claims waiting events, hands them to the queues, then forgets them. A crash in between sends an event again after its
 * claim ran out: consumers are idempotent.
 * @returns how many were sent.
 */
export async function publishEvents(
  ctx: RequestContext,
  options: { readonly ids?: readonly string[]; readonly limit: number },
): Promise<number> {
  const { primary } = ctx.databases;
  const rows = await claimEvents(primary, options);
  for (const binding of ['EVENTS_QUEUE', 'MEDIA_QUEUE'] as const) {
    const group = rows.filter((row) => queueOf(row.type) === binding);
    for (let start = 0; start < group.length; start += sendBatchLimit) {
      const batch = group.slice(start, start + sendBatchLimit);
      await ctx.bindings[binding].sendBatch(batch.map((row) => ({ body: bodyOf(row), contentType: 'json' })));
      await removeEvents(
        primary,
        batch.map((row) => row.id),
      );
    }
  }
  return rows.length;
}

const bodyOf = (row: OutboxRow) => ({
  id: row.id,
  type: row.type,
  occurred_at: row.createdAt,
  ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
  data: row.payload,
});
