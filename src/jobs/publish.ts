import type { RequestContext } from '../context.ts';
import { claimEvents, type OutboxRow, removeEvents } from '../db/outbox.ts';
import { utf8 } from '../shared/encoding.ts';
import { type MessageData, type MessageType, queueOf, queues } from './messages.ts';

// What one call to a queue takes: 100 messages, 256 KB in all (https://developers.cloudflare.com/queues/platform/limits/).
// The rest of the bytes is for what Cloudflare adds to each message.
const sendBatchLimit = 100;
const sendBatchBytes = 192 * 1_024;
const claimLimit = 500;
const maxSweepRounds = 20;

/** Sends the outbox rows just written by this request to their queues, after the response. The sweeper repeats what fails. */
export const publishAfterResponse = (ctx: RequestContext, ids: readonly string[]): void => {
  if (ids.length > 0) ctx.background(() => publishEvents(ctx, { ids, limit: ids.length }));
};

/**
 * Claims waiting events, hands them to the queues, then forgets them. A crash in between sends an event again after its
 * claim ran out: consumers are idempotent. A batch that cannot be sent holds up no other.
 * @returns how many were sent.
 * @throws what the first batch that failed threw, after all others were tried.
 */
export async function publishEvents(
  ctx: RequestContext,
  options: { readonly ids?: readonly string[]; readonly limit: number },
): Promise<number> {
  const { primary } = ctx.databases;
  const rows = await claimEvents(primary, options);
  const failures: unknown[] = [];
  for (const binding of queues)
    for (const batch of batchesOf(rows.filter((row) => queueOf(row.type) === binding)))
      try {
        await ctx.bindings[binding].sendBatch(batch.map((body) => ({ body, contentType: 'json' })));
        await removeEvents(
          primary,
          batch.map(({ id }) => id),
        );
      } catch (error) {
        failures.push(error);
      }
  if (failures.length > 0) throw failures[0];
  return rows.length;
}

/**
 * Sends messages past the outbox, now or in a while. Only for what a cron finds anyway should they get lost.
 * @throws what the queue throws.
 */
export async function sendDirectly<T extends MessageType>(
  ctx: RequestContext,
  type: T,
  data: readonly MessageData<T>[],
  options: { readonly delaySeconds: number },
): Promise<void> {
  const occurredAt = new Date(ctx.clock.now()).toISOString();
  const messages = data.map((item) => ({
    body: { id: ctx.ids.next(), type, occurred_at: occurredAt, data: item },
    contentType: 'json' as const,
    ...(options.delaySeconds > 0 ? { delaySeconds: options.delaySeconds } : {}),
  }));
  for (let start = 0; start < messages.length; start += sendBatchLimit)
    await ctx.bindings[queueOf(type)].sendBatch(messages.slice(start, start + sendBatchLimit));
}

/** Publishes everything that waits, oldest first, in rounds of `claimLimit`; a very long backlog is left to the next run. */
export async function sweepOutbox(ctx: RequestContext): Promise<void> {
  for (let round = 0; round < maxSweepRounds; round += 1)
    if ((await publishEvents(ctx, { limit: claimLimit })) < claimLimit) return;
}

// A message too large for any batch stands alone, so that it fails alone.
function batchesOf(rows: readonly OutboxRow[]): Body[][] {
  const batches: Body[][] = [];
  let bytesOfLast = 0;
  for (const row of rows) {
    const body = bodyOf(row);
    const bytes = utf8(JSON.stringify(body)).length;
    const last = batches.at(-1);
    if (last === undefined || last.length === sendBatchLimit || bytesOfLast + bytes > sendBatchBytes) {
      batches.push([body]);
      bytesOfLast = bytes;
    } else {
      last.push(body);
      bytesOfLast += bytes;
    }
  }
  return batches;
}

type Body = ReturnType<typeof bodyOf>;

const bodyOf = (row: OutboxRow) => ({
  id: row.id,
  type: row.type,
  occurred_at: row.createdAt,
  ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
  data: row.payload,
});
