import { runDurableObjectAlarm } from 'cloudflare:test';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeId } from '../../../src/shared/ids.ts';
import { type ChatClient, chatRelay, followSocket, textOf, until } from '../../support/worker/chat.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';

const open: ChatClient[] = [];
afterEach(() => {
  for (const { socket, faults } of open.splice(0)) {
    socket.close(1000);
    expect(faults).toEqual([]);
  }
});

interface Log {
  readonly after: number;
  readonly to: number;
  readonly events: { readonly seq: number; readonly event: Parameters<typeof textOf>[0] }[];
}

async function announce(owner: TestUser, visibility = 'public'): Promise<string> {
  const body = { title: 'Live', visibility };
  return (await callJson<{ id: string }>(201, 'POST', '/v1/streams', { token: owner.token, body })).id;
}

async function enter(
  stream: string,
  headers: Record<string, string> = {},
  query = '',
  token?: string,
): Promise<ChatClient> {
  const response = await call('GET', `/v1/streams/${stream}/chat${query}`, {
    token,
    headers: { upgrade: 'websocket', 'sec-websocket-protocol': 'social-flow.chat.v1', ...headers },
  });
  if (response.webSocket === null) throw new Error(`no socket: ${response.status} ${await response.text()}`);
  expect(response.headers.get('sec-websocket-protocol')).toBe('social-flow.chat.v1');
  const client = followSocket(response.webSocket);
  open.push(client);
  return client;
}

const say = (stream: string, user: TestUser, text: string, more: Record<string, unknown> = {}) =>
  callJson<{ is_sent: boolean; message_id: string; seq: number; drop_reason?: { code: string } }>(
    200,
    'POST',
    `/v1/streams/${stream}/chat/messages`,
    { token: user.token, body: { client_id: crypto.randomUUID(), text, ...more } },
  );
const moderate = (stream: string, by: TestUser, body: Record<string, unknown>) =>
  call('POST', `/v1/streams/${stream}/chat/moderation`, { token: by.token, body });
const codeOf = async (response: Response) => [
  response.status,
  ((await response.json()) as { code: string }).code,
];
const read = (stream: string, query = '', token?: string) =>
  callJson<Log>(200, 'GET', `/v1/streams/${stream}/chat/messages${query}`, { token });
const openSettings = {
  slow_seconds: 0,
  members_only: false,
  followers_only_minutes: null,
  emote_only: false,
  unique_only: false,
  moderator_delay_seconds: 0,
};

describe('the chat of a stream', () => {
  it('goes from one to all, by socket and by request, without a trip to the database for each message', async () => {
    const [owner, ada] = [await seedUser(), await seedUser()];
    const stream = await announce(owner);
    const [reader, writer] = [await enter(stream), await enter(stream, {}, '', ada.token)];
    const first = await call('POST', `/v1/streams/${stream}/chat/messages`, {
      token: ada.token,
      body: { client_id: 'one', text: 'hello @everyone' },
    });
    expect((await roundTripsOf(first)).roundTrips).toBe(0);
    writer.socket.send(JSON.stringify({ type: 'send', id: 'two', text: 'and by socket' }));
    await until(() => reader.events.length === 2 && writer.events.length === 2, 'both have both');
    expect(reader.events.map(({ event }) => textOf(event))).toEqual(['hello @everyone', 'and by socket']);
    expect(reader.events[0]?.event).toMatchObject({
      author: { id: ada.id, username: ada.username, role: 'viewer', member: false },
    });
    expect(reader.frames[0]).toMatchObject({ type: 'hello', you: null });
    expect(writer.frames[0]).toMatchObject({ type: 'hello', you: { username: ada.username } });

    const log = await read(stream);
    expect(log.events.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(await read(stream, '?after=2')).toEqual({
      after: 2,
      to: 2,
      events: [],
      viewers: expect.any(Number),
    });
    expect(await read(stream, '?after=0&limit=1')).toMatchObject({ after: 0, to: 1 });
    expect(await codeOf(await call('GET', `/v1/streams/${stream}/chat/messages?after=99`))).toEqual([
      409,
      'chat.resync',
    ]);
  });

  it('lets a page in by a ticket, once, and from where it was', async () => {
    const [owner, ada] = [await seedUser(), await seedUser()];
    const stream = await announce(owner);
    await say(stream, owner, 'one');
    await say(stream, owner, 'two');
    const ticketFor = async (purpose: string) =>
      (
        await callJson<{ ticket: string }>(201, 'POST', '/v1/realtime/tickets', {
          token: ada.token,
          body: { purpose },
        })
      ).ticket;
    const ticket = await ticketFor('chat');
    const offer = (value: string) => ({
      'sec-websocket-protocol': `social-flow.chat.v1, ticket.${value}`,
    });
    const client = await enter(stream, offer(ticket), '?after=1');
    await until(() => client.events.length === 1, 'it has what it missed');
    expect(client.events.map(({ event }) => textOf(event))).toEqual(['two']);
    expect(client.frames[0]).toMatchObject({ you: { username: ada.username } });
    const connect = (value: string) =>
      call('GET', `/v1/streams/${stream}/chat`, { headers: { upgrade: 'websocket', ...offer(value) } });
    expect(await codeOf(await connect(ticket))).toEqual([401, 'realtime.ticket_invalid']);
    expect(await codeOf(await connect(await ticketFor('realtime')))).toEqual([
      401,
      'realtime.ticket_invalid',
    ]);
    const elsewhere = await call('GET', `/v1/streams/${stream}/chat`, {
      headers: { upgrade: 'websocket', origin: 'https://evil.test' },
    });
    expect(await codeOf(elsewhere)).toEqual([403, 'realtime.origin_not_allowed']);
    expect((await call('GET', `/v1/streams/${stream}/chat`)).status).toBe(426);
  });

  it('ends for a socket whose session has ended', async () => {
    const [owner, ada] = [await seedUser(), await seedUser()];
    const stream = await announce(owner);
    const client = await enter(stream, {}, '', ada.token);
    expect((await call('POST', '/v1/auth/logout', { token: ada.token })).status).toBe(204);
    client.socket.send(JSON.stringify({ type: 'send', id: 'late', text: 'still here' }));
    await until(() => client.closed !== undefined, 'it was closed');
    expect(client.closed).toBe(4401);
    expect((await read(stream)).events).toEqual([]);

    const bob = await seedUser();
    const silent = await enter(stream, {}, '', bob.token);
    await call('POST', '/v1/auth/logout', { token: bob.token });
    await runDurableObjectAlarm(chatRelay(decodeId('stream', stream) ?? ''));
    await until(() => silent.closed !== undefined, 'it was closed');
    expect(silent.closed).toBe(4401);
    expect(
      (
        await call('GET', `/v1/streams/${stream}/chat`, {
          token: bob.token,
          headers: { upgrade: 'websocket' },
        })
      ).status,
    ).toBe(401);
  });

  it('closes with its stream', async () => {
    const [owner, ada] = [await seedUser(), await seedUser()];
    const stream = await announce(owner);
    const client = await enter(stream, {}, '', ada.token);
    await say(stream, ada, 'hello');
    for (let again = 0; again < 2; again += 1)
      expect((await call('DELETE', `/v1/streams/${stream}`, { token: owner.token })).status).toBe(204);
    await until(() => client.closed !== undefined, 'it was closed');
    expect([client.closed, client.events.at(-1)?.event]).toEqual([4410, { type: 'closed' }]);
    expect(await say(stream, ada, 'anybody?')).toMatchObject({ drop_reason: { code: 'msg_closed' } });
    expect(
      (await call('GET', `/v1/streams/${stream}/chat`, { headers: { upgrade: 'websocket' } })).status,
    ).toBe(404);
  });

  it('is for those who may see the stream', async () => {
    const [owner, member, stranger] = [await seedUser(), await seedUser(), await seedUser()];
    await sqlRows('INSERT INTO channel_members (owner_id, user_id) VALUES ($1, $2)', [
      owner.uuid,
      member.uuid,
    ]);
    const stream = await announce(owner, 'members');
    await enter(stream, {}, '', member.token);
    expect(await say(stream, member, 'hello')).toMatchObject({ is_sent: true });
    for (const token of [undefined, stranger.token]) {
      expect((await call('GET', `/v1/streams/${stream}/chat/messages`, { token })).status).toBe(404);
      const connect = await call('GET', `/v1/streams/${stream}/chat`, {
        token,
        headers: { upgrade: 'websocket' },
      });
      expect(connect.status).toBe(404);
    }
    const refused = await call('POST', `/v1/streams/${stream}/chat/messages`, {
      token: stranger.token,
      body: { client_id: 'a', text: 'let me in' },
    });
    expect(await codeOf(refused)).toEqual([404, 'streams.not_found']);
  });

  it.each([
    [{ client_id: 'a' }],
    [{ client_id: 'a', text: '' }],
    [{ client_id: 'a', text: 'x'.repeat(501) }],
    [{ client_id: 'a b', text: 'hello' }],
    [{ client_id: 'a', text: 'hello', reply_to: 'vid_nonsense' }],
    [{ client_id: 'a', text: 'hello', role: 'owner' }],
  ])('takes no message like %j', async (body) => {
    const owner = await seedUser();
    const stream = await announce(owner);
    const path = `/v1/streams/${stream}/chat/messages`;
    expect((await call('POST', path, { token: owner.token, body })).status).toBe(422);
    expect((await read(stream)).events).toEqual([]);
  });

  it('quotes what is replied to', async () => {
    const [owner, ada] = [await seedUser(), await seedUser()];
    const stream = await announce(owner);
    const first = await say(stream, ada, 'what is the plan?');
    await say(stream, owner, 'lunch', { reply_to: first.message_id });
    expect((await read(stream)).events.at(-1)?.event).toMatchObject({
      reply_to: { message_id: first.message_id, author: ada.username, text: 'what is the plan?' },
    });
  });
});

describe('the AsyncAPI document', () => {
  it('describes every frame, as the ones that are really sent are held against', async () => {
    const document = await callJson<{
      asyncapi: string;
      channels: { room: { address: string; messages: Record<string, { payload: { type?: string } }> } };
      operations: Record<string, { messages: { $ref: string }[] }>;
    }>(200, 'GET', '/v1/chat/asyncapi.json');
    expect(document.asyncapi).toBe('3.0.0');
    const { messages } = document.channels.room;
    const named = Object.values(document.operations).flatMap((operation) =>
      operation.messages.map(({ $ref }) => $ref.split('/').at(-1)),
    );
    expect(named.toSorted()).toEqual(Object.keys(messages).toSorted());
    expect(Object.keys(messages)).toEqual(
      expect.arrayContaining(['hello', 'batch', 'sent', 'resync', 'send', 'seen']),
    );
    for (const { payload } of Object.values(messages)) expect(payload.type).toBe('object');
  });
});

describe('server-sent events', () => {
  /** Reads events until one that `isLast` finds; then goes away. */
  async function readEvents(response: Response, isLast: (text: string) => boolean): Promise<string> {
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!isLast(text)) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done) break;
      text += value;
    }
    await reader?.cancel();
    return text;
  }

  it('carry what a WebSocket would, and go on from the last one a client had', async () => {
    const [owner, ada] = [await seedUser(), await seedUser()];
    const stream = await announce(owner);
    await say(stream, ada, 'one');
    const follow = (headers: Record<string, string> = {}, query = '') =>
      call('GET', `/v1/streams/${stream}/chat/events${query}`, { headers });
    const first = await follow();
    expect([first.status, first.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    await say(stream, ada, 'two');
    const text = await readEvents(first, (so) => so.includes('"two"'));
    expect(text).toMatch(/^data: \{"type":"hello"/);
    expect(text).toContain('id: 1\ndata: {"type":"batch","from":1,"to":1');
    expect(text).toContain('id: 2\ndata: {"type":"batch","from":2,"to":2');

    const again = await follow({ 'last-event-id': '1' }, '?after=0');
    const rest = await readEvents(again, (so) => so.includes('"two"'));
    expect(rest).not.toContain('"one"');
    expect((await follow({ 'last-event-id': 'nonsense' })).status).toBe(400);
  });

  it('are for those who may see the stream, and count as looking on until the client goes', async () => {
    const [owner, stranger] = [await seedUser(), await seedUser()];
    const closed = await announce(owner, 'private');
    expect((await call('GET', `/v1/streams/${closed}/chat/events`, { token: stranger.token })).status).toBe(
      404,
    );
    const stream = await announce(owner);
    const client = await enter(stream);
    const viewersOf = () =>
      client.frames.flatMap((frame) => (frame.type === 'viewers' ? [Number(frame.count)] : [])).at(-1);
    const response = await call('GET', `/v1/streams/${stream}/chat/events`);
    await until(() => viewersOf() === 2, 'both are counted');
    await response.body?.cancel();
    await until(() => viewersOf() === 1, 'one has gone');
  });
});

describe('the wall of a room', () => {
  const noteOf = (client: ChatClient, type: string) =>
    client.events.map(({ event }) => event).filter((event) => event.type === type);

  it('has announcements and a pinned message, which goes when its words do', async () => {
    const [owner, ada] = [await seedUser(), await seedUser()];
    const stream = await announce(owner);
    const client = await enter(stream);
    expect((await moderate(stream, owner, { action: 'announce', text: 'Welcome :wave:' })).status).toBe(204);
    const { message_id } = await say(stream, ada, 'first!');
    expect((await moderate(stream, owner, { action: 'pin', message_id })).status).toBe(204);
    expect(await codeOf(await moderate(stream, owner, { action: 'pin', message_id }))).toEqual([
      409,
      'chat.nothing_to_do',
    ]);
    const pinned = { message_id, author: ada.username, text: 'first!' };
    await until(() => noteOf(client, 'pinned').length === 1, 'it is pinned');
    expect(noteOf(client, 'announcement')[0]).toMatchObject({
      author: { role: 'owner' },
      fragments: [
        { type: 'text', text: 'Welcome ' },
        { type: 'emote', name: 'wave', emoji: '👋' },
      ],
    });
    expect(noteOf(client, 'pinned')[0]).toMatchObject({ pinned });
    const late = await enter(stream);
    await until(() => late.frames.length > 0, 'it is greeted');
    expect(late.frames[0]).toMatchObject({ pinned, poll: null });
    await moderate(stream, owner, { action: 'delete', message_id });
    await until(() => noteOf(client, 'pinned').length === 2, 'it is gone');
    expect(noteOf(client, 'pinned')[1]).toEqual({ type: 'pinned', pinned: null });
    expect(await codeOf(await moderate(stream, owner, { action: 'unpin' }))).toEqual([
      409,
      'chat.nothing_to_do',
    ]);
  });

  it('has a poll, in which each person votes once', async () => {
    const [owner, ada, bob, troll] = await Promise.all(Array.from({ length: 4 }, () => seedUser()));
    if (!owner || !ada || !bob || !troll) return;
    const stream = await announce(owner);
    const client = await enter(stream);
    await moderate(stream, owner, { action: 'ban', user_id: troll.id });
    const asked = { action: 'open_poll', title: 'Next game?', choices: ['Chess', 'Go'], seconds: 60 };
    expect((await moderate(stream, owner, asked)).status).toBe(204);
    expect((await moderate(stream, owner, asked)).status).toBe(409);
    await until(() => noteOf(client, 'poll').length === 1, 'it began');
    const [begun] = noteOf(client, 'poll') as { poll: { id: string } }[];
    const vote = (user: TestUser, choice: number, id = begun?.poll.id) =>
      call('POST', `/v1/streams/${stream}/chat/votes`, {
        token: user.token,
        body: { poll_id: id, choice },
      });
    const both = await Promise.all([vote(ada, 1), vote(ada, 0)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    expect((await vote(bob, 1)).status).toBe(204);
    expect(await codeOf(await vote(bob, 0))).toEqual([409, 'chat.voted_already']);
    expect(await codeOf(await vote(owner, 2))).toEqual([422, 'chat.no_such_choice']);
    expect(await codeOf(await vote(troll, 0))).toEqual([403, 'chat.banned']);
    expect(await codeOf(await vote(owner, 0, '01990000-0000-7000-8000-000000000000'))).toEqual([
      409,
      'chat.no_such_poll',
    ]);
    // How the votes stand is told while it goes on, without a place in the log.
    const votesIn = (poll: unknown) =>
      (poll as { choices: { votes: number }[] }).choices.reduce((sum, { votes }) => sum + votes, 0);
    await until(
      () => client.frames.some(({ type, poll }) => type === 'poll' && votesIn(poll) === 2),
      'the votes were told',
    );
    expect((await moderate(stream, owner, { action: 'close_poll' })).status).toBe(204);
    await until(() => noteOf(client, 'poll').length === 2, 'it ended');
    const [, ended] = noteOf(client, 'poll') as { poll: { ended: boolean } }[];
    expect([ended?.poll.ended, votesIn(ended?.poll)]).toEqual([true, 2]);
    expect(await codeOf(await vote(owner, 0))).toEqual([409, 'chat.no_such_poll']);
    for (const wrong of [{ choices: ['one'] }, { choices: ['1', '2', '3', '4', '5', '6'] }, { seconds: 14 }])
      expect((await moderate(stream, owner, { ...asked, ...wrong })).status).toBe(422);
  });
});

describe('order in a chat', () => {
  it('is kept by the owner and moderators of the channel, and by nobody else', async () => {
    const [owner, moderator, vip, viewer, victim] = await Promise.all(
      Array.from({ length: 5 }, () => seedUser()),
    );
    if (!owner || !moderator || !vip || !viewer || !victim) return;
    const stream = await announce(owner);
    const grant = (user: TestUser, role: string) =>
      call('PUT', `/v1/me/chat-roles/${user.id}`, { token: owner.token, body: { role } });
    expect((await grant(moderator, 'moderator')).status).toBe(204);
    expect((await grant(vip, 'vip')).status).toBe(204);
    expect(await codeOf(await grant(owner, 'vip'))).toEqual([422, 'chat.role_for_self']);
    for (const nobody of [viewer, vip, victim])
      expect(await codeOf(await moderate(stream, nobody, { action: 'clear' }))).toEqual([
        403,
        'chat.not_moderator',
      ]);
    const ban = (user: TestUser) => ({ action: 'ban', user_id: user.id });
    expect(await codeOf(await moderate(stream, moderator, ban(owner)))).toEqual([
      403,
      'chat.not_against_them',
    ]);
    expect(await codeOf(await moderate(stream, moderator, ban(moderator)))).toEqual([
      403,
      'chat.not_against_them',
    ]);
    expect((await moderate(stream, moderator, ban(victim))).status).toBe(204);
    expect((await moderate(stream, owner, ban(moderator))).status).toBe(204);
    expect((await call('DELETE', `/v1/me/chat-roles/${moderator.id}`, { token: owner.token })).status).toBe(
      204,
    );
    expect(await codeOf(await moderate(stream, moderator, { action: 'clear' }))).toEqual([
      403,
      'chat.not_moderator',
    ]);
  });

  it('bans in every room of the channel, for good or for a time, through reconnects', async () => {
    const [owner, troll] = [await seedUser(), await seedUser()];
    const [first, second] = [await announce(owner), await announce(owner)];
    const client = await enter(first, {}, '', troll.token);
    expect(await say(first, troll, 'spam')).toMatchObject({ is_sent: true });
    const act = { action: 'timeout', user_id: troll.id, seconds: 600, reason: 'spam' };
    expect((await moderate(first, owner, act)).status).toBe(204);
    await until(() => client.events.length === 2, 'the client was told');
    expect(client.events[1]?.event).toEqual({ type: 'user_silenced', user_id: troll.id, seconds: 600 });
    for (const stream of [first, second])
      expect(await say(stream, troll, 'again')).toMatchObject({
        is_sent: false,
        drop_reason: { code: 'msg_timedout' },
      });
    // One that ends no later changes nothing; one for good does.
    expect(await codeOf(await moderate(first, owner, { ...act, seconds: 5 }))).toEqual([
      409,
      'chat.nothing_to_do',
    ]);
    expect((await moderate(first, owner, { action: 'ban', user_id: troll.id })).status).toBe(204);
    expect(await say(first, troll, 'again')).toMatchObject({ drop_reason: { code: 'msg_banned' } });
    expect(JSON.stringify(await read(first))).not.toContain('spam"');
    expect((await moderate(first, owner, { action: 'unban', user_id: troll.id })).status).toBe(204);
    expect(await say(first, troll, 'sorry')).toMatchObject({ is_sent: true });
    expect(await codeOf(await moderate(first, owner, { action: 'unban', user_id: troll.id }))).toEqual([
      409,
      'chat.nothing_to_do',
    ]);
  });

  it('is done once by two moderators at once', async () => {
    const [owner, troll] = [await seedUser(), await seedUser()];
    const stream = await announce(owner);
    const { message_id } = await say(stream, troll, 'spam');
    const both = await Promise.all(
      [1, 2].map(() => moderate(stream, owner, { action: 'delete', message_id })),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    const bans = await Promise.all(
      [1, 2].map(() => moderate(stream, owner, { action: 'ban', user_id: troll.id })),
    );
    expect(bans.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    const [row] = await sqlRows<{ bans: number }>(
      'SELECT count(*)::int AS bans FROM chat_bans WHERE user_id = $1',
      [troll.uuid],
    );
    expect(row?.bans).toBe(1);
  });

  it('has modes that later streams of the channel begin with', async () => {
    const [owner, ada] = [await seedUser(), await seedUser()];
    const stream = await announce(owner);
    const settings = { ...openSettings, members_only: true };
    expect((await moderate(stream, owner, { action: 'settings', ...settings })).status).toBe(204);
    expect(await say(stream, ada, 'hello')).toMatchObject({ drop_reason: { code: 'msg_subsonly' } });
    expect(await say(await announce(owner), ada, 'hello')).toMatchObject({
      drop_reason: { code: 'msg_subsonly' },
    });
    for (const wrong of [{ slow_seconds: 2 }, { slow_seconds: 121 }, { followers_only_minutes: -1 }])
      expect((await moderate(stream, owner, { action: 'settings', ...openSettings, ...wrong })).status).toBe(
        422,
      );
  });

  it('takes no message of another room away', async () => {
    const owner = await seedUser();
    const stream = await announce(owner);
    const { message_id } = await say(stream, owner, 'hello');
    const gone = await moderate(await announce(owner), owner, { action: 'delete', message_id });
    expect(await codeOf(gone)).toEqual([409, 'chat.nothing_to_do']);
  });
});
