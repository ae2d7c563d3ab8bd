import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createEventBus, type EventBus, type EventBusOptions } from '../../../local-cloud/events/index.ts';
import { newDirectory } from '../mediaconvert/directories.ts';
import { eventOf, type Reply, startWebhook, type Webhook } from './webhook.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function webhook(reply?: (received: unknown, index: number) => Reply, port?: number): Promise<Webhook> {
  const hook = await startWebhook(reply, port);
  closers.push(hook.close);
  return hook;
}

async function bus(url: string, options: Partial<EventBusOptions> = {}): Promise<EventBus> {
  const created = await createEventBus({
    target: { url, headers: { 'x-api-key': 'secret' } },
    dataDir: newDirectory('events'),
    retryBaseMs: 5,
    retryMaxMs: 20,
    ...options,
  });
  closers.push(created.close);
  return created;
}

describe('delivery', () => {
  it('keeps one connection whatever the answers say', async () => {
    const hook = await webhook(() => ({ status: 202, body: JSON.stringify('x'.repeat(500_000)) }));
    const events = await bus(hook.url);
    for (const id of ['a', 'b', 'c', 'd']) {
      await events.emit(eventOf(id));
      await events.idle();
    }
    expect(hook.ids()).toEqual(['a', 'b', 'c', 'd']);
    expect(hook.connections()).toBe(1);
  });

  it('posts the envelope unchanged, with the secret header, in order', async () => {
    const hook = await webhook();
    const events = await bus(hook.url);
    const sent = ['a', 'b', 'c', 'd'].map((id) => eventOf(id));
    await Promise.all(sent.map((event) => events.emit(event)));
    await events.idle();
    expect(hook.received.map((entry) => entry.event)).toEqual(sent);
    expect(hook.received[0]?.headers).toMatchObject({
      'x-api-key': 'secret',
      'content-type': 'application/json; charset=utf-8',
    });
  });

  it('tries again after 429, 5xx and time-outs, with the same event id', async () => {
    const replies: Reply[] = [
      { status: 500 },
      { status: 429 },
      { status: 202, afterMs: 4000 },
      { status: 202 },
    ];
    const hook = await webhook((_, index) => replies[index] ?? { status: 202 });
    const events = await bus(hook.url, { requestTimeoutMs: 1000 });
    await events.emit(eventOf('a'));
    await events.idle();
    expect(hook.ids()).toEqual(['a', 'a', 'a', 'a']);
  });

  it('waits as long as Retry-After asks', async () => {
    const hook = await webhook((_, index) =>
      index === 0 ? { status: 503, headers: { 'retry-after': '1' } } : { status: 202 },
    );
    const events = await bus(hook.url);
    await events.emit(eventOf('a'));
    await events.idle();
    const [first, second] = hook.received;
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(950);
  });

  it.each([400, 401, 404, 302])(
    'drops an event that is answered with %i, with a log line',
    async (status) => {
      const logs: string[] = [];
      const hook = await webhook((_, index) => ({
        status: index === 0 ? status : 202,
        headers: { location: '/elsewhere' },
      }));
      const dataDir = newDirectory('events');
      const events = await bus(hook.url, { dataDir, log: (line) => logs.push(line) });
      await events.emit(eventOf('a'));
      await events.emit(eventOf('b'));
      await events.idle();
      expect(hook.ids()).toEqual(['a', 'b']);
      expect(logs.join()).toContain(`HTTP ${status}`);
      expect(readdirSync(join(dataDir, 'pending'))).toEqual([]);
      expect(readdirSync(join(dataDir, 'dead'))).toHaveLength(1);
    },
  );

  it('gives up after the allowed number of answered attempts', async () => {
    const hook = await webhook(() => ({ status: 500 }));
    const dataDir = newDirectory('events');
    const events = await bus(hook.url, { dataDir, maxAttempts: 3 });
    await events.emit(eventOf('a'));
    await events.idle();
    expect(hook.ids()).toEqual(['a', 'a', 'a']);
    expect(readdirSync(join(dataDir, 'dead'))).toHaveLength(1);
  });

  it('keeps trying while nobody listens, however long that lasts', async () => {
    const early = await startWebhook();
    await early.close();
    const events = await bus(early.url, { maxAttempts: 2 });
    await events.emit(eventOf('a'));
    await events.emit(eventOf('b'));
    await new Promise((resolve) => setTimeout(resolve, 150));
    const late = await webhook(undefined, early.port);
    await events.idle();
    expect(late.ids()).toEqual(['a', 'b']);
  });

  it('does not let one job wait for another', async () => {
    const hook = await webhook((entry) => {
      const { event } = entry as { event: { id: string } };
      return { status: event.id === 'stuck' ? 500 : 202 };
    });
    const events = await bus(hook.url, { retryBaseMs: 10_000 });
    await events.emit(eventOf('stuck', 'job-1'));
    await events.emit(eventOf('free', 'job-2'));
    while (!hook.ids().includes('free')) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(hook.ids()).toContain('free');
  });
});

describe('a restart', () => {
  it('delivers what was undelivered, once and in order', async () => {
    const gone = await startWebhook();
    await gone.close();
    const dataDir = newDirectory('events');
    const first = await bus(gone.url, { dataDir });
    for (const id of ['a', 'b', 'c']) await first.emit(eventOf(id));
    await first.close();
    await expect(first.emit(eventOf('d'))).rejects.toThrow('closed');

    const hook = await webhook();
    const second = await bus(hook.url, { dataDir });
    await second.emit(eventOf('e'));
    await second.idle();
    expect(hook.ids()).toEqual(['a', 'b', 'c', 'e']);
    const third = await bus(hook.url, { dataDir });
    await third.idle();
    expect(hook.ids()).toHaveLength(4);
  });

  it('sets an unreadable file aside', async () => {
    const dataDir = newDirectory('events');
    await (await bus('http://127.0.0.1:9/', { dataDir })).close();
    writeFileSync(join(dataDir, 'pending', '000000000001-1.json'), '{"seq');
    const hook = await webhook();
    const events = await bus(hook.url, { dataDir });
    await events.emit(eventOf('a'));
    await events.idle();
    expect(hook.ids()).toEqual(['a']);
    expect(readdirSync(join(dataDir, 'dead'))).toEqual(['000000000001-1.json']);
  });
});
