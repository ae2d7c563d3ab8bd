import type { RequestContext, Services } from '../context.ts';
import { withDatabaseScope } from '../db/scope.ts';
import { databaseScope } from '../http/request-context.ts';
import { AppError } from '../shared/errors.ts';
import { keepDeadLetter } from './dead-letters.ts';
import { handleMessage } from './handlers.ts';
import { type Message, messageSchema } from './messages.ts';
import { systemContext } from './system-context.ts';

const maxDelaySeconds = 600;

/** Handles a batch message by message: done is acknowledged, poison is kept aside, a failure is retried alone with backoff. */
export async function consumeBatch(batch: MessageBatch, services: Services): Promise<void> {
  if (batch.queue.includes('-dlq')) return consumeDeadLetters(batch, services);
  for (const message of batch.messages) await consumeOne(message, batch.queue, services);
}

async function consumeOne(
  message: {
    body: unknown;
    attempts: number;
    id: string;
    ack(): void;
    retry(options?: QueueRetryOptions): void;
  },
  queue: string,
  services: Services,
): Promise<void> {
  const parsed = messageSchema.safeParse(message.body);
  if (!parsed.success) {
    const ctx = systemContext(services, { job: `queue:${queue}` });
    ctx.log.log('error', 'message.poison', { queue, event_id: message.id });
    await settle(message, () => keepDeadLetter(ctx, queue, message.body));
    return;
  }
  const event: Message = parsed.data;
  const background: Promise<unknown>[] = [];
  const ctx = systemContext(services, {
    job: `queue:${event.type}`,
    requestId: event.id,
    traceparent: event.traceparent,
    waitUntil: (task) => background.push(task),
  });
  await settle(message, async () => {
    try {
      await withDatabaseScope(databaseScope(ctx, 'background'), () => handleMessage(ctx, event));
      await Promise.all(background);
      ctx.log.log('info', 'message.handled', {
        event_id: event.id,
        event_type: event.type,
        attempts: message.attempts,
      });
    } catch (error) {
      ctx.log.log('warn', 'message.failed', {
        event_id: event.id,
        event_type: event.type,
        attempts: message.attempts,
        error_name: error instanceof Error ? error.name : 'unknown',
        error_code: error instanceof AppError ? error.code : undefined,
        stack: ctx.config.app.debugErrors && error instanceof Error ? error.stack : undefined,
      });
      throw error;
    }
  });
}

async function consumeDeadLetters(batch: MessageBatch, services: Services): Promise<void> {
  const ctx: RequestContext = systemContext(services, { job: `queue:${batch.queue}` });
  for (const message of batch.messages) {
    ctx.log.log('error', 'message.dead', { queue: batch.queue, event_id: message.id });
    await settle(message, () => keepDeadLetter(ctx, batch.queue, message.body));
  }
}

async function settle(
  message: { attempts: number; ack(): void; retry(options?: QueueRetryOptions): void },
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
    message.ack();
  } catch {
    message.retry({ delaySeconds: Math.min(maxDelaySeconds, 2 ** Math.min(message.attempts, 9)) });
  }
}
