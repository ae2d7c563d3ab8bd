import { chatSubprotocol, relayHeaders } from '../../../durable-objects/chat-relay/protocol.ts';
import {
  type ChatterFacts,
  openSettings,
  type RoomFacts,
  relayName,
  roomName,
} from '../../../durable-objects/chat-room/protocol.ts';
import type { Bindings } from '../../../src/context.ts';
import { ChatRoom as Room } from '../../../src/index.ts';

export {
  ChatRelay,
  Idempotency,
  Lock,
  RateLimiter,
  SessionGuard,
  UserHub,
  ViewCounter,
} from '../../../src/index.ts';

/** Without a database there is no channel to ask about. */
export class ChatRoom extends Room {
  override channel = { news: async () => undefined, log: async () => undefined };
}

// A room and its relays as they are, entered without accounts: those have benches of their own.

const room: RoomFacts = {
  streamId: '01990000-0000-7000-8000-000000000000',
  ownerId: '01990000-0000-7000-8000-000000000001',
  settings: openSettings,
  version: 0,
};
const region = 'EU';

const factsOf = (writer: number): ChatterFacts => ({
  userId: `01990000-0000-7000-8000-${String(1_000 + writer).padStart(12, '0')}`,
  username: `writer${writer}`,
  displayName: `Writer ${writer}`,
  role: 'viewer',
  isMember: false,
  followsSinceMs: null,
  ban: null,
  warning: null,
  botMessages: null,
  color: null,
  version: 0,
});

async function enter({ CHAT_ROOM, CHAT_RELAY }: Bindings): Promise<Response> {
  const { relay } = await CHAT_ROOM.getByName(roomName(room.streamId)).enter(room, { region });
  return CHAT_RELAY.getByName(relayName(room.streamId, relay)).fetch('https://chat.internal/', {
    headers: {
      upgrade: 'websocket',
      'sec-websocket-protocol': chatSubprotocol,
      [relayHeaders.streamId]: room.streamId,
      [relayHeaders.relay]: String(relay),
      [relayHeaders.region]: region,
      [relayHeaders.endsAtMs]: String(Date.now() + 3_600_000),
    },
  });
}

async function send(request: Request, { CHAT_ROOM }: Bindings): Promise<Response> {
  const { writer, text } = (await request.json()) as { writer: number; text: string };
  const facts = factsOf(writer);
  const stub = CHAT_ROOM.getByName(roomName(room.streamId));
  const input = { clientId: crypto.randomUUID(), text };
  const result = await stub.send(facts.userId, input);
  return Response.json('unknown' in result ? await stub.send(facts.userId, input, { room, facts }) : result);
}

export default {
  fetch: (request, env) => (request.headers.get('upgrade') === 'websocket' ? enter(env) : send(request, env)),
} satisfies ExportedHandler<Bindings>;
