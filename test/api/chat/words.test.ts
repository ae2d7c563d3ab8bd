import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeId } from '../../../src/shared/ids.ts';
import { type ChatClient, chatRelay, chatRoom, textOf, until } from '../../support/worker/chat.ts';
import {
  announceStream,
  codeOf,
  enterChat,
  framesOf,
  makeModerator,
  moderateChat,
  sayInChat,
} from '../../support/worker/chat-calls.ts';
import { call, callJson, roundTripsOf, seedUser, type TestUser } from '../../support/worker/client.ts';

const open: ChatClient[] = [];
afterEach(() => {
  for (const { socket, faults } of open.splice(0)) {
    socket.close(1000);
    expect(faults).toEqual([]);
  }
});
async function enter(stream: string, user?: TestUser): Promise<ChatClient> {
  const client = await enterChat(stream, user);
  open.push(client);
  return client;
}
const roomOf = (stream: string) => chatRoom(decodeId('stream', stream) ?? '');
const ofChannel = (owner: TestUser, path: string) => `/v1/users/${owner.id}/chat/${path}`;
const noLevels = { harassment: 0, sexual: 0, hate: 0, violence: 0, profanity: 0, hold_links: false };
const setLevels = (owner: TestUser, more: Record<string, unknown>) =>
  call('PUT', ofChannel(owner, 'auto-moderation'), { token: owner.token, body: { ...noLevels, ...more } });
const addTerm = (by: TestUser, owner: TestUser, term: string, kind = 'blocked') =>
  call('POST', ofChannel(owner, 'terms'), { token: by.token, body: { kind, term } });
interface Page<T> {
  readonly data: T[];
  readonly next_cursor: string | null;
}

describe('a blocked term', () => {
  it('is refused in open rooms at once, without saying which it was, and at no cost for the database', async () => {
    const [owner, moderator, ada] = [await seedUser(), await seedUser(), await seedUser()];
    const stream = await announceStream(owner);
    await enter(stream);
    expect(await sayInChat(stream, ada, 'spoiler one')).toMatchObject({ is_sent: true });
    await makeModerator(owner, moderator);
    const added = await addTerm(moderator, owner, 'Spoiler*');
    expect(added.status).toBe(201);
    const { id, term } = (await added.json()) as { id: string; term: string };
    expect(term).toBe('spoiler*');
    await until(
      async () => !(await sayInChat(stream, ada, `the sp0ilers ${crypto.randomUUID()}`)).is_sent,
      'the room knows the term',
    );
    const refused = await call('POST', `/v1/streams/${stream}/chat/messages`, {
      token: ada.token,
      body: { client_id: 'x', text: 'S P O I L E R' },
    });
    expect((await roundTripsOf(refused)).roundTrips).toBe(0);
    expect(await refused.json()).toEqual({
      is_sent: false,
      drop_reason: { code: 'msg_rejected_mandatory', message: 'The channel does not let this be said.' },
    });
    // Those who keep order say what they must; rooms that sleep remember.
    expect(await sayInChat(stream, owner, 'no spoilers, please')).toMatchObject({ is_sent: true });
    await evictDurableObject(roomOf(stream));
    expect(await sayInChat(stream, ada, 'spoilers')).toMatchObject({ is_sent: false });
    // Later streams begin with it.
    expect(await sayInChat(await announceStream(owner), ada, 'spoilers')).toMatchObject({ is_sent: false });

    expect((await call('DELETE', ofChannel(owner, `terms/${id}`), { token: owner.token })).status).toBe(204);
    await until(
      async () => (await sayInChat(stream, ada, `spoilers ${crypto.randomUUID()}`)).is_sent,
      'it may be said again',
    );
  });

  it('is for those who keep order to see and change, each once', async () => {
    const [owner, other] = [await seedUser(), await seedUser()];
    expect((await addTerm(owner, owner, 'one')).status).toBe(201);
    expect((await addTerm(owner, owner, 'ONE')).status).toBe(201);
    expect((await addTerm(owner, owner, 'fine', 'permitted')).status).toBe(201);
    const list = await callJson<Page<{ term: string }>>(200, 'GET', ofChannel(owner, 'terms'), {
      token: owner.token,
    });
    expect(list.data.map(({ term }) => term)).toEqual(['one']);
    for (const term of ['', '***', 'a*b', 'x'.repeat(101)])
      expect((await addTerm(owner, owner, term)).status).toBe(422);
    expect(await codeOf(await addTerm(other, owner, 'two'))).toEqual([403, 'chat.not_moderator']);
    expect(await codeOf(await call('GET', ofChannel(owner, 'terms'), { token: other.token }))).toEqual([
      403,
      'chat.not_moderator',
    ]);
  });
});

describe('a message that is held', () => {
  it('waits for a moderator, who lets it be said; two at once are one', async () => {
    const [owner, moderator, ada] = [await seedUser(), await seedUser(), await seedUser()];
    const stream = await announceStream(owner);
    await makeModerator(owner, moderator);
    expect((await setLevels(owner, { profanity: 3 })).status).toBe(200);
    const [reader, author, mods] = [
      await enter(stream),
      await enter(stream, ada),
      await enter(stream, moderator),
    ];
    const held = await sayInChat(stream, ada, 'well, shit', 'a-1');
    expect(held).toMatchObject({ is_sent: false, drop_reason: { code: 'msg_held' } });
    expect(await sayInChat(stream, ada, 'well, shit', 'a-1')).toEqual(held);
    await until(() => framesOf(mods, 'held').length === 1, 'moderators see it');
    expect(framesOf(mods, 'held')[0]).toMatchObject({
      message: { id: held.message_id, category: 'profanity', severity: 2, author: { id: ada.id } },
    });
    await evictDurableObject(roomOf(stream));
    const list = (token: string) => call('GET', `/v1/streams/${stream}/chat/held`, { token });
    expect(await codeOf(await list(ada.token))).toEqual([403, 'chat.not_moderator']);
    expect(await (await list(moderator.token)).json()).toMatchObject({
      data: [{ id: held.message_id, fragments: [{ type: 'text', text: 'well, shit' }] }],
      next_cursor: null,
    });

    const act = { action: 'approve', message_id: held.message_id };
    const both = await Promise.all([moderator, owner].map((by) => moderateChat(stream, by, act)));
    expect(both.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    await until(() => reader.events.length === 1, 'it is said');
    expect(reader.events.map(({ event }) => textOf(event))).toEqual(['well, shit']);
    expect(reader.events[0]?.event).toMatchObject({ id: held.message_id });
    await until(() => framesOf(author, 'held_ended').length === 1, 'the author is told');
    expect(framesOf(author, 'held_ended')[0]).toMatchObject({
      message_id: held.message_id,
      outcome: 'approved',
    });
    expect(framesOf(reader, 'held')).toEqual([]);
    expect(await sayInChat(stream, ada, 'well, shit', 'a-1')).toMatchObject({
      is_sent: true,
      message_id: held.message_id,
    });
    expect(await (await list(owner.token)).json()).toMatchObject({ data: [] });
  });

  it('is not said when it is denied, nor after five minutes, nor when its author is banned', async () => {
    const [owner, ada, bob, cleo] = [await seedUser(), await seedUser(), await seedUser(), await seedUser()];
    const stream = await announceStream(owner);
    await setLevels(owner, { profanity: 4 });
    const authors = [await enter(stream, ada), await enter(stream, bob), await enter(stream, cleo)];
    const denied = await sayInChat(stream, ada, 'damn it', 'd');
    expect(
      (await moderateChat(stream, owner, { action: 'deny', message_id: denied.message_id })).status,
    ).toBe(204);
    expect(await sayInChat(stream, ada, 'damn it', 'd')).toMatchObject({
      drop_reason: { code: 'msg_rejected' },
    });
    await sayInChat(stream, bob, 'damn it');
    await moderateChat(stream, owner, { action: 'timeout', user_id: bob.id, seconds: 60 });
    const late = await sayInChat(stream, cleo, 'damn it');
    await evictDurableObject(roomOf(stream));
    await runInDurableObject(roomOf(stream), (instance) => {
      instance.clock = { now: () => Date.now() + 301_000 };
    });
    // The relay says that it is still there.
    await runDurableObjectAlarm(chatRelay(decodeId('stream', stream) ?? ''));
    await runDurableObjectAlarm(roomOf(stream));
    const outcomes = ['denied', 'denied', 'expired'];
    for (const [index, author] of authors.entries()) {
      await until(() => framesOf(author, 'held_ended').length === 1, 'the author is told');
      expect(framesOf(author, 'held_ended')[0]?.outcome).toBe(outcomes[index]);
    }
    expect(
      await codeOf(await moderateChat(stream, owner, { action: 'approve', message_id: late.message_id })),
    ).toEqual([409, 'chat.nothing_to_do']);
    expect(authors[0]?.events.filter(({ event }) => event.type === 'message')).toEqual([]);
  });

  it('is what links come to where they are held; those who keep order are free', async () => {
    const [owner, ada] = [await seedUser(), await seedUser()];
    const stream = await announceStream(owner);
    await setLevels(owner, { hold_links: true });
    expect(await sayInChat(stream, ada, 'see https://example.com/')).toMatchObject({
      drop_reason: { code: 'msg_held' },
    });
    expect(await sayInChat(stream, owner, 'see https://example.com/')).toMatchObject({ is_sent: true });
    expect((await setLevels(owner, { profanity: 5 })).status).toBe(422);
    expect(await callJson(200, 'GET', ofChannel(owner, 'auto-moderation'), { token: owner.token })).toEqual({
      ...noLevels,
      hold_links: true,
    });
  });
});

describe('a shield', () => {
  it('goes up in all rooms with one act, does what its preset says, and gives the settings back', async () => {
    const [owner, moderator, ada] = [await seedUser(), await seedUser(), await seedUser()];
    const [first, second] = [await announceStream(owner), await announceStream(owner)];
    await makeModerator(owner, moderator);
    await addTerm(owner, owner, 'bad');
    const client = await enter(second, ada);
    const preset = {
      slow_seconds: 0,
      members_only: false,
      followers_only_minutes: null,
      emote_only: false,
      moderator_delay_seconds: 0,
      auto_moderation: 4,
    };
    const path = ofChannel(owner, 'shield');
    expect(await callJson(200, 'GET', path, { token: moderator.token })).toMatchObject({
      is_up: false,
      preset: { followers_only_minutes: 10 },
    });
    expect(await callJson(200, 'PUT', path, { token: moderator.token, body: preset })).toEqual({
      is_up: false,
      preset,
    });
    expect(
      (await call('PUT', path, { token: moderator.token, body: { ...preset, moderator_delay_seconds: 3 } }))
        .status,
    ).toBe(422);
    expect(await codeOf(await call('GET', path, { token: ada.token }))).toEqual([403, 'chat.not_moderator']);

    const raise = { action: 'shield', up: true };
    const both = await Promise.all([moderator, owner].map((by) => moderateChat(first, by, raise)));
    expect(both.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    await until(() => client.events.length === 1, 'the other room knows');
    expect(client.events[0]?.event).toMatchObject({ type: 'settings', settings: { shield: true } });
    for (const stream of [first, second]) {
      expect(await sayInChat(stream, ada, `damn, ${stream}`)).toMatchObject({
        drop_reason: { code: 'msg_held' },
      });
      expect(await sayInChat(stream, ada, `embadden ${stream}`)).toMatchObject({
        drop_reason: { code: 'msg_rejected_mandatory' },
      });
    }
    // A stricter preset holds while it is up.
    await callJson(200, 'PUT', path, { token: owner.token, body: { ...preset, members_only: true } });
    await until(
      async () => (await sayInChat(second, ada, crypto.randomUUID())).drop_reason?.code === 'msg_subsonly',
      'the preset holds',
    );
    expect((await moderateChat(second, owner, { action: 'shield', up: false })).status).toBe(204);
    for (const stream of [second, first])
      await until(
        async () => (await sayInChat(stream, ada, `embadden ${crypto.randomUUID()}`)).is_sent,
        'all is as before',
      );
    expect(client.events.at(-1)).toBeDefined();
  });
});
