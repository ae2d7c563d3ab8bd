import type { Clock } from '../../src/shared/clock.ts';
import { wakeBy } from '../alarms.ts';
import type { LogStore } from './log-store.ts';
import type { Notes } from './notes.ts';
import {
  batchMs,
  type Counts,
  crowdBatchMs,
  crowdSockets,
  type Deliver,
  type LogRun,
  maxBatchesInHand,
  type Notice,
} from './protocol.ts';
import type { Relays } from './relays.ts';

/** After so long the alarm takes out what a lost timer did not. */
const backstopMs = 1_000;
/** How long reports of relays are gathered. */
const countMs = 500;
/** The same where a relay holds a crowd, which each count costs a frame for each socket; still within two seconds of a change. */
const crowdCountMs = 1_200;
/** Of the log in one call to a relay. */
const maxRun = 500;

/** What is handed to relays comes from here and goes there. */
export interface DeliveryEnds {
  readonly storage: DurableObjectStorage;
  readonly log: LogStore;
  readonly notes: Notes;
  readonly relays: Relays;
  readonly clock: Clock;
  readonly deliver: Deliver;
  readonly tellCounts: (relay: number, counts: Counts) => Promise<void>;
  readonly notify: (relay: number, notices: readonly Notice[]) => Promise<void>;
  /** How many look on. */
  viewers(nowMs: number): number;
  waitUntil(work: Promise<unknown>): void;
}

/** How a room's log gets to the relays that hold its sockets: in batches, while there is something to send. */
export interface Delivery {
  /** Sees to it that what has just been put into the log goes out. */
  goOut(nowMs: number): Promise<void>;
  /** Takes out what relays do not have. */
  push(): Promise<void>;
  /** Hands frames without a place in the log to the sockets they are for, if they are there. */
  notify(notices: readonly Notice[], nowMs: number): void;
  /** Tells relays how many look on and how votes stand, a little later. */
  countSoon(): void;
  /** What a relay needs that has everything up to `after`, or nothing; it has it from here on. */
  begin(relay: number, after: number | undefined): LogRun;
  /** A relay has no socket any more. */
  leave(relay: number): void;
}

export function createDelivery(ends: DeliveryEnds): Delivery {
  const { storage, log, notes, relays, clock } = ends;
  /** How far each relay is known to be. */
  const reached = new Map<number, number>();
  /** Batches that each relay has not answered, in a record of its own for each of its leases. */
  const inHand = new Map<number, { count: number }>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let counting: ReturnType<typeof setTimeout> | undefined;

  const runFor = (relay: number, after: number | undefined): LogRun => {
    const run = after === undefined ? log.latest(maxRun) : log.runAfter(after, maxRun);
    reached.set(relay, run.items.at(-1)?.seq ?? run.head);
    return run;
  };

  const isCrowded = (nowMs: number): boolean => relays.fullest(nowMs) > crowdSockets;

  function leave(relay: number): void {
    relays.remove(relay);
    reached.delete(relay);
    inHand.delete(relay);
    countSoon();
  }

  function countSoon(): void {
    if (counting !== undefined) return;
    counting = setTimeout(
      () => {
        counting = undefined;
        const now = clock.now();
        const counts = { viewers: ends.viewers(now), poll: notes.poll() };
        const told = relays.live(now).map(({ number }) => ends.tellCounts(number, counts));
        // A relay that does not hear it asks with its next lease.
        ends.waitUntil(Promise.allSettled(told));
      },
      isCrowded(clock.now()) ? crowdCountMs : countMs,
    );
  }

  async function pushTo(relay: number): Promise<void> {
    const held = inHand.get(relay) ?? { count: 0 };
    // One that is slow is handed more at a time, once it answers.
    if (held.count >= maxBatchesInHand) return;
    inHand.set(relay, held);
    held.count += 1;
    // After a restart nothing is known of relays: the last events do, and what lies before them a relay asks for.
    // Noted before the answer: a batch that gets lost leaves a hole, which the relay sees at the next one and fills.
    const run = runFor(relay, reached.get(relay));
    try {
      if ((await ends.deliver(relay, run)) === undefined) return leave(relay);
    } catch {
      // It asks for what it misses when it renews its lease.
      reached.delete(relay);
      return;
    } finally {
      held.count -= 1;
    }
    if (inHand.get(relay) === held && held.count === maxBatchesInHand - 1 && isBehind(relay))
      await pushTo(relay);
  }

  const isBehind = (relay: number): boolean => (reached.get(relay) ?? 0) < log.head();

  async function push(): Promise<void> {
    const behind = relays.live(clock.now()).filter(({ number }) => isBehind(number));
    await Promise.all(behind.map(({ number }) => pushTo(number)));
  }

  return {
    // The timer holds a batch open; it keeps the object awake only while there is something to send.
    async goOut(nowMs) {
      if (timer === undefined)
        timer = setTimeout(
          () => {
            timer = undefined;
            ends.waitUntil(push());
          },
          isCrowded(nowMs) ? crowdBatchMs : batchMs,
        );
      await wakeBy(storage, nowMs + backstopMs);
    },
    push,
    notify(notices, nowMs) {
      if (notices.length === 0) return;
      const told = relays.live(nowMs).map(({ number }) => ends.notify(number, notices));
      // Whoever misses one learns it when they ask, or connect anew.
      ends.waitUntil(Promise.allSettled(told));
    },
    countSoon,
    begin(relay, after) {
      inHand.delete(relay);
      return runFor(relay, after);
    },
    leave,
  };
}
