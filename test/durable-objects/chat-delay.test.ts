import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, it } from 'vitest';
import type { ChatterFacts, RoomFacts, SendResult } from '../../durable-objects/chat-room/protocol.ts';
import {
  type ChatClient,
  chatRelay,
  chatRoom,
  chatter,
  decideInChannel,
  enterRoom,
  newRoom,
  textOf,
  until,
} from '../support/worker/chat.ts';

const open: ChatClient[] = [];
afterEach(() => {
  for (const { socket, faults } of open.splice(0)) {
    socket.close(1000);
    expect(faults).toEqual([]);
  }
});
async function enter(room: RoomFacts, facts?: ChatterFacts, after?: number): Promise<ChatClient> {
  const client = await enterRoom(room, facts, after);
  open.push(client);
  return client;
}

const delayed = (): RoomFacts => {
  const room = newRoom();
  return { ...room, settings: { ...room.settings, moderator_delay_seconds: 6 } };
};
const moderator = () => chatter('mod', { role: 'moderator' });

async function say(
  room: RoomFacts,
  facts: ChatterFacts,
  text: string,
): Promise<SendResult & { is_sent: true }> {
  const input = { clientId: crypto.randomUUID(), text };
  const result = await chatRoom(room.streamId).send(facts.userId, input, { room, facts });
  if ('unknown' in result || !result.is_sent) throw new Error('not sent');
  return result;
}

/** Lets the relay believe that it is later, and shows what is due. */
async function pass(room: RoomFacts, ms: number): Promise<void> {
  const relay = chatRelay(room.streamId);
  await runInDurableObject(relay, (instance) => {
    instance.clock = { now: () => Date.now() + ms };
  });
  await runDurableObjectAlarm(relay);
}
const textsOf = (client: ChatClient) => client.events.map(({ event }) => textOf(event));
const has = (client: ChatClient, count: number, what: string) =>
  until(() => client.events.length === count, what);

describe('a room whose viewers see messages after a delay', () => {
  it('shows them to moderators and their author at once, and to the others later, all in one order', async () => {
    const room = delayed();
    const ada = chatter('ada');
    const [mod, author, reader] = [await enter(room, moderator()), await enter(room, ada), await enter(room)];
    await say(room, ada, 'one');
    await say(room, chatter('owner', { role: 'owner' }), 'two');
    await has(mod, 2, 'the moderator has both');
    await until(() => author.frames.some(({ type }) => type === 'early'), 'the author sees their own');
    expect(author.frames.filter(({ type }) => type === 'early')).toMatchObject([
      { events: [{ seq: 1, event: { type: 'message' } }] },
    ]);
    expect([author.events, reader.events]).toEqual([[], []]);
    const late = await enter(room);
    await until(() => late.frames.length > 0, 'it is greeted');
    expect([late.frames[0]?.seq, late.events]).toEqual([0, []]);
    const now = Date.now();
    expect((await chatRoom(room.streamId).glance(undefined, 10, false)).items).toEqual([]);
    expect((await chatRoom(room.streamId).read(undefined, 10)).items[0]?.shownAtMs).toBeGreaterThan(now);

    await pass(room, 6_000);
    for (const client of [author, reader, late]) {
      await has(client, 2, 'it is shown');
      expect(textsOf(client)).toEqual(['one', 'two']);
    }
    expect(textsOf(mod)).toEqual(['one', 'two']);
  });

  it('never shows the words of what was deleted, cleared or silenced meanwhile', async () => {
    const room = delayed();
    const stub = chatRoom(room.streamId);
    const [ada, bob] = [chatter('ada'), chatter('bob')];
    const [mod, reader] = [await enter(room, moderator()), await enter(room)];
    const bad = await say(room, ada, 'something bad');
    await say(room, bob, 'something worse');
    await say(room, ada, 'something good');
    await has(mod, 3, 'the moderator has them');
    await stub.act(room, { kind: 'delete', messageId: bad.message_id });
    await stub.act(room, { kind: 'silence', userId: bob.userId, seconds: 60, version: 1 });
    await has(mod, 5, 'the moderator has the acts');
    await pass(room, 6_000);
    await has(reader, 5, 'it is shown');
    expect(textsOf(reader).slice(0, 3)).toEqual(['', '', 'something good']);
    expect(reader.events[0]?.event).toMatchObject({ type: 'message', deleted: true });
    expect(JSON.stringify([reader.events, reader.frames])).not.toContain('something bad');
    expect(JSON.stringify(reader.events)).not.toContain('something worse');
  });

  it('loses nothing when its relay sleeps while it waits', async () => {
    const room = delayed();
    const ada = chatter('ada');
    const [mod, reader] = [await enter(room, moderator()), await enter(room)];
    await say(room, ada, 'before');
    await has(mod, 1, 'the moderator has it');
    await evictDurableObject(chatRelay(room.streamId));
    await say(room, ada, 'after');
    await has(mod, 2, 'the moderator has it');
    expect(textsOf(reader)).not.toContain('after');
    await pass(room, 6_000);
    await has(reader, 2, 'it is shown');
    expect(textsOf(reader)).toEqual(['before', 'after']);
  });

  it('shows a new moderator what waits, and one who is none any more nothing twice', async () => {
    const room = delayed();
    const [ada, bob] = [chatter('ada'), chatter('bob')];
    const [mod, reader] = [await enter(room, moderator()), await enter(room, bob)];
    await say(room, ada, 'one');
    await has(mod, 1, 'the moderator has it');
    expect(reader.events).toEqual([]);
    const become = (role: 'moderator' | 'viewer', version: number) =>
      decideInChannel(room, {
        version,
        settings: room.settings,
        standings: [{ userId: bob.userId, role, ban: null, warning: null }],
      });
    await become('moderator', 1);
    await has(reader, 1, 'the new moderator has it');
    await become('viewer', 2);
    await until(
      () => reader.frames.filter(({ type }) => type === 'standing').length === 2,
      'they are told that they are none any more',
    );
    await say(room, ada, 'two');
    await has(mod, 2, 'the moderator has it');
    expect(textsOf(reader)).toEqual(['one']);
    await pass(room, 6_000);
    await has(reader, 2, 'it is shown');
    expect(textsOf(reader)).toEqual(['one', 'two']);
  });
});
