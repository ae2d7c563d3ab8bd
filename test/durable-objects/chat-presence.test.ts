import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { expect, it } from 'vitest';
import type { PresenceFlush } from '../../durable-objects/chat-relay/presence.ts';
import { chatRelay, chatRoom, chatter, enterRoom, newRoom, until } from '../support/worker/chat.ts';

const minuteMs = 61_000;

/** Lets a relay tell who was there, some time on. @returns what it tells. */
async function tell(
  streamId: string,
  afterMs: number,
  apply: (flush: PresenceFlush) => void = () => undefined,
) {
  const told: PresenceFlush[] = [];
  const relay = chatRelay(streamId);
  await runInDurableObject(relay, (instance) => {
    instance.clock = { now: () => Date.now() + afterMs };
    instance.applyPresence = async (flush) => {
      told.push(flush);
      apply(flush);
    };
  });
  await runDurableObjectAlarm(relay);
  return told;
}

it('remembers visits through sleep, and tells of each until it is heard', async () => {
  const room = newRoom();
  const [ada, bob] = [chatter('ada'), chatter('bob')];
  const clients = [await enterRoom(room, ada), await enterRoom(room, bob), await enterRoom(room, undefined)];
  await evictDurableObject(chatRelay(room.streamId));
  const lost = await tell(room.streamId, minuteMs, () => {
    throw new Error('the database does not answer');
  });
  expect(lost).toMatchObject([{ joins: 3, leaves: 0, strangers: 1 }]);
  await evictDurableObject(chatRelay(room.streamId));
  clients[1]?.socket.close(1000);
  await until(() => clients[1]?.closed !== undefined, 'one has gone');
  const [heard] = await tell(room.streamId, 2 * minuteMs);
  expect(heard).toMatchObject({ counterId: lost[0]?.counterId, joins: 3, leaves: 1, strangers: 1 });
  expect(heard?.seq).toBeGreaterThan(lost[0]?.seq ?? 0);
  expect(heard?.people.map(({ userId }) => userId).toSorted()).toEqual([ada.userId, bob.userId].toSorted());
  expect(heard?.strangersMs).toBeGreaterThanOrEqual(2 * minuteMs);
  // Who has gone is told of once, who stays every ten minutes.
  const [later] = await tell(room.streamId, 4 * minuteMs);
  expect(later).toMatchObject({ joins: 3, leaves: 1, people: [] });
  const [last] = await tell(room.streamId, 20 * minuteMs);
  expect(last?.people.map(({ userId }) => userId)).toEqual([ada.userId]);
  for (const { socket } of clients) socket.close(1000);
});

it('ends visits whose sockets vanished when they were seen last', async () => {
  const room = newRoom();
  const [ada, bob] = [chatter('ada'), chatter('bob')];
  const client = await enterRoom(room, ada);
  await tell(room.streamId, 5_000);
  // As after a deployment: the socket is gone, and nobody was told.
  await runInDurableObject(chatRelay(room.streamId), (_, state) => {
    state.storage.sql.exec('INSERT INTO visits (user_id, from_ms) VALUES (?, ?)', bob.userId, Date.now());
  });
  const flushes = await tell(room.streamId, 3 * minuteMs);
  expect(flushes.at(-1)).toMatchObject({ leaves: 1 });
  const [span] = flushes[0]?.people.find(({ userId }) => userId === bob.userId)?.spans ?? [];
  expect((span?.[1] ?? 0) - (span?.[0] ?? 0)).toBeLessThanOrEqual(5_000);
  client.socket.close(1000);
});

it('puts the tabs of one person into one relay, also where others go to a new one', async () => {
  const room = newRoom();
  const [ada, bob] = [chatter('ada'), chatter('bob')];
  const enter = async (facts: typeof ada) =>
    (await chatRoom(room.streamId).enter(room, { facts, region: 'EU' })).relay;
  expect(await enter(ada)).toBe(0);
  const crowd = { sockets: 1_600, viewers: 1_600 };
  await chatRoom(room.streamId).subscribe({ number: 0, region: 'EU', crowd, after: 0 });
  expect(await enter(bob)).toBe(1);
  expect(await enter(ada)).toBe(0);
  await evictDurableObject(chatRoom(room.streamId));
  expect(await enter(ada)).toBe(0);
  expect(await enter(bob)).toBe(1);
});
