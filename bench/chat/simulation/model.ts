import { readablePerSecond } from '../../../durable-objects/chat-relay/protocol.ts';
import {
  batchMs,
  crowdBatchMs,
  crowdSockets,
  maxBatchesInHand,
} from '../../../durable-objects/chat-room/protocol.ts';
import { createAgenda, createChance, Thread } from './agenda.ts';
import type { Costs } from './costs.ts';

export interface Plan {
  readonly viewers: number;
  readonly socketsPerRelay: number;
  readonly messagesPerSecond: number;
  readonly seconds: number;
  /** Share of viewers that go and are replaced in a minute. */
  readonly churn: number;
  readonly seed: number;
  readonly costs: Costs;
}

export interface Outcome {
  readonly relays: number;
  readonly messages: number;
  /** Of one thread: the room, the mean of the relays, and the busiest. */
  readonly roomLoad: number;
  readonly relayLoad: number;
  readonly busiestRelay: number;
  /** From being said to reaching a viewer: median, 95th, 99th of a hundred, greatest. */
  readonly lagMs: readonly [number, number, number, number];
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
  /** Calls between objects, a second. */
  readonly callsPerSecond: number;
}

interface Relay {
  readonly thread: Thread;
  readonly sockets: number;
  /** One way between the room and this relay. */
  readonly wayMs: number;
  reached: number;
  inHand: number;
}

const reportMs = 500;
/** How often viewers are told how many they are, while that changes. */
const countMs = 1_200;
const leaseMs = 10_000;
const tallyMs = 1_000;
const seenMs = 10_000;
const heardEveryMs = 100;
/** Of a message as JSON, and of what stands around those of a batch. */
const eventBytes = 280;
const frameBytes = 70;
const sampledSockets = 20;

/**
 * Plays a room with all its relays on a clock of its own: each object is a thread that does one thing after the other, each thing
 * costs what was measured, and calls take the way between continents. Viewers are sampled, their costs are not.
 */
export function simulate({ costs, ...plan }: Plan): Outcome {
  const agenda = createAgenda();
  const chance = createChance(plan.seed);
  const endMs = plan.seconds * 1_000;
  const room = new Thread();
  const count = Math.ceil(plan.viewers / plan.socketsPerRelay);
  const relays: Relay[] = Array.from({ length: count }, (_, index) => ({
    thread: new Thread(),
    sockets: Math.floor(plan.viewers / count) + (index < plan.viewers % count ? 1 : 0),
    // The room is where its owner is; half of the relays are on that continent, the others up to the other side of the world.
    wayMs: chance() < 0.5 ? 2 + 20 * chance() : 40 + 110 * chance(),
    reached: 0,
    inHand: 0,
  }));
  const saidAt: number[] = [0];
  const lags: number[] = [];
  let frames = 0;
  let bytes = 0;
  let calls = 0;
  let timer = false;
  let counted = 0;
  const openForMs = (relays[0]?.sockets ?? 0) > crowdSockets ? crowdBatchMs : batchMs;

  // Log-normal about 25 ms: most are near, some are far behind a slow line.
  const viewerWayMs = (): number =>
    25 * Math.exp(0.8 * Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance()));
  const head = (): number => saidAt.length - 1;

  function show(relay: Relay, after: number, to: number): void {
    const said = to - after;
    const shown = Math.min(said, Math.ceil((readablePerSecond * Math.max(100, openForMs)) / 1_000));
    const cost = costs.relayBatch + costs.relayFrame * relay.sockets;
    const { beginMs, endMs: doneMs } = relay.thread.spend(agenda.now(), cost);
    frames += relay.sockets;
    bytes += relay.sockets * (frameBytes + shown * eventBytes);
    for (let sample = 0; sample < sampledSockets; sample += 1) {
      const sentMs =
        beginMs + (costs.relayBatch + costs.relayFrame * Math.floor(chance() * relay.sockets)) / 1_000;
      const seq = after + 1 + Math.floor(chance() * said);
      lags.push(sentMs + viewerWayMs() - (saidAt[seq] ?? sentMs));
    }
    agenda.at(doneMs + relay.wayMs, () => {
      relay.inHand -= 1;
      if (relay.inHand === maxBatchesInHand - 1 && relay.reached < head()) hand(relay);
    });
  }

  function hand(relay: Relay): void {
    if (relay.inHand >= maxBatchesInHand || relay.reached >= head()) return;
    const after = relay.reached;
    const to = head();
    relay.reached = to;
    relay.inHand += 1;
    calls += 1;
    const { endMs: sentMs } = room.spend(agenda.now(), costs.roomCall);
    agenda.at(sentMs + relay.wayMs, () => show(relay, after, to));
  }

  function say(): void {
    const { endMs: saidMs } = room.spend(agenda.now(), costs.roomMessage);
    agenda.at(saidMs, () => {
      saidAt.push(agenda.now());
      if (timer) return;
      timer = true;
      agenda.at(agenda.now() + openForMs, () => {
        timer = false;
        for (const relay of relays) hand(relay);
      });
    });
    agenda.at(agenda.now() - (1_000 / plan.messagesPerSecond) * Math.log(1 - chance()), say);
  }

  const every = (ms: number, offsetMs: number, work: () => void): void =>
    agenda.at(offsetMs, function again() {
      work();
      agenda.at(agenda.now() + ms, again);
    });

  agenda.at(0, say);
  every(tallyMs, tallyMs, () => {
    room.spend(agenda.now(), costs.roomTally * (head() - counted));
    counted = head();
  });
  for (const relay of relays) {
    every(leaseMs, chance() * leaseMs, () => {
      calls += 1;
      room.spend(agenda.now(), costs.roomHeard);
      relay.thread.spend(agenda.now(), costs.relayLease * relay.sockets);
    });
    every(heardEveryMs, chance() * heardEveryMs, () => {
      const comeOrGo = (relay.sockets * plan.churn * heardEveryMs) / 60_000;
      const heard = (relay.sockets * heardEveryMs) / seenMs;
      relay.thread.spend(agenda.now(), costs.relayHeard * (heard + 4 * comeOrGo));
      room.spend(agenda.now(), costs.roomHeard * comeOrGo);
    });
    if (plan.churn > 0) {
      every(reportMs, chance() * reportMs, () => {
        calls += 1;
        room.spend(agenda.now(), costs.roomHeard);
      });
      every(countMs, countMs, () => {
        calls += 1;
        room.spend(agenda.now(), costs.roomCall);
        relay.thread.spend(agenda.now(), costs.relayFrame * relay.sockets);
        frames += relay.sockets;
        bytes += relay.sockets * frameBytes;
      });
    }
  }
  agenda.run(endMs);

  const loads = relays.map(({ thread }) => thread.load(endMs));
  const sorted = Float64Array.from(lags).sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return {
    relays: count,
    messages: head(),
    roomLoad: room.load(endMs),
    relayLoad: loads.reduce((sum, load) => sum + load, 0) / loads.length,
    busiestRelay: Math.max(...loads),
    lagMs: [at(0.5), at(0.95), at(0.99), at(1)],
    framesPerSecond: frames / plan.seconds,
    bytesPerSecond: bytes / plan.seconds,
    callsPerSecond: calls / plan.seconds,
  };
}
