import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import worker from '../../../src/index.ts';
import { testEnv } from './env.ts';
import { type SentMessage, takeMessages } from './recording-queue.ts';

export { type SentMessage, takeMessages } from './recording-queue.ts';

export interface DeliveryResult {
  readonly acked: number;
  readonly retried: number;
}

/** Hands messages to the Worker's queue handler, as Cloudflare would: one batch for each queue, in the given order. */
export async function deliver(messages: readonly SentMessage[]): Promise<DeliveryResult> {
  let acked = 0;
  let retried = 0;
  for (const message of messages) {
    const batch = createMessageBatch(message.queue, [
      { id: crypto.randomUUID(), timestamp: new Date(), attempts: 1, body: message.body },
    ]);
    const context = createExecutionContext();
    await worker.queue(batch, testEnv(env));
    const result = await getQueueResult(batch, context);
    acked += result.explicitAcks.length;
    retried += result.retryMessages.length;
  }
  return { acked, retried };
}

/** Delivers everything sent, and what that causes to be sent, until nothing is left. */
export async function deliverEvents(
  options: { readonly times?: number; readonly reverse?: boolean } = {},
): Promise<SentMessage[]> {
  const delivered: SentMessage[] = [];
  for (let round = 0; round < 50; round += 1) {
    const messages = takeMessages();
    if (messages.length === 0) return delivered;
    const ordered = options.reverse === true ? messages.toReversed() : messages;
    for (let time = 0; time < (options.times ?? 1); time += 1) {
      const { retried } = await deliver(ordered);
      if (retried > 0)
        throw new Error(
          `${retried} messages failed: ${ordered.map((message) => message.body.type).join(', ')}`,
        );
    }
    delivered.push(...ordered);
  }
  throw new Error('messages keep causing messages');
}
