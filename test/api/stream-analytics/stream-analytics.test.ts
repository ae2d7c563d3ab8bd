import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it } from 'vitest';
import { emptyMinute } from '../../../durable-objects/chat-room/tally-store.ts';
import { servicesOf } from '../../../src/context.ts';
import { exportSections } from '../../../src/modules/accounts/personal-data.policy.ts';
import { listExportedRows } from '../../../src/modules/accounts/personal-data.repository.ts';
import { storeSamples } from '../../../src/modules/broadcasts/life.repository.ts';
import { applyPresence, applyTally } from '../../../src/modules/stream-analytics/flushes.repository.ts';
import type {
  StreamAnalyticsView,
  StreamSummaryView,
} from '../../../src/modules/stream-analytics/stream-analytics.schemas.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { decodeId, randomIds } from '../../../src/shared/ids.ts';
import { type ChatClient, chatRelay, chatRoom, followSocket, until } from '../../support/worker/chat.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';

const open: ChatClient[] = [];
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.close(1000);
});

const announce = async (owner: TestUser): Promise<string> =>
  (
    await callJson<{ id: string }>(201, 'POST', '/v1/streams', {
      token: owner.token,
      body: { title: 'Live' },
    })
  ).id;

async function enter(stream: string, user?: TestUser): Promise<ChatClient> {
  const response = await call('GET', `/v1/streams/${stream}/chat`, {
    token: user?.token,
    headers: { upgrade: 'websocket', 'sec-websocket-protocol': 'social-flow.chat.v1' },
  });
  if (response.webSocket === null) throw new Error(`no socket: ${response.status}`);
  const client = followSocket(response.webSocket);
  open.push(client);
  return client;
}

const say = (stream: string, user: TestUser, text: string) =>
  callJson(200, 'POST', `/v1/streams/${stream}/chat/messages`, {
    token: user.token,
    body: { client_id: crypto.randomUUID(), text },
  });
const analyticsOf = (owner: TestUser, stream: string) =>
  callJson<StreamAnalyticsView>(200, 'GET', `/v1/streams/${stream}/analytics`, { token: owner.token });
const uuidOf = (stream: string): string => decodeId('stream', stream) ?? '';

/** Lets what the room and its relay know come to the database, as after `ms`. */
async function flush(stream: string, ms = 61_000): Promise<void> {
  const ahead = { now: () => Date.now() + ms };
  const relay = chatRelay(uuidOf(stream));
  await runInDurableObject(relay, (instance) => {
    instance.clock = ahead;
  });
  await runDurableObjectAlarm(relay);
  await runInDurableObject(relay, (instance) => {
    instance.clock = systemClock;
  });
  const room = chatRoom(uuidOf(stream));
  await runInDurableObject(room, (instance) => {
    instance.clock = ahead;
  });
  await runDurableObjectAlarm(room);
  await runInDurableObject(room, (instance) => {
    instance.clock = systemClock;
  });
}

/** Two tabs of one, one of another, a stranger, three messages and a new follower. */
async function aStream() {
  const [owner, ada, bob] = [await seedUser(), await seedUser(), await seedUser()];
  const stream = await announce(owner);
  const sockets = [await enter(stream, ada), await enter(stream, ada), await enter(stream, bob)];
  sockets.push(await enter(stream));
  await say(stream, ada, 'this is great :fire:');
  await say(stream, ada, 'love it :fire:');
  await say(stream, bob, 'the audio is terrible');
  await sqlRows('INSERT INTO follows (follower_id, followee_id) VALUES ($1, $2)', [bob.uuid, owner.uuid]);
  return { owner, ada, bob, stream, sockets };
}

describe('the analytics of a stream', () => {
  it('tell what goes on within seconds, and who was there within a minute', async () => {
    const { owner, ada, bob, stream } = await aStream();
    await until(
      async () => (await analyticsOf(owner, stream)).viewers === 3,
      'two tabs of one person are one viewer',
    );
    const now = await analyticsOf(owner, stream);
    expect(now).toMatchObject({
      peak_viewers: 3,
      messages: 3,
      chatters: 2,
      positive: 2,
      negative: 1,
      neutral: 0,
      top_emotes: [{ name: 'fire', count: 2, over: 0 }],
      summarised_at: null,
    });
    expect(now.minutes.reduce((sum, { messages }) => sum + messages, 0)).toBe(3);

    await flush(stream);
    const later = await analyticsOf(owner, stream);
    expect(later).toMatchObject({
      unique_viewers: 3,
      signed_in_viewers: 2,
      joins: 4,
      leaves: 0,
      new_followers: 1,
      messages: 3,
    });
    expect(later.top_chatters.map(({ user, messages }) => [user.id, messages])).toEqual([
      [ada.id, 2],
      [bob.id, 1],
    ]);
    expect(later.watch_seconds).toBeGreaterThan(0);
    const response = await call('GET', `/v1/streams/${stream}/analytics`, { token: owner.token });
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
  });

  it('are summed up once after the end, and corrected by what comes late', async () => {
    const { owner, stream, sockets } = await aStream();
    await flush(stream);
    for (const { socket } of sockets) socket.close(1000);
    await until(async () => (await analyticsOf(owner, stream)).viewers === 0, 'all have gone');
    await callJson(204, 'DELETE', `/v1/streams/${stream}`, { token: owner.token });
    await flush(stream);
    const summary = await analyticsOf(owner, stream);
    expect(summary).toMatchObject({ messages: 3, joins: 4, leaves: 4, unique_viewers: 3, viewers: 0 });
    expect(summary.summarised_at).not.toBeNull();
    // A message that was said before the end, and counted after it.
    await applyTally(servicesOf(testEnv(env)).databases.primary, {
      ...noTally,
      streamId: uuidOf(stream),
      seq: 1_000,
      totals: { ...noTally.totals, messages: 4 },
    });
    const corrected = await analyticsOf(owner, stream);
    expect(corrected).toMatchObject({ messages: 4, summarised_at: summary.summarised_at });
    const { data } = await callJson<{ data: StreamSummaryView[] }>(200, 'GET', '/v1/me/analytics/streams', {
      token: owner.token,
    });
    expect(data).toMatchObject([{ stream_id: stream, messages: 4, unique_viewers: 3 }]);
  });

  it('come as a table of minutes', async () => {
    const { owner, stream } = await aStream();
    const response = await call('GET', `/v1/streams/${stream}/analytics/minutes.csv`, { token: owner.token });
    expect(response.headers.get('content-type')).toContain('text/csv');
    const [titles, first] = (await response.text()).split('\r\n');
    expect(titles).toBe('minute,average_viewers,peak_viewers,messages,chatters,positive,negative,mood');
    expect(first).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:00\.000Z,/);
  });

  it('are for the owner only', async () => {
    const { ada, stream } = await aStream();
    for (const path of ['analytics', 'analytics/minutes.csv'])
      expect((await call('GET', `/v1/streams/${stream}/${path}`, { token: ada.token })).status).toBe(404);
    expect((await call('GET', `/v1/streams/${stream}/analytics`)).status).toBe(401);
  });

  it('show the larger of those connected and those the provider of the video counts', async () => {
    const { owner, stream, sockets } = await aStream();
    await chatRoom(uuidOf(stream)).noteAudience(40, Date.now());
    await until(
      () => sockets[0]?.frames.some((frame) => frame.type === 'viewers' && frame.count === 40) === true,
      'those who look on are told',
    );
    expect(await analyticsOf(owner, stream)).toMatchObject({ viewers: 40, peak_viewers: 40 });
    const log = await callJson<{ viewers: number }>(200, 'GET', `/v1/streams/${stream}/chat/messages`);
    expect(log.viewers).toBe(40);
    // Too old to count.
    await chatRoom(uuidOf(stream)).noteAudience(90, Date.now() - 200_000);
    expect(await analyticsOf(owner, stream)).toMatchObject({ viewers: 40 });
  });
});

describe('how many look on', () => {
  const goLive = (stream: string) =>
    sqlRows(
      "UPDATE streams SET state = 'live', started_at = now() - interval '1 minute', channel_arn = $2 WHERE id = $1",
      [uuidOf(stream), `arn:${stream}`],
    );

  it('is shown with a live stream, whichever of the two counts is larger', async () => {
    const { owner, stream } = await aStream();
    await goLive(stream);
    await until(async () => (await analyticsOf(owner, stream)).viewers === 3, 'all are there');
    const { primary } = servicesOf(testEnv(env)).databases;
    const shown = async () =>
      (await callJson<{ viewers: number }>(200, 'GET', `/v1/streams/${stream}`, { token: owner.token }))
        .viewers;
    const sample = { streamId: uuidOf(stream), viewers: 1, health: null };
    await storeSamples(primary, Date.now(), [sample]);
    expect(await shown()).toBe(1);
    // The room tells with its next flush, and from then on.
    await chatRoom(uuidOf(stream)).noteAudience(1, Date.now());
    const tally = await chatRoom(uuidOf(stream)).tally();
    if (tally === undefined) throw new Error('no tally');
    await applyTally(primary, { ...tally, streamId: uuidOf(stream), seq: 1, atMs: Date.now() });
    expect(await shown()).toBe(3);
    await storeSamples(primary, Date.now() + 60_000, [sample]);
    expect(await shown()).toBe(3);
    const samples = await sqlRows('SELECT viewers FROM stream_samples WHERE stream_id = $1', [
      uuidOf(stream),
    ]);
    expect(samples).toEqual([{ viewers: 1 }, { viewers: 1 }]);
  });

  it('is summed up also where nobody came to the chat', async () => {
    const owner = await seedUser();
    const stream = await announce(owner);
    await goLive(stream);
    await chatRoom(uuidOf(stream)).noteAudience(7, Date.now());
    expect(await analyticsOf(owner, stream)).toMatchObject({ viewers: 7, peak_viewers: 7, messages: 0 });
    await sqlRows("UPDATE streams SET state = 'ended', ended_at = now() WHERE id = $1", [uuidOf(stream)]);
    await chatRoom(uuidOf(stream)).close();
    await flush(stream);
    const summary = await analyticsOf(owner, stream);
    expect(summary).toMatchObject({ peak_viewers: 7, unique_viewers: 0 });
    expect(summary.summarised_at).not.toBeNull();
  });
});

const noTally = {
  seq: 1,
  atMs: Date.UTC(2026, 0, 1),
  viewers: 0,
  totals: { ...emptyMinute(0), peakAtMs: null },
  emotes: [],
  topChatters: [],
  minutes: [],
};

describe('flushes', () => {
  const db = () => servicesOf(testEnv(env)).databases.primary;

  it('count once, in whatever order and however often they come', async () => {
    const [owner, ada] = [await seedUser(), await seedUser()];
    const stream = await announce(owner);
    const presence = (seq: number, spans: [number, number][], counterId: string) =>
      applyPresence(db(), {
        streamId: uuidOf(stream),
        counterId,
        seq,
        joins: seq,
        leaves: seq - 1,
        strangers: 1,
        strangersMs: seq * 1_000,
        people: [{ userId: ada.uuid, spans }],
      });
    const start = Date.UTC(2026, 0, 1);
    const [one, other] = [randomIds.next(), randomIds.next()];
    await presence(3, [[start + 5_000, start + 20_000]], one);
    await presence(2, [[start, start + 10_000]], one);
    await presence(3, [[start + 5_000, start + 20_000]], one);
    // Another tab, at another relay, at the same time.
    await presence(1, [[start + 15_000, start + 25_000]], other);
    const tally = (seq: number, messages: number) =>
      applyTally(db(), {
        ...noTally,
        streamId: uuidOf(stream),
        seq,
        totals: { ...noTally.totals, messages },
        topChatters: [{ key: ada.uuid, count: messages, over: 0 }],
        minutes: [{ ...emptyMinute(start), messages }],
      });
    expect(await tally(2, 7)).toBe(true);
    await tally(1, 5);
    await tally(2, 7);
    expect(await analyticsOf(owner, stream)).toMatchObject({
      joins: 4,
      leaves: 2,
      unique_viewers: 3,
      watch_seconds: 25 + 3 + 1,
      messages: 7,
      minutes: [{ messages: 7 }],
      top_chatters: [{ messages: 7 }],
    });
  });

  it('of a stream that is gone change nothing', async () => {
    expect(await applyTally(db(), { ...noTally, streamId: randomIds.next() })).toBe(false);
  });

  it('leave what somebody watched and wrote in their export, and nothing of those who are gone', async () => {
    const { owner, ada, bob, stream } = await aStream();
    await sqlRows("UPDATE users SET status = 'deleted' WHERE id = $1", [bob.uuid]);
    await flush(stream);
    const rowsOf = async (file: string, user: TestUser) => {
      const section = exportSections.find((each) => each.file === file);
      if (section === undefined) throw new Error(`no section ${file}`);
      const rows = await listExportedRows(db(), section, user.uuid, { after: undefined, limit: 10 });
      return rows.map(({ line }) => JSON.parse(line));
    };
    expect(await rowsOf('streams_watched', ada)).toMatchObject([{ stream_id: uuidOf(stream) }]);
    expect(await rowsOf('streams_written_in', ada)).toMatchObject([{ messages: 2 }]);
    expect(await rowsOf('streams_watched', bob)).toEqual([]);
    expect((await analyticsOf(owner, stream)).top_chatters.map(({ user }) => user.id)).toEqual([ada.id]);
  });
});
