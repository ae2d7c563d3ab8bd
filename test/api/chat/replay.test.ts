import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '../../../durable-objects/chat-room/protocol.ts';
import { chatEventSchema } from '../../../src/modules/chat/frames.schemas.ts';
import { decodeId } from '../../../src/shared/ids.ts';
import { chatRoom, textOf } from '../../support/worker/chat.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { film } from '../comments/actions.ts';

interface Replay {
  readonly is_recording: boolean;
  readonly events: { readonly offset_ms: number; readonly seq: number; readonly event: ChatEvent }[];
  readonly next_cursor: string | null;
}

const uuidOf = (kind: 'stream' | 'video', id: string): string => decodeId(kind, id) ?? '';

const announce = async (owner: TestUser): Promise<string> =>
  (
    await callJson<{ id: string }>(201, 'POST', '/v1/streams', {
      token: owner.token,
      body: { title: 'Live' },
    })
  ).id;

const say = async (stream: string, user: TestUser, text: string): Promise<string> =>
  (
    await callJson<{ message_id: string }>(200, 'POST', `/v1/streams/${stream}/chat/messages`, {
      token: user.token,
      body: { client_id: crypto.randomUUID(), text },
    })
  ).message_id;

const moderate = (stream: string, by: TestUser, body: Record<string, unknown>) =>
  call('POST', `/v1/streams/${stream}/chat/moderation`, { token: by.token, body });

let laterMs = 0;
async function archive(stream: string): Promise<void> {
  laterMs += 600_000;
  const offsetMs = laterMs;
  const room = chatRoom(uuidOf('stream', stream));
  await runInDurableObject(room, (instance) => {
    instance.clock = { now: () => Date.now() + offsetMs };
  });
  await runDurableObjectAlarm(room);
}

/** Ends a stream whose recording is a film; message n was said n times ten seconds after the start. */
async function record(owner: TestUser, stream: string): Promise<string> {
  const video = await film(owner);
  const startedAt = new Date(Date.now() - 7_200_000).toISOString();
  await archive(stream);
  await sqlRows(
    "UPDATE chat_messages SET at = $2::timestamptz + seq * interval '10 seconds' WHERE stream_id = $1",
    [uuidOf('stream', stream), startedAt],
  );
  await sqlRows(
    `UPDATE streams SET state = 'ended', started_at = $3, ended_at = now(), channel_arn = 'arn:test', video_id = $2 WHERE id = $1`,
    [uuidOf('stream', stream), uuidOf('video', video), startedAt],
  );
  return video;
}

const replay = (video: string, query = '', token?: string) =>
  callJson<Replay>(200, 'GET', `/v1/videos/${video}/chat${query}`, { token });
const words = ({ events }: Replay): string[] => events.map(({ event }) => textOf(event));

describe('the chat of a recording', () => {
  it('comes in windows of the film, in one trip, to all who see the film', async () => {
    const [owner, ada] = [await seedUser(), await seedUser()];
    const stream = await announce(owner);
    for (let index = 1; index <= 8; index += 1) await say(stream, ada, `message ${index}`);
    const video = await record(owner, stream);

    const response = await call('GET', `/v1/videos/${video}/chat?from_ms=20000&to_ms=50000`, {
      token: ada.token,
    });
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    expect(response.headers.get('cache-control')).toBe('private, no-cache');
    const window = (await response.json()) as Replay;
    expect(window.events.map(({ offset_ms: offset, seq }) => [offset, seq])).toEqual([
      [20_000, 2],
      [30_000, 3],
      [40_000, 4],
    ]);
    for (const { event } of window.events) chatEventSchema.parse(event);

    const shared = await call('GET', `/v1/videos/${video}/chat?from_ms=60000`);
    expect(shared.headers.get('cache-control')).toBe('public, max-age=30');
    expect(words((await shared.json()) as Replay)).toEqual(['message 6', 'message 7', 'message 8']);

    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Replay = await replay(
        video,
        `?from_ms=0&to_ms=60000&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      expect(page.events.length).toBeLessThanOrEqual(2);
      seen.push(...words(page));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(['message 1', 'message 2', 'message 3', 'message 4', 'message 5']);
    expect(await replay(await film(owner))).toEqual({ is_recording: false, events: [], next_cursor: null });
  });

  it('begins where its own recording did', async () => {
    const owner = await seedUser();
    const stream = await announce(owner);
    for (let index = 1; index <= 6; index += 1) await say(stream, owner, `message ${index}`);
    const video = await record(owner, stream);
    await sqlRows(
      `INSERT INTO stream_recordings (prefix, stream_id, began_at, video_id)
       SELECT $2, id, started_at + interval '15 seconds', video_id FROM streams WHERE id = $1`,
      [uuidOf('stream', stream), `recordings/${stream}`],
    );
    const { events } = await replay(video, '?to_ms=30000', owner.token);
    expect(events.map(({ offset_ms: offset, seq }) => [offset, seq])).toEqual([
      [5_000, 2],
      [15_000, 3],
      [25_000, 4],
    ]);
  });

  it('refuses windows that are none, and hides what the film’s viewers may not see', async () => {
    const [owner, stranger] = [await seedUser(), await seedUser()];
    const stream = await announce(owner);
    await say(stream, owner, 'between us');
    const video = await record(owner, stream);
    for (const query of [
      '?from_ms=10&to_ms=10',
      '?from_ms=0&to_ms=60001',
      '?from_ms=-1',
      '?limit=501',
      '?x=1',
    ])
      expect((await call('GET', `/v1/videos/${video}/chat${query}`)).status, query).toBe(400);
    const first = await replay(video, '?limit=1', stranger.token);
    expect(words(first)).toEqual(['between us']);
    expect((await call('GET', `/v1/videos/${video}/chat?cursor=abc`)).status).toBe(400);
    const asOther = () => call('GET', `/v1/videos/${video}/chat?from_ms=1`, { token: stranger.token });
    await sqlRows("UPDATE videos SET password_hash = 'x' WHERE id = $1", [uuidOf('video', video)]);
    expect((await asOther()).status).toBe(404);
    await sqlRows("UPDATE videos SET password_hash = NULL, visibility = 'private' WHERE id = $1", [
      uuidOf('video', video),
    ]);
    expect((await asOther()).status).toBe(404);
    expect(words(await replay(video, '?from_ms=1', owner.token))).toEqual(['between us']);
  });

  it('is without what was deleted, also when the room had forgotten it, and without those who are banned', async () => {
    const [owner, ada, bob] = [await seedUser(), await seedUser(), await seedUser()];
    const stream = await announce(owner);
    const regretted = await say(stream, ada, 'regretted');
    await say(stream, bob, 'by bob');
    await say(stream, ada, 'stays');
    await archive(stream);
    await runInDurableObject(chatRoom(uuidOf('stream', stream)), (_, state) => {
      state.storage.sql.exec('DELETE FROM events');
    });
    expect((await moderate(stream, owner, { action: 'delete', message_id: regretted })).status).toBe(204);
    const video = await record(owner, stream);
    expect(words(await replay(video, '', ada.token))).toEqual(['by bob', 'stays']);
    expect((await moderate(stream, owner, { action: 'delete', message_id: regretted })).status).toBe(409);
    // Elsewhere in the channel, and long after.
    const later = await announce(owner);
    expect((await moderate(later, owner, { action: 'ban', user_id: bob.id })).status).toBe(204);
    expect(words(await replay(video, '', ada.token))).toEqual(['stays']);
  });
});

describe('the export of a chat', () => {
  it('has everything for its owner alone, with no formula for a spreadsheet to run', async () => {
    const [owner, ada] = [await seedUser(), await seedUser()];
    const stream = await announce(owner);
    const gone = await say(stream, ada, 'to be deleted');
    await say(stream, ada, '=HYPERLINK("http://x.example")');
    await archive(stream);
    await moderate(stream, owner, { action: 'delete', message_id: gone });
    await record(owner, stream);
    const download = (format: string, token = owner.token) =>
      call('GET', `/v1/streams/${stream}/chat/export?format=${format}`, { token });

    const lines = (await (await download('ndjson')).text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ seq, deleted, offset_ms: offset }) => [seq, deleted, offset])).toEqual([
      [1, true, 10_000],
      [2, false, 20_000],
    ]);
    for (const { event } of lines) chatEventSchema.parse(event);

    const table = await download('csv');
    expect(table.headers.get('content-disposition')).toBe('attachment; filename="chat.csv"');
    const [head, first, second] = (await table.text()).split('\r\n');
    expect(head).toBe('seq,at,offset_ms,kind,deleted,message_id,author_id,username,role,text');
    expect(first?.endsWith(`,message,true,${gone},${ada.id},${ada.username},viewer,`)).toBe(true);
    expect(second?.endsWith(`viewer,"'=HYPERLINK(""http://x.example"")"`)).toBe(true);

    expect((await download('csv', ada.token)).status).toBe(404);
    expect((await download('xml')).status).toBe(400);
  });

  it('reads a long chat page by page, each event once', async () => {
    const owner = await seedUser();
    const stream = await announce(owner);
    const many = 12_345;
    await sqlRows(
      `INSERT INTO chat_messages (stream_id, at, seq, kind, id, event)
       SELECT $1, now() - interval '1 hour' + n / 100 * interval '1 second', n, 'poll', gen_random_uuid(), '{"type":"poll"}'
       FROM generate_series(1, $2::int) AS n`,
      [uuidOf('stream', stream), many],
    );
    const response = await call('GET', `/v1/streams/${stream}/chat/export`, { token: owner.token });
    const lines = (await response.text()).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).seq)).toEqual(
      Array.from({ length: many }, (_, index) => index + 1),
    );
    expect((await roundTripsOf(response)).roundTrips).toBe(3);
  });
});
