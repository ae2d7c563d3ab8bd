import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import worker from '../../../src/index.ts';
import { callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { breakDatabase } from '../../support/worker/faults.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';

const runCron = async (cron: string, bindings: object = {}): Promise<void> => {
  const context = createExecutionContext();
  await worker.scheduled(
    { cron, scheduledTime: Date.now(), noRetry: () => undefined } as ScheduledController,
    { ...testEnv(env), ...bindings },
    context,
  );
};

const handOver = async (queue: string, body: unknown, attempts = 1) => {
  const batch = createMessageBatch(queue, [
    { id: crypto.randomUUID(), timestamp: new Date(), attempts, body },
  ]);
  const context = createExecutionContext();
  await worker.queue(batch, testEnv(env));
  return getQueueResult(batch, context);
};

const brokenQueue = { sendBatch: () => Promise.reject(new Error('Queue is overloaded')) };

const outboxSize = async (): Promise<number> =>
  (await sqlRows<{ n: number }>('SELECT count(*)::int AS n FROM outbox'))[0]?.n ?? -1;
const likesOf = async (postId: string): Promise<number> =>
  (await callJson<{ like_count: number }>(200, 'GET', `/v1/posts/${postId}`)).like_count;

let author: TestUser;
let postId: string;

beforeEach(async () => {
  author = await seedUser();
  const post = await callJson<{ id: string }>(201, 'POST', '/v1/posts', {
    token: author.token,
    body: { text: 'like me' },
  });
  postId = post.id;
  await deliverEvents();
});

afterEach(() => breakDatabase({ mode: 'none' }));

describe('an event', () => {
  it('leaves the outbox once a queue has it', async () => {
    await callJson(200, 'PUT', `/v1/posts/${postId}/like`, { token: author.token });
    expect(await outboxSize()).toBe(0);
    expect(takeMessages().map((message) => message.body.type)).toEqual(['post.liked']);
  });

  it('that the request could not publish is swept by the cron, once', async () => {
    const fan = await seedUser();
    const original = testEnv(env).EVENTS_QUEUE;
    Object.assign(env, { EVENTS_QUEUE: brokenQueue });
    await callJson(200, 'PUT', `/v1/posts/${postId}/like`, { token: fan.token });
    Object.assign(env, { EVENTS_QUEUE: original });
    expect(takeMessages()).toEqual([]);
    expect(await outboxSize()).toBe(1);

    await sqlRows("UPDATE outbox SET claimed_until = now() - interval '1 second'");
    await runCron('* * * * *');
    expect(takeMessages().map((message) => message.body.type)).toEqual(['post.liked']);
    await runCron('* * * * *');
    expect(takeMessages()).toEqual([]);
    expect(await outboxSize()).toBe(0);
  });

  it('whose queue is down holds up no event of another queue', async () => {
    await sqlRows(
      `INSERT INTO outbox (id, type, payload) VALUES (gen_random_uuid(), 'post.deleted', '{}'), (gen_random_uuid(), 'video.deleted', '{}')`,
    );
    await runCron('* * * * *', { EVENTS_QUEUE: brokenQueue });
    expect(takeMessages().map((message) => message.body.type)).toEqual(['video.deleted']);
    await sqlRows("UPDATE outbox SET claimed_until = now() - interval '1 second'");
    await runCron('* * * * *');
    expect(takeMessages().map((message) => message.body.type)).toEqual(['post.deleted']);
    expect(await outboxSize()).toBe(0);
  });

  it('waits for one run of the cron only, however long the backlog', async () => {
    await sqlRows(
      `INSERT INTO outbox (id, type, payload) SELECT gen_random_uuid(), 'post.deleted', '{}' FROM generate_series(1, 1201)`,
    );
    await runCron('* * * * *');
    expect(takeMessages()).toHaveLength(1_201);
    expect(await outboxSize()).toBe(0);
  });

  it('goes to its queue in batches the queue takes, and one that is too large fails alone', async () => {
    await sqlRows(
      `INSERT INTO outbox (id, type, payload)
       SELECT gen_random_uuid(), 'post.deleted', jsonb_build_object('filler', repeat('x', CASE n WHEN 70 THEN 300000 ELSE 4000 END))
       FROM generate_series(1, 150) AS n`,
    );
    const taken: number[] = [];
    const strict = {
      sendBatch: async (batch: Iterable<{ body: unknown }>) => {
        const sizes = [...batch].map(({ body }) => JSON.stringify(body).length);
        const bytes = sizes.reduce((sum, size) => sum + size, 0);
        if (sizes.length > 100 || bytes > 256_000) throw new Error('the batch is too large');
        taken.push(sizes.length);
      },
    };
    await runCron('* * * * *', { EVENTS_QUEUE: strict });
    expect(taken.reduce((sum, count) => sum + count, 0)).toBe(149);
    expect(await outboxSize()).toBe(1);
    await sqlRows('DELETE FROM outbox');
  });

  it('sent, but not yet forgotten when the Worker died, is sent again and counted once', async () => {
    const fan = await seedUser();
    await callJson(200, 'PUT', `/v1/posts/${postId}/like`, { token: fan.token });
    const [message] = takeMessages();
    if (message === undefined) throw new Error('no event was sent');
    await sqlRows(
      "INSERT INTO outbox (id, type, payload, claimed_until) VALUES ($1, $2, $3, now() - interval '1 second')",
      [message.body.id, message.body.type, JSON.stringify(message.body.data)],
    );
    await deliver([message]);
    await runCron('* * * * *');
    const again = takeMessages();
    expect(again.map((sent) => sent.body.id)).toEqual([message.body.id]);
    await deliver(again);
    expect(await likesOf(postId)).toBe(1);
  });

  it('claimed by one publisher is left alone by another until its claim runs out', async () => {
    await sqlRows(
      `INSERT INTO outbox (id, type, payload, claimed_until) VALUES (gen_random_uuid(), 'post.deleted', '{}', now() + interval '20 seconds')`,
    );
    await runCron('* * * * *');
    expect(takeMessages()).toEqual([]);
    await sqlRows('DELETE FROM outbox');
  });
});

describe('a message', () => {
  it('delivered three times has its effect once', async () => {
    const fan = await seedUser();
    await callJson(200, 'PUT', `/v1/posts/${postId}/like`, { token: fan.token });
    await deliverEvents({ times: 3 });
    expect(await likesOf(postId)).toBe(1);
  });

  it.each([
    ['no object', 'text'],
    ['nothing', null],
    [
      'of an unknown type',
      { id: crypto.randomUUID(), type: 'post.exploded', occurred_at: new Date().toISOString(), data: {} },
    ],
    [
      'with a missing field',
      {
        id: crypto.randomUUID(),
        type: 'post.liked',
        occurred_at: new Date().toISOString(),
        data: { post_id: crypto.randomUUID() },
      },
    ],
  ])('that is %s is poison: acknowledged, kept aside, never retried', async (_, body) => {
    const before = (await sqlRows('SELECT FROM dead_letters')).length;
    const result = await handOver('social-flow-events', body);
    expect(result.explicitAcks).toHaveLength(1);
    expect(result.retryMessages).toEqual([]);
    expect(await sqlRows('SELECT FROM dead_letters')).toHaveLength(before + 1);
  });

  it('whose handler fails is retried, later each time, and harms no other in its batch', async () => {
    const fan = await seedUser();
    await callJson(200, 'PUT', `/v1/posts/${postId}/like`, { token: fan.token });
    const [message] = takeMessages();
    await breakDatabase({ mode: 'down' });
    const delays: number[] = [];
    for (const attempts of [1, 3, 5]) {
      const failed = {
        id: 'm',
        timestamp: new Date(),
        attempts,
        body: message?.body,
        ack: () => delays.push(-1),
        retry: (options?: QueueRetryOptions) => delays.push(options?.delaySeconds ?? 0),
      };
      await worker.queue(
        {
          queue: 'social-flow-events',
          messages: [failed],
          ackAll: () => undefined,
          retryAll: () => undefined,
        } as unknown as MessageBatch,
        testEnv(env),
      );
    }
    expect(delays).toEqual([2, 8, 32]);
    const result = await handOver('social-flow-events', message?.body);
    expect(result.explicitAcks).toEqual([]);
    expect(result.retryMessages).toHaveLength(1);
    await breakDatabase({ mode: 'none' });
    await handOver('social-flow-events', message?.body, 6);
    expect(await likesOf(postId)).toBe(1);
  });

  it('no retry could save is kept for an operator', async () => {
    const body = { id: crypto.randomUUID(), anything: ['at', 'all'] };
    const result = await handOver('social-flow-events-dlq', body);
    expect(result.explicitAcks).toHaveLength(1);
    expect(await sqlRows('SELECT body FROM dead_letters WHERE body ->> $1 = $2', ['id', body.id])).toEqual([
      { body },
    ]);
  });
});

describe('crons', () => {
  it('survive a database that is down, and do their work next time', async () => {
    await breakDatabase({ mode: 'down' });
    await runCron('* * * * *');
    await breakDatabase({ mode: 'none' });
    await runCron('17 * * * *');
    const partitions = await sqlRows<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_inherits WHERE inhparent = 'audit_log'::regclass`,
    );
    expect(partitions[0]?.n).toBeGreaterThanOrEqual(5);
  });

  it('ignore an expression they do not know', async () => {
    await expect(runCron('0 0 1 1 *')).resolves.toBeUndefined();
  });
});
