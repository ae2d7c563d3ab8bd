import { afterEach, describe, expect, it } from 'vitest';
import { type Chaos, createEventBus } from '../../../local-cloud/events/index.ts';
import { newDirectory } from '../mediaconvert/directories.ts';
import { eventOf, startWebhook } from './webhook.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const IDS = Array.from({ length: 60 }, (_, index) => `event-${String(index).padStart(2, '0')}`);

/** Ids in the order in which they arrive when all of `IDS` are sent under the given faults. */
async function arrivals(chaos: Chaos, seed = 7, reorderHoldMs = 3000): Promise<string[]> {
  const hook = await startWebhook();
  const bus = await createEventBus({
    target: { url: hook.url, headers: {} },
    dataDir: newDirectory('events'),
    chaos,
    seed,
    reorderHoldMs,
  });
  closers.push(bus.close, hook.close);
  for (const id of IDS) await bus.emit(eventOf(id));
  await bus.idle();
  return hook.ids();
}

const countOf = (ids: string[], id: string): number => ids.filter((candidate) => candidate === id).length;

describe('injected faults', () => {
  it('are absent unless asked for', async () => {
    expect(await arrivals({})).toEqual(IDS);
  });

  it('deliver every event twice when duplication is certain', async () => {
    const ids = await arrivals({ duplicate: 1 });
    expect(ids).toHaveLength(120);
    for (const id of IDS) expect(countOf(ids, id)).toBe(2);
  });

  it('deliver some events twice and none less than once when duplication is likely', async () => {
    const ids = await arrivals({ duplicate: 0.3 });
    const twice = IDS.filter((id) => countOf(ids, id) === 2);
    expect(twice.length).toBeGreaterThan(5);
    expect(twice.length).toBeLessThan(40);
    for (const id of IDS) expect(countOf(ids, id)).toBeGreaterThanOrEqual(1);
  });

  it('let later events overtake earlier ones when reordering is asked for, and lose none', async () => {
    const ids = await arrivals({ reorder: 0.4 });
    expect(ids).not.toEqual(IDS);
    expect([...ids].sort()).toEqual(IDS);
    const overtaken = ids.filter((id, index) => index > 0 && id < (ids[index - 1] ?? ''));
    expect(overtaken.length).toBeGreaterThan(5);
  });

  it('deliver a reordered event even when nothing follows it', async () => {
    const ids = await arrivals({ reorder: 1 }, 7, 20);
    expect([...ids].sort()).toEqual(IDS);
  });

  it('lose events for good when dropping is asked for', async () => {
    expect(await arrivals({ drop: 1 })).toEqual([]);
    const ids = await arrivals({ drop: 0.5 });
    expect(ids.length).toBeGreaterThan(10);
    expect(ids.length).toBeLessThan(50);
    expect(ids).toEqual([...ids].sort());
  });

  it('are the same for the same seed and different for another', async () => {
    const chaos = { duplicate: 0.3, reorder: 0.3, drop: 0.2 };
    const first = await arrivals(chaos, 1);
    expect(await arrivals(chaos, 1)).toEqual(first);
    expect(await arrivals(chaos, 2)).not.toEqual(first);
  });
});
