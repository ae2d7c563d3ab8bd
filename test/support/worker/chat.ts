import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { relayHeaders } from '../../../durable-objects/chat-relay/protocol.ts';
import { keepsOrder } from '../../../durable-objects/chat-room/decide.ts';
import {
  type ChatEvent,
  type ChatterFacts,
  type LogRun,
  openSettings,
  type RoomFacts,
  relayName,
  roomName,
} from '../../../durable-objects/chat-room/protocol.ts';
import type { ChannelNews } from '../../../src/modules/chat/channel.repository.ts';
import { serverFrames } from '../../../src/modules/chat/frames.schemas.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { testEnv } from './env.ts';

const { CHAT_ROOM, CHAT_RELAY } = testEnv(env);

export const chatRoom = (streamId: string) => CHAT_ROOM.getByName(roomName(streamId));
export const chatRelay = (streamId: string, relay = 0) => CHAT_RELAY.getByName(relayName(streamId, relay));

export const newRoom = (): RoomFacts => ({
  streamId: randomIds.next(),
  ownerId: randomIds.next(),
  settings: openSettings,
  version: 0,
});

export const chatter = (username: string, more: Partial<ChatterFacts> = {}): ChatterFacts => ({
  userId: randomIds.next(),
  username,
  displayName: username,
  role: 'viewer',
  isMember: false,
  followsSinceMs: null,
  ban: null,
  warning: null,
  botMessages: null,
  color: null,
  version: 0,
  ...more,
});

export interface SeenEvent {
  readonly seq: number;
  readonly at: number;
  readonly event: ChatEvent;
}

/** A client that keeps what it gets, and what is wrong with it. */
export interface ChatClient {
  readonly socket: WebSocket;
  /** Frames but for batches, in order. */
  readonly frames: Record<string, unknown>[];
  readonly events: SeenEvent[];
  /** When each number came, Unix milliseconds. */
  readonly arrivals: Map<number, number>;
  readonly batches: { readonly from: number; readonly to: number; readonly omitted?: [number, number][] }[];
  /** Numbers that came twice, in the wrong order or not at all. */
  readonly faults: string[];
  /** The last number it has; undefined before the first. */
  last(): number | undefined;
  closed: number | undefined;
}

export function followSocket(socket: WebSocket, startsAt?: number): ChatClient {
  let last = startsAt;
  const client: ChatClient = {
    socket,
    frames: [],
    events: [],
    arrivals: new Map(),
    batches: [],
    faults: [],
    last: () => last,
    closed: undefined,
  };
  socket.addEventListener('message', ({ data }) => {
    const frame = JSON.parse(String(data));
    const isKnown = Object.hasOwn(serverFrames, frame.type);
    const read = isKnown ? serverFrames[frame.type as keyof typeof serverFrames].safeParse(frame) : undefined;
    if (read?.success !== true)
      client.faults.push(`not as documented: ${String(data).slice(0, 200)} ${read?.error?.message}`);
    if (frame.type === 'resync') last = frame.seq;
    if (frame.type !== 'batch') {
      client.frames.push(frame);
      return;
    }
    if (last !== undefined && frame.from !== last + 1)
      client.faults.push(`${frame.from}..${frame.to} after ${last}`);
    const named = [
      ...frame.events.map(({ seq }: SeenEvent) => seq),
      ...(frame.omitted ?? []).flatMap(([a, b]: [number, number]) =>
        Array.from({ length: b - a + 1 }, (_, index) => a + index),
      ),
    ].toSorted((a: number, b: number) => a - b);
    const expected = Array.from({ length: frame.to - frame.from + 1 }, (_, index) => frame.from + index);
    if (named.join() !== expected.join())
      client.faults.push(`${frame.from}..${frame.to} holds ${named.join()}`);
    last = frame.to;
    for (const { seq } of frame.events) client.arrivals.set(seq, Date.now());
    client.events.push(...frame.events);
    client.batches.push(frame);
  });
  socket.addEventListener('close', ({ code }) => {
    client.closed = code;
  });
  socket.accept();
  return client;
}

/** Connects past the Worker, as it would. */
export async function enterRoom(
  room: RoomFacts,
  facts: ChatterFacts | undefined,
  after?: number,
): Promise<ChatClient> {
  const { relay, facts: known } = await chatRoom(room.streamId).enter(room, {
    region: 'EU',
    ...(facts === undefined ? {} : { facts }),
  });
  const response = await chatRelay(room.streamId, relay).fetch('https://chat.internal/', {
    headers: {
      upgrade: 'websocket',
      [relayHeaders.streamId]: room.streamId,
      [relayHeaders.relay]: String(relay),
      [relayHeaders.region]: 'EU',
      [relayHeaders.endsAtMs]: String(Date.now() + 600_000),
      ...(known === undefined
        ? {}
        : {
            [relayHeaders.userId]: known.userId,
            [relayHeaders.username]: known.username,
            [relayHeaders.keepsOrder]: keepsOrder(known) ? '1' : '0',
          }),
      ...(after === undefined ? {} : { [relayHeaders.after]: String(after) }),
    },
  });
  const { webSocket } = response;
  if (webSocket === null) throw new Error(`no socket: ${response.status}`);
  return followSocket(webSocket, after);
}

/** Waits until something holds. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let waited = 0; waited < 15_000; waited += 20) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited in vain until ${what}`);
}

export const headOf = async (streamId: string): Promise<number> =>
  (await chatRoom(streamId).read(undefined, 1)).head;

/** The room's whole log, as far as it is kept. */
export async function logOf(streamId: string): Promise<SeenEvent[]> {
  const run: LogRun = await chatRoom(streamId).read(undefined, 100_000);
  return run.items.map(({ text }) => JSON.parse(text) as SeenEvent);
}

/** Puts something between a room and its relays. */
export const betweenRelays = (
  streamId: string,
  act: (original: (relay: number, run: LogRun) => Promise<number | undefined>) => typeof original,
): Promise<void> =>
  runInDurableObject(chatRoom(streamId), (instance) => {
    instance.deliver = act(instance.deliver);
  });

/** Tells a room what was decided in its channel, as the database would. */
export const decideInChannel = (
  room: RoomFacts,
  news: Partial<ChannelNews> & { readonly version: number },
): Promise<void> =>
  runInDurableObject(chatRoom(room.streamId), async (instance) => {
    const { channel } = instance;
    const told = { settings: room.settings, rules: undefined, standings: [], ...news };
    instance.channel = { ...channel, news: async () => told };
    await instance.look(news.version);
    instance.channel = channel;
  });

export const textOf = (event: ChatEvent): string =>
  event.type === 'message' ? event.fragments.map(({ text }) => text).join('') : '';
