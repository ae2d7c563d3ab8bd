import { afterEach, describe, expect, it } from 'vitest';
import { createEventBus } from '../../../local-cloud/events/index.ts';
import { startWebhook } from '../events/webhook.ts';
import { newDirectory } from '../mediaconvert/directories.ts';
import { publish, startCloud, until } from './harness.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe('events of a broadcast through the event bus', () => {
  it('come as often and in the order that its faults ask for', async () => {
    const hook = await startWebhook();
    const bus = await createEventBus({
      target: { url: hook.url, headers: {} },
      dataDir: newDirectory('events'),
      chaos: { duplicate: 1 },
    });
    const cloud = await startCloud({ emit: (event) => bus.emit(event) });
    closers.push(hook.close, bus.close, cloud.close);
    const { key } = await cloud.createChannel();
    await publish(cloud, key.value, { seconds: 4 }).ended;
    const ids = await until(() => (hook.ids().length >= 8 ? hook.ids() : undefined));
    expect(ids).toHaveLength(8);
    expect(new Set(ids).size).toBe(4);
  });
});
