import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it } from 'vitest';
import { hubName } from '../../../durable-objects/user-hub/protocol.ts';
import { decodeId, encodeId, uuidFloor } from '../../../src/shared/ids.ts';
import { type ChatClient, chatRoom, chatter, enterRoom, newRoom, until } from '../../support/worker/chat.ts';
import {
  announceStream,
  codeOf,
  enterChat,
  framesOf,
  makeModerator,
  moderateChat,
  sayInChat,
} from '../../support/worker/chat-calls.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { seedStaff } from '../admin/staff.ts';

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
const seed = async (): Promise<[TestUser, TestUser, TestUser, TestUser]> => [
  await seedUser(),
  await seedUser(),
  await seedUser(),
  await seedUser(),
];

describe('what is decided in one room of a channel', () => {
  it('holds in its other rooms at once: a ban closes, a new moderator acts, one who is none any more does not', async () => {
    const [owner, moderator, troll] = await seed();
    const [first, second] = [await announceStream(owner), await announceStream(owner)];
    const mods = await enter(second, moderator);
    // From another continent, so at another relay.
    const room = { streamId: decodeId('stream', second) ?? '', ownerId: owner.uuid };
    const elsewhere = await enterRoom(
      { ...newRoom(), ...room },
      chatter(troll.username, { userId: troll.uuid }),
    );
    open.push(elsewhere);
    expect(await chatRoom(room.streamId).enter({ ...newRoom(), ...room }, { region: 'EU' })).toMatchObject({
      relay: 1,
    });
    await sayInChat(second, troll, 'still friendly');
    await makeModerator(owner, moderator);
    await until(() => framesOf(mods, 'standing').length === 1, 'the moderator was told');
    expect(framesOf(mods, 'standing')[0]).toMatchObject({ role: 'moderator', banned: false });

    expect((await moderateChat(first, moderator, { action: 'ban', user_id: troll.id })).status).toBe(204);
    await until(() => elsewhere.closed !== undefined, 'they are out of the other room');
    expect(elsewhere.closed).toBe(4403);
    expect(framesOf(elsewhere, 'standing').at(-1)).toMatchObject({ banned: true, banned_until: null });
    await until(() => mods.events.some(({ event }) => event.type === 'user_silenced'), 'others were told');
    expect(await sayInChat(second, troll, 'me again')).toMatchObject({ drop_reason: { code: 'msg_banned' } });
    const again = await call('GET', `/v1/streams/${second}/chat`, {
      token: troll.token,
      headers: { upgrade: 'websocket' },
    });
    expect(await codeOf(again)).toEqual([403, 'chat.banned']);

    expect((await moderateChat(second, moderator, { action: 'unban', user_id: troll.id })).status).toBe(204);
    for (const stream of [first, second])
      expect(await sayInChat(stream, troll, `sorry, ${stream}`)).toMatchObject({ is_sent: true });
    // Banned again in the one while the other has just heard of the end of it.
    expect((await moderateChat(first, owner, { action: 'ban', user_id: troll.id })).status).toBe(204);
    await until(
      async () => (await sayInChat(second, troll, crypto.randomUUID())).drop_reason?.code === 'msg_banned',
      'the second ban holds too',
    );
    await call('DELETE', `/v1/me/chat-roles/${moderator.id}`, { token: owner.token });
    await until(() => framesOf(mods, 'standing').at(-1)?.role === 'viewer', 'they are told');
    expect(await codeOf(await moderateChat(first, moderator, { action: 'clear' }))).toEqual([
      403,
      'chat.not_moderator',
    ]);
  });

  it('is found out within seconds by a room that was not told', async () => {
    const [owner, troll] = await seed();
    const stream = await announceStream(owner);
    await sayInChat(stream, troll, 'hello');
    await sqlRows(
      `WITH banned AS (INSERT INTO chat_bans (owner_id, user_id) VALUES ($1, $2) RETURNING user_id),
        channel AS (INSERT INTO chat_settings (owner_id, version) SELECT $1, 1 FROM banned
          ON CONFLICT (owner_id) DO UPDATE SET version = chat_settings.version + 1 RETURNING version)
       INSERT INTO chat_actions (id, at, owner_id, version, kind, target_id)
       SELECT gen_random_uuid(), now(), $1, version, 'ban', $2 FROM channel`,
      [owner.uuid, troll.uuid],
    );
    await runInDurableObject(roomOf(stream), (instance) => {
      instance.clock = { now: () => Date.now() + 11_000 };
    });
    await until(
      async () => (await sayInChat(stream, troll, crypto.randomUUID())).drop_reason?.code === 'msg_banned',
      'the room has looked',
    );
  });

  it('costs a known number of trips', async () => {
    const [owner, troll] = await seed();
    const stream = await announceStream(owner);
    const ban = await moderateChat(stream, owner, { action: 'ban', user_id: troll.id });
    expect((await roundTripsOf(ban)).roundTrips).toBe(3);
  });
});

describe('a warning', () => {
  it('is told at once, keeps somebody from writing in all rooms until they acknowledge it, and survives eviction', async () => {
    const [owner, ada] = await seed();
    const [first, second] = [await announceStream(owner), await announceStream(owner)];
    const client = await enter(first, ada);
    const warn = { action: 'warn', user_id: ada.id, reason: 'No spoilers, please.' };
    expect((await moderateChat(first, owner, warn)).status).toBe(204);
    await until(() => framesOf(client, 'standing').length === 1, 'they are told');
    expect(framesOf(client, 'standing')[0]).toMatchObject({ warning: 'No spoilers, please.' });
    expect(await codeOf(await moderateChat(first, owner, warn))).toEqual([409, 'chat.nothing_to_do']);
    await evictDurableObject(roomOf(first));
    for (const stream of [first, second])
      expect(await sayInChat(stream, ada, 'hm')).toMatchObject({ drop_reason: { code: 'msg_warned' } });
    const standing = `/v1/users/${owner.id}/chat/standing`;
    expect(await callJson(200, 'GET', standing, { token: ada.token })).toEqual({
      role: 'viewer',
      warning: 'No spoilers, please.',
      ban: null,
      unban_request: null,
    });

    const acknowledge = () =>
      call('POST', `/v1/streams/${second}/chat/warnings/acknowledge`, { token: ada.token });
    expect((await acknowledge()).status).toBe(204);
    expect(await codeOf(await acknowledge())).toEqual([409, 'chat.no_warning']);
    for (const stream of [second, first])
      await until(
        async () => (await sayInChat(stream, ada, crypto.randomUUID())).is_sent,
        'they may write again',
      );
  });

  it('is not for those above', async () => {
    const [owner, moderator, other] = await seed();
    const stream = await announceStream(owner);
    await makeModerator(owner, moderator);
    await makeModerator(owner, other);
    for (const { id } of [owner, other, moderator])
      expect(
        await codeOf(await moderateChat(stream, moderator, { action: 'warn', user_id: id, reason: 'x' })),
      ).toEqual([403, 'chat.not_against_them']);
    expect(
      (await moderateChat(stream, owner, { action: 'warn', user_id: other.id, reason: 'x' })).status,
    ).toBe(204);
  });
});

describe('somebody who is banned', () => {
  it('asks once for each ban, is answered once, and is free when it is approved', async () => {
    const [owner, moderator, troll] = await seed();
    const stream = await announceStream(owner);
    await makeModerator(owner, moderator);
    const path = `/v1/users/${owner.id}/chat/unban-requests`;
    const ask = () => call('POST', path, { token: troll.token, body: { text: 'I am sorry.' } });
    expect(await codeOf(await ask())).toEqual([409, 'chat.not_banned']);
    await moderateChat(stream, owner, { action: 'ban', user_id: troll.id, reason: 'spam' });
    const both = await Promise.all([ask(), ask()]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([201, 409]);

    expect(await codeOf(await call('GET', path, { token: troll.token }))).toEqual([
      403,
      'chat.not_moderator',
    ]);
    const list = (state: string) =>
      callJson<{ data: { id: string; user: { id: string }; text: string; note: string }[] }>(
        200,
        'GET',
        `${path}?state=${state}`,
        { token: moderator.token },
      );
    const [request] = (await list('pending')).data;
    expect(request).toMatchObject({ user: { id: troll.id }, text: 'I am sorry.' });
    const decide = (body: Record<string, unknown>) =>
      call('POST', `${path}/${request?.id}`, { token: moderator.token, body });
    expect((await decide({ decision: 'deny', note: 'Not yet.' })).status).toBe(204);
    expect(await codeOf(await decide({ decision: 'approve' }))).toEqual([409, 'chat.nothing_to_do']);
    expect(await codeOf(await ask())).toEqual([409, 'chat.asked_already']);
    const standing = () =>
      callJson<{ ban: unknown; unban_request: unknown }>(200, 'GET', `/v1/users/${owner.id}/chat/standing`, {
        token: troll.token,
      });
    const news = await runInDurableObject(testEnv(env).USER_HUB.getByName(hubName(troll.uuid)), (_, state) =>
      JSON.stringify(state.storage.sql.exec('SELECT * FROM events').toArray()),
    );
    expect(news).toContain('chat.unban_request_decided');
    expect(news).toContain('Not yet.');
    expect(await standing()).toMatchObject({
      ban: { until: null, reason: 'spam' },
      unban_request: { state: 'denied', note: 'Not yet.' },
    });

    await moderateChat(stream, owner, { action: 'unban', user_id: troll.id });
    await moderateChat(stream, owner, { action: 'ban', user_id: troll.id });
    const second = await callJson<{ id: string }>(201, 'POST', path, {
      token: troll.token,
      body: { text: 'This time.' },
    });
    const approvals = await Promise.all(
      [1, 2].map(() =>
        call('POST', `${path}/${second.id}`, { token: moderator.token, body: { decision: 'approve' } }),
      ),
    );
    expect(approvals.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    await until(
      async () => (await sayInChat(stream, troll, crypto.randomUUID())).is_sent,
      'they may write again',
    );
    expect(await standing()).toMatchObject({ ban: null, unban_request: { state: 'approved' } });
  });
});

describe('the log of what was done', () => {
  it('names who did what to whom and why, for those who keep order, page by page', async () => {
    const [owner, moderator, troll, ada] = await seed();
    const stream = await announceStream(owner);
    await makeModerator(owner, moderator);
    const spam = await sayInChat(stream, troll, 'spam');
    await moderateChat(stream, moderator, { action: 'delete', message_id: spam.message_id });
    await moderateChat(stream, moderator, {
      action: 'timeout',
      user_id: troll.id,
      seconds: 60,
      reason: 'spam',
    });
    // What was done in the room is written down by its alarm, also after it slept.
    await evictDurableObject(roomOf(stream));
    await runDurableObjectAlarm(roomOf(stream));
    const path = `/v1/users/${owner.id}/chat/actions`;
    interface Page {
      readonly data: { readonly kind: string }[];
      readonly next_cursor: string | null;
    }
    const all = await callJson<Page>(200, 'GET', path, { token: moderator.token });
    expect(all.data.map(({ kind }) => kind).toSorted()).toEqual(['delete', 'grant_role', 'timeout']);
    expect(all.data).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          kind: 'timeout',
          actor: { id: moderator.id, username: moderator.username },
          target: { id: troll.id, username: troll.username },
          stream_id: stream,
          reason: 'spam',
          detail: { seconds: 60 },
        }),
        expect.objectContaining({
          kind: 'delete',
          actor: { id: moderator.id, username: moderator.username },
          target: { id: troll.id, username: troll.username },
          message_id: spam.message_id,
        }),
      ]),
    );
    const kinds: string[] = [];
    for (let query = '?limit=1'; query !== ''; ) {
      const { data, next_cursor } = await callJson<Page>(200, 'GET', `${path}${query}`, {
        token: owner.token,
      });
      kinds.push(...data.map(({ kind }) => kind));
      query = next_cursor === null ? '' : `?limit=1&cursor=${next_cursor}`;
    }
    expect(kinds).toEqual(all.data.map(({ kind }) => kind));
    expect(
      (await callJson<Page>(200, 'GET', `${path}?kind=timeout&target_id=${troll.id}`, { token: owner.token }))
        .data,
    ).toHaveLength(1);
    for (const token of [troll.token, ada.token])
      expect(await codeOf(await call('GET', path, { token }))).toEqual([403, 'chat.not_moderator']);
  });
});

describe('a message', () => {
  it('is deleted within six hours, and by no moderator when it is of those above', async () => {
    const [owner, moderator, other] = await seed();
    const stream = await announceStream(owner);
    await makeModerator(owner, moderator);
    await makeModerator(owner, other);
    const remove = (by: TestUser, message_id: string) =>
      moderateChat(stream, by, { action: 'delete', message_id });
    const old = encodeId('chatMessage', uuidFloor(Date.now() - 6 * 3_600_000 - 1_000));
    expect(await codeOf(await remove(owner, old))).toEqual([409, 'chat.message_too_old']);
    const ofOwner = await sayInChat(stream, owner, 'welcome');
    const ofOther = await sayInChat(stream, other, 'be nice');
    for (const { message_id } of [ofOwner, ofOther])
      expect(await codeOf(await remove(moderator, message_id))).toEqual([403, 'chat.not_against_them']);
    expect((await remove(other, ofOther.message_id)).status).toBe(204);
    expect((await remove(owner, ofOwner.message_id)).status).toBe(204);
  });
});

describe('a verified bot', () => {
  it('has the rate the platform gives it, and a badge; nobody but administrators gives it', async () => {
    const [owner, bot] = await seed();
    const admin = await seedStaff('admin');
    const stream = await announceStream(owner);
    const verify = (by: TestUser, messages: number) =>
      call('PUT', `/v1/admin/chat-bots/${bot.id}`, {
        token: by.token,
        body: { messages_per_30_seconds: messages },
      });
    expect((await verify(owner, 30)).status).toBe(403);
    expect((await verify(admin, 19)).status).toBe(422);
    expect((await verify(admin, 30)).status).toBe(204);
    const client = await enter(stream);
    const answers = [];
    for (let index = 0; index < 32; index += 1) answers.push(await sayInChat(stream, bot, 'beep'));
    expect(answers.filter(({ is_sent }) => is_sent)).toHaveLength(30);
    expect(answers.at(-1)).toMatchObject({ drop_reason: { code: 'msg_ratelimit' } });
    await until(() => client.last() === 30, 'all are there');
    expect(client.events[0]?.event).toMatchObject({ author: { bot: true } });
    const written = await sqlRows<{ action: string; detail: unknown }>(
      "SELECT action, detail FROM audit_log WHERE target_id = $1 AND action LIKE 'chat.bot%'",
      [bot.uuid],
    );
    expect(written).toMatchObject([{ action: 'chat.bot_verify', detail: { messages: 30 } }]);
    const end = await call('DELETE', `/v1/admin/chat-bots/${bot.id}`, { token: admin.token });
    expect(end.status).toBe(204);
  });
});
