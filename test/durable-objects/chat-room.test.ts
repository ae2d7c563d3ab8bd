import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, it } from 'vitest';
import { chatCloseCodes, maxFrames } from '../../durable-objects/chat-relay/protocol.ts';
import { archivePeriodMs } from '../../durable-objects/chat-room/archive.ts';
import {
  batchMs,
  keptMs,
  maxBatchesInHand,
  type SendResult,
} from '../../durable-objects/chat-room/protocol.ts';
import {
  betweenRelays,
  type ChatClient,
  chatRelay,
  chatRoom,
  chatter,
  enterRoom,
  headOf,
  logOf,
  newRoom,
  textOf,
  until,
} from '../support/worker/chat.ts';

const open: ChatClient[] = [];
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.close(1000);
});
async function enter(...args: Parameters<typeof enterRoom>): Promise<ChatClient> {
  const client = await enterRoom(...args);
  open.push(client);
  return client;
}

const owner = () => chatter('owner', { role: 'owner' });

async function say(
  room: ReturnType<typeof newRoom>,
  facts: ReturnType<typeof chatter>,
  text: string,
  clientId: string = crypto.randomUUID(),
): Promise<SendResult> {
  const result = await chatRoom(room.streamId).send(facts.userId, { clientId, text }, { room, facts });
  if ('unknown' in result) throw new Error('the room does not know its own');
  return result;
}

/** Answers to what a client sent. */
const answersOf = (client: ChatClient) => client.frames.filter(({ id }) => id !== undefined);

const caughtUp = (room: ReturnType<typeof newRoom>, ...clients: ChatClient[]) =>
  until(async () => {
    const head = await headOf(room.streamId);
    return clients.every((client) => client.last() === head);
  }, 'everybody has the whole log');

describe('a room', () => {
  it('tells everybody everything in one order, and each its number', async () => {
    const room = newRoom();
    const [ada, bob] = [chatter('ada'), chatter('bob')];
    const clients = [await enter(room, ada), await enter(room, bob), await enter(room, undefined)];
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => say(room, index % 2 === 0 ? ada : bob, `message ${index}`)),
    );
    expect(
      results.map((result) => result.is_sent && result.seq).toSorted((a, b) => Number(a) - Number(b)),
    ).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    await caughtUp(room, ...clients);
    const log = await logOf(room.streamId);
    for (const client of clients) {
      expect(client.faults).toEqual([]);
      expect(client.events).toEqual(log);
      expect(client.frames[0]).toMatchObject({ type: 'hello', v: 1 });
      // In batches, not one by one.
      expect(client.batches.length).toBeLessThan(20);
    }
  });

  it('answers a message sent twice under one id with the same message', async () => {
    const room = newRoom();
    const ada = chatter('ada');
    const first = await say(room, ada, 'once', 'a-1');
    await evictDurableObject(chatRoom(room.streamId));
    expect(await say(room, ada, 'once', 'a-1')).toEqual(first);
    expect(await logOf(room.streamId)).toHaveLength(1);
  });

  it('loses nothing it acknowledged when it is evicted before the batch went out', async () => {
    const room = newRoom();
    const ada = owner();
    const client = await enter(room, ada);
    await say(room, ada, 'before');
    await caughtUp(room, client);
    const sent = say(room, ada, 'just before the end');
    expect(await sent).toMatchObject({ is_sent: true });
    await evictDurableObject(chatRoom(room.streamId));
    await runDurableObjectAlarm(chatRoom(room.streamId));
    await caughtUp(room, client);
    expect(client.faults).toEqual([]);
    expect(client.events.map(({ event }) => textOf(event))).toEqual(['before', 'just before the end']);
  });

  it('has relays that fill the holes of lost batches, and pass repeated ones on once', async () => {
    const room = newRoom();
    const ada = owner();
    const client = await enter(room, ada);
    let calls = 0;
    await betweenRelays(room.streamId, (original) => async (relay, run) => {
      calls += 1;
      if (calls % 3 === 1) return 0;
      if (calls % 3 === 2) await original(relay, run);
      return original(relay, run);
    });
    for (let index = 0; index < 9; index += 1) {
      await say(room, ada, `message ${index}`);
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    await runDurableObjectAlarm(chatRelay(room.streamId));
    await caughtUp(room, client);
    expect(calls).toBeGreaterThan(3);
    expect(client.faults).toEqual([]);
    expect(client.events).toEqual(await logOf(room.streamId));
  });

  it('hands a relay that is slow more at a time, and keeps no pile of calls waiting for it', async () => {
    const room = newRoom();
    const ada = chatter('ada');
    const client = await enter(room, ada);
    await say(room, ada, 'all is well');
    await caughtUp(room, client);
    let inHand = 0;
    let most = 0;
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await betweenRelays(room.streamId, (deliver) => async (relay, run) => {
      inHand += 1;
      most = Math.max(most, inHand);
      await held;
      inHand -= 1;
      return await deliver(relay, run);
    });
    for (let batch = 0; batch < 8; batch += 1) {
      await say(room, ada, `while it is slow ${batch}`);
      await new Promise((resolve) => setTimeout(resolve, batchMs + 20));
    }
    letGo();
    await caughtUp(room, client);
    expect(most).toBe(maxBatchesInHand);
    expect(client.faults).toEqual([]);
    expect(client.events).toHaveLength(9);
  });

  it('goes on where a client stopped, and says so when that is too long ago', async () => {
    const room = newRoom();
    const ada = owner();
    const first = await enter(room, ada);
    for (let index = 1; index <= 5; index += 1) await say(room, ada, `message ${index}`);
    await caughtUp(room, first);
    first.socket.close(1000);

    const second = await enter(room, ada, 2);
    await caughtUp(room, second);
    expect(second.events.map(({ seq }) => seq)).toEqual([3, 4, 5]);
    expect(second.faults).toEqual([]);

    const ahead = await enter(room, ada, 999);
    await until(() => ahead.frames.some(({ type }) => type === 'resync'), 'it was told');
    expect(ahead.frames.find(({ type }) => type === 'resync')).toEqual({ type: 'resync', seq: 5 });
    await say(room, ada, 'after that');
    await caughtUp(room, second, ahead);
    expect(ahead.events.map(({ seq }) => seq)).toEqual([6]);
  });

  it('keeps two minutes of its log, and at least five hundred events', async () => {
    const room = newRoom();
    const stub = chatRoom(room.streamId);
    const ada = owner();
    for (let index = 1; index <= 30; index += 1) await say(room, ada, `message ${index}`);
    await runInDurableObject(stub, (instance) => {
      instance.clock = { now: () => Date.now() + keptMs + 1 };
    });
    await runDurableObjectAlarm(stub);
    expect(await stub.read(0, 10)).toMatchObject({ after: 0, head: 30 });
    await runInDurableObject(stub, (_, state) => {
      state.storage.sql.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
        INSERT INTO events (at_ms, kept, mentions, event) SELECT 0, 1, '', '{"type":"cleared"}' FROM n`);
    });
    await evictDurableObject(stub);
    await runInDurableObject(stub, (instance) => {
      instance.clock = { now: () => Date.now() + keptMs + archivePeriodMs + 1 };
    });
    await say(room, ada, 'the last');
    await runDurableObjectAlarm(stub);
    expect((await stub.read(30, 1)).after).toBe(-1);
    expect((await stub.read(31, 1)).items.map(({ seq }) => seq)).toEqual([32]);
  });

  it('takes no more than two hundred messages a second, but for those who keep order', async () => {
    const room = newRoom();
    const stub = chatRoom(room.streamId);
    await runInDurableObject(stub, (instance) => {
      instance.clock = { now: () => 1_800_000_000_000 };
    });
    const codes: string[] = [];
    for (let index = 0; index < 440; index += 1) {
      const result = await say(room, chatter(`user${index}`), 'hello');
      if (!result.is_sent) codes.push(result.drop_reason.code);
    }
    expect(codes).toEqual(Array.from({ length: 40 }, () => 'msg_roomratelimit'));
    expect(await say(room, owner(), 'quiet, please')).toMatchObject({ is_sent: true });
  });
});

describe('moderators', () => {
  it('take words out of the log for those who come later, and tell the others', async () => {
    const room = newRoom();
    const [ada, bob] = [chatter('ada'), chatter('bob')];
    const client = await enter(room, ada);
    const bad = await say(room, bob, 'something bad');
    await say(room, ada, 'something good');
    if (!bad.is_sent) throw new Error('not sent');
    await caughtUp(room, client);
    expect(JSON.stringify(client.events)).toContain('something bad');
    const stub = chatRoom(room.streamId);
    expect(await stub.act(room, { kind: 'delete', messageId: bad.message_id })).toBe('done');
    expect(await stub.act(room, { kind: 'delete', messageId: bad.message_id })).toBe('nothing');
    await caughtUp(room, client);
    expect(client.events.at(-1)?.event).toEqual({ type: 'message_deleted', message_id: bad.message_id });
    const late = await enter(room, undefined);
    await caughtUp(room, late);
    for (const after of [undefined, 0]) {
      const again = await enter(room, undefined, after);
      await caughtUp(room, again);
      expect(JSON.stringify(again.events)).not.toContain('something bad');
    }
    expect(JSON.stringify(late.events)).not.toContain('something bad');
    expect(JSON.stringify(late.events)).toContain('something good');
  });

  it('silence somebody at once, for as long as they say, through what the database said before', async () => {
    const room = newRoom();
    const bob = chatter('bob');
    const stub = chatRoom(room.streamId);
    await say(room, bob, 'first');
    await stub.act(room, {
      kind: 'silence',
      userId: bob.userId,
      seconds: 60,
      version: 1,
    });
    // With facts that are older than the ban.
    expect(await say(room, bob, 'second')).toMatchObject({
      is_sent: false,
      drop_reason: { code: 'msg_timedout' },
    });
    await evictDurableObject(stub);
    expect(await say(room, bob, 'third')).toMatchObject({ is_sent: false });
    expect(JSON.stringify(await logOf(room.streamId))).not.toContain('first');
    await stub.act(room, { kind: 'unban', userId: bob.userId, version: 2 });
    expect(await say(room, bob, 'fourth')).toMatchObject({ is_sent: true });
  });

  it('set modes that hold for the next message, survive eviction and are told to everybody', async () => {
    const room = newRoom();
    const bob = chatter('bob');
    const client = await enter(room, bob);
    const settings = { ...room.settings, slow_seconds: 120 };
    await chatRoom(room.streamId).act(room, { kind: 'settings', settings, version: 1 });
    expect(await say(room, bob, 'one')).toMatchObject({ is_sent: true });
    await evictDurableObject(chatRoom(room.streamId));
    expect(await say(room, bob, 'two')).toMatchObject({ drop_reason: { code: 'msg_slowmode' } });
    await caughtUp(room, client);
    expect(client.events[0]?.event).toEqual({ type: 'settings', settings });
    const late = await enter(room, undefined);
    await until(() => late.frames.length > 0, 'it was greeted');
    expect(late.frames[0]).toMatchObject({ settings });
  });
});

describe('a socket', () => {
  it('sends messages, and is answered for each under its id', async () => {
    const room = newRoom();
    const ada = chatter('ada');
    const client = await enter(room, ada);
    client.socket.send(JSON.stringify({ type: 'send', id: 'x1', text: 'by socket' }));
    client.socket.send(JSON.stringify({ type: 'send', id: 'x2', text: 'by socket' }));
    client.socket.send(JSON.stringify({ type: 'send', id: 'x3', text: 'x'.repeat(501) }));
    await until(() => answersOf(client).length === 3, 'all were answered');
    const answers = Object.fromEntries(answersOf(client).map((frame) => [frame.id, frame]));
    expect(answers.x1).toMatchObject({ type: 'sent', is_sent: true });
    expect(answers.x2).toMatchObject({ is_sent: false, drop_reason: { code: 'msg_duplicate' } });
    expect(answers.x3).toMatchObject({ type: 'error', code: 'chat.text' });
  });

  it('of a stranger only reads', async () => {
    const room = newRoom();
    const client = await enter(room, undefined);
    client.socket.send(JSON.stringify({ type: 'send', id: 'x1', text: 'hello' }));
    await until(() => answersOf(client).length === 1, 'it was answered');
    expect(answersOf(client)[0]).toMatchObject({ type: 'error', id: 'x1', code: 'chat.read_only' });
    expect(await headOf(room.streamId)).toBe(0);
  });

  it.each([
    ['no JSON', 'hello', chatCloseCodes.malformed],
    ['another type', '{"type":"become_owner"}', chatCloseCodes.malformed],
    ['a field too many', '{"type":"send","id":"a","text":"b","role":"owner"}', chatCloseCodes.malformed],
    ['an impossible number', '{"type":"seen","seq":-1}', chatCloseCodes.malformed],
    ['a number beyond all', '{"type":"seen","seq":1e300}', chatCloseCodes.malformed],
    ['a list', '[]', chatCloseCodes.malformed],
    [
      'a frame too big',
      `{"type":"send","id":"a","text":"${'x'.repeat(5_000)}"}`,
      chatCloseCodes.messageTooBig,
    ],
    ['bytes', new Uint8Array([1, 2, 3]), chatCloseCodes.unsupportedData],
  ])('that sends %s is closed, and nobody else is', async (_, frame, code) => {
    const room = newRoom();
    const [bad, good] = [await enter(room, chatter('bad')), await enter(room, chatter('good'))];
    bad.socket.send(frame);
    await until(() => bad.closed !== undefined, 'it was closed');
    expect(bad.closed).toBe(code);
    await say(room, owner(), 'still here');
    await caughtUp(room, good);
    expect([good.closed, good.faults]).toEqual([undefined, []]);
  });

  it('that floods is closed', async () => {
    const room = newRoom();
    const client = await enter(room, chatter('bad'));
    for (let index = 0; index <= maxFrames; index += 1)
      client.socket.send(JSON.stringify({ type: 'seen', seq: 0 }));
    await until(() => client.closed !== undefined, 'it was closed');
    expect(client.closed).toBe(chatCloseCodes.flood);
  });

  it('that does not read is dropped by a code of its own, and comes back where it stopped', async () => {
    const room = newRoom();
    const ada = owner();
    const client = await enter(room, ada);
    await say(room, ada, 'first');
    await caughtUp(room, client);
    client.socket.send(JSON.stringify({ type: 'seen', seq: 1 }));
    const stub = chatRoom(room.streamId);
    await runInDurableObject(stub, (_, state) => {
      state.storage.sql.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5001)
        INSERT INTO events (at_ms, kept, mentions, event) SELECT ${Date.now()}, 1, '', '{"type":"cleared"}' FROM n`);
    });
    await evictDurableObject(stub);
    await say(room, ada, 'last');
    await runDurableObjectAlarm(chatRelay(room.streamId));
    await until(() => client.closed !== undefined, 'it was closed');
    expect(client.closed).toBe(chatCloseCodes.tooSlow);
    const again = await enter(room, ada, 1);
    await caughtUp(room, again);
    expect([again.faults, again.events.length]).toEqual([[], 5_002]);
  });

  it('ends with its token', async () => {
    const room = newRoom();
    const client = await enter(room, chatter('ada'));
    const relay = chatRelay(room.streamId);
    await runInDurableObject(relay, (instance) => {
      instance.clock = { now: () => Date.now() + 700_000 };
    });
    await runDurableObjectAlarm(relay);
    await until(() => client.closed !== undefined, 'it was closed');
    expect(client.closed).toBe(chatCloseCodes.tokenExpired);
  });

  it('hears on after its relay slept', async () => {
    const room = newRoom();
    const ada = owner();
    const client = await enter(room, ada);
    await say(room, ada, 'before');
    await caughtUp(room, client);
    await evictDurableObject(chatRelay(room.streamId));
    await say(room, ada, 'after');
    await caughtUp(room, client);
    expect([client.closed, client.faults, client.events.length]).toEqual([undefined, [], 2]);
  });
});

it('a poll ends in time, also when its room slept, and keeps its votes', async () => {
  const room = newRoom();
  const stub = chatRoom(room.streamId);
  const [ada, bob] = [owner(), chatter('bob')];
  const client = await enter(room, ada);
  await stub.act(room, { kind: 'open poll', title: 'Tea?', choices: ['yes', 'no'], seconds: 15 });
  await caughtUp(room, client);
  const [begun] = client.events;
  const pollId = begun?.event.type === 'poll' ? begun.event.poll.id : '';
  expect(await stub.vote(bob.userId, { pollId, choice: 0 })).toEqual({ unknown: true });
  expect(await stub.vote(bob.userId, { pollId, choice: 0 }, { room, facts: bob })).toBe('counted');
  await evictDurableObject(stub);
  await runInDurableObject(stub, (instance) => {
    instance.clock = { now: () => Date.now() + 16_000 };
  });
  expect(await stub.vote(ada.userId, { pollId, choice: 1 }, { room, facts: ada })).toBe('no_poll');
  await runDurableObjectAlarm(stub);
  await caughtUp(room, client);
  expect(client.events[1]?.event).toMatchObject({
    type: 'poll',
    poll: {
      id: pollId,
      ended: true,
      choices: [
        { text: 'yes', votes: 1 },
        { text: 'no', votes: 0 },
      ],
    },
  });
  expect(client.faults).toEqual([]);
});

describe('those who look on', () => {
  const viewersOf = (client: ChatClient) =>
    client.frames.flatMap((frame) => (frame.type === 'viewers' ? [Number(frame.count)] : [])).at(-1);

  it('are counted over all relays, as they come and go', async () => {
    const room = newRoom();
    const first = await enter(room, chatter('ada'));
    const others = [await enter(room, undefined), await enter(room, undefined)];
    // A relay elsewhere, with a crowd.
    await chatRoom(room.streamId).subscribe({
      number: 7,
      region: 'AS',
      crowd: { sockets: 1_500, viewers: 1_500 },
      after: 0,
    });
    await until(() => viewersOf(first) === 1_503, 'all are counted');
    for (const { socket } of others) socket.close(1000);
    await until(() => viewersOf(first) === 1_501, 'they are gone');
    await chatRoom(room.streamId).leave(7);
    await until(() => viewersOf(first) === 1, 'the crowd is gone');
    const late = await enter(room, undefined);
    await until(() => viewersOf(first) === 2 && late.frames.length > 0, 'another came');
    expect(late.frames[0]).toMatchObject({ type: 'hello', viewers: expect.any(Number) });
  });
});

describe('a busy room', () => {
  it('shows each viewer what they can read, their own and what speaks to them, and names what it leaves out', async () => {
    const room = newRoom();
    const [ada, bob] = [chatter('ada'), chatter('bob')];
    const reader = await enter(room, undefined);
    const named = await enter(room, bob);
    const own = await enter(room, ada);
    const mod = chatter('mod', { role: 'moderator' });
    await Promise.all([
      ...Array.from({ length: 120 }, (_, index) => say(room, chatter(`user${index}`), `noise ${index}`)),
      say(room, ada, 'look here @bob'),
      say(room, mod, 'be nice'),
    ]);
    await caughtUp(room, reader, named, own);
    const texts = (client: ChatClient) => client.events.map(({ event }) => textOf(event));
    for (const client of [reader, named, own]) {
      expect(client.faults).toEqual([]);
      expect(texts(client)).toContain('be nice');
      expect(client.events.length).toBeLessThan(122);
      expect(client.batches.some(({ omitted }) => omitted !== undefined)).toBe(true);
    }
    expect(texts(named)).toContain('look here @bob');
    expect(texts(own)).toContain('look here @bob');
  });
});
