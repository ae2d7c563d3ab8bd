import { setTimeout as sleep } from 'node:timers/promises';
import { fateOf } from './chaos.ts';
import { deliver } from './deliver.ts';
import { createPendingStore, type PendingDelivery } from './pending.ts';
import type { EventBridgeEvent, EventBus, EventBusOptions } from './types.ts';

/** Deliveries about one resource go out one after the other; other resources do not wait for them. */
type Lane = { queue: PendingDelivery[]; busy: boolean };

/**
 * EventBridge with one API destination: at-least-once delivery that survives restarts of either side, in order per
 * resource unless faults are injected. What was left undelivered by an earlier run goes out first.
 */
export async function createEventBus(options: EventBusOptions): Promise<EventBus> {
  const log = options.log ?? (() => {});
  const chaos = options.chaos ?? {};
  const store = createPendingStore(options.dataDir, log);
  const closing = new AbortController();
  const lanes = new Map<string, Lane>();
  const held = new Map<string, { delivery: PendingDelivery; timer: NodeJS.Timeout }>();
  const running = new Set<Promise<void>>();
  let sequence = 0;
  let accepting: Promise<unknown> = Promise.resolve();

  const leftovers = await store.load();
  sequence = Math.max(0, ...leftovers.map((delivery) => delivery.sequence));
  for (const delivery of leftovers) enqueue(delivery);

  // One at a time, so that events go out in the order in which they were accepted.
  function emit(event: EventBridgeEvent): Promise<void> {
    const accepted = accepting.then(() => accept(event));
    accepting = accepted.catch(() => {});
    return accepted;
  }

  async function accept(event: EventBridgeEvent): Promise<void> {
    if (closing.signal.aborted) throw new Error('the event bus is closed');
    sequence += 1;
    const fate = fateOf(chaos, options.seed ?? 1, sequence);
    if (fate.drop) {
      log(`event ${event.id} dropped on purpose`);
      return;
    }
    const first: PendingDelivery = { sequence, copy: 1, acceptedAtMs: Date.now(), event };
    const second: PendingDelivery = { ...first, copy: 2 };
    await store.save(first);
    if (fate.duplicate) await store.save(second);
    if (fate.reorder) hold(first);
    else enqueue(first);
    if (fate.duplicate) enqueue(second);
    if (!fate.reorder) release(laneKey(first));
  }

  function hold(delivery: PendingDelivery): void {
    const key = laneKey(delivery);
    release(key);
    const timer = setTimeout(() => release(key), options.reorderHoldMs ?? 1000);
    held.set(key, { delivery, timer });
  }

  function release(key: string): void {
    const waiting = held.get(key);
    if (!waiting) return;
    held.delete(key);
    clearTimeout(waiting.timer);
    enqueue(waiting.delivery);
  }

  function enqueue(delivery: PendingDelivery): void {
    const key = laneKey(delivery);
    const lane = lanes.get(key) ?? { queue: [], busy: false };
    lanes.set(key, lane);
    lane.queue.push(delivery);
    if (lane.busy) return;
    lane.busy = true;
    const work = drain(key, lane).finally(() => running.delete(work));
    running.add(work);
  }

  async function drain(key: string, lane: Lane): Promise<void> {
    while (!closing.signal.aborted) {
      const delivery = lane.queue[0];
      if (!delivery) break;
      await attempt(delivery).catch((error: unknown) => log(`event ${delivery.event.id}: ${String(error)}`));
      if (closing.signal.aborted) break;
      lane.queue.shift();
    }
    lane.busy = false;
    if (lane.queue.length === 0) lanes.delete(key);
  }

  async function attempt(delivery: PendingDelivery): Promise<void> {
    const { event } = delivery;
    let counted = 0;
    let failures = 0;
    if (chaos.delayMs) await pause(chaos.delayMs);
    while (!closing.signal.aborted) {
      const outcome = await deliver(options.target, event, options.requestTimeoutMs ?? 5000, closing.signal);
      if (closing.signal.aborted && !outcome.delivered) return;
      if (outcome.delivered) return store.remove(delivery);
      if (!outcome.retry) {
        log(`event ${event.id} refused by the target with ${outcome.reason}: dropped`);
        return store.bury(delivery);
      }
      failures += 1;
      if (outcome.counted) counted += 1;
      const ageSeconds = (Date.now() - delivery.acceptedAtMs) / 1000;
      if (counted >= (options.maxAttempts ?? 185) || ageSeconds >= (options.maxAgeSeconds ?? 86_400)) {
        log(`event ${event.id} given up after ${failures} attempts, last ${outcome.reason}`);
        return store.bury(delivery);
      }
      await pause(Math.max(backoffMs(failures), outcome.retryAfterMs ?? 0));
    }
  }

  /** Doubles from the base to the ceiling, with the upper half of each step random. */
  function backoffMs(failures: number): number {
    const step = Math.min(
      options.retryMaxMs ?? 10_000,
      (options.retryBaseMs ?? 250) * 2 ** Math.min(failures - 1, 20),
    );
    return step / 2 + Math.random() * (step / 2);
  }

  async function pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: closing.signal }).catch(() => {});
  }

  async function idle(): Promise<void> {
    await accepting;
    while (running.size > 0 || held.size > 0) {
      if (running.size > 0) await Promise.race(running);
      else await sleep(5);
    }
  }

  async function close(): Promise<void> {
    closing.abort();
    await accepting;
    for (const { timer } of held.values()) clearTimeout(timer);
    held.clear();
    await Promise.all(running);
  }

  return { emit, idle, close };
}

function laneKey(delivery: PendingDelivery): string {
  return delivery.event.resources[0] ?? '';
}
