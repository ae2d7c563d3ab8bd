import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endAway } from '../../../src/modules/broadcasts/life.repository.ts';
import { closeRooms, takeStreamEvent } from '../../../src/modules/broadcasts/usecases/follow-broadcast.ts';
import { decodeId } from '../../../src/shared/ids.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { contextOf, sendWebhook } from '../../support/worker/films.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';

interface Stream {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly reconnecting: boolean;
  readonly health: string | null;
}

/** Somebody with a channel that IVS knows nothing of: every event comes from the test. */
async function seedBroadcaster(): Promise<{ readonly owner: TestUser; readonly arn: string }> {
  const owner = await seedUser();
  const arn = `arn:aws:ivs:us-east-1:000000000000:channel/${crypto.randomUUID().slice(0, 12)}`;
  await sqlRows(
    `INSERT INTO live_channels (arn, owner_id, ingest_endpoint, playback_url, latency_mode, type, claimed_at)
     VALUES ($1, $2, 'ingest.test', 'https://live.test/a.m3u8', 'LOW', 'STANDARD', now())`,
    [arn, owner.uuid],
  );
  return { owner, arn };
}

const at = (ms: number): string => new Date(ms).toISOString();
const event = (arn: string, sessionId: string, name: string, ms: number, type = 'Stream State') => ({
  id: crypto.randomUUID(),
  source: 'aws.ivs',
  'detail-type': `IVS ${type} Change`,
  time: at(ms),
  resources: [arn],
  detail: { event_name: name, channel_name: 'x', stream_id: sessionId },
});

async function tell(...events: readonly unknown[]): Promise<string[]> {
  for (const one of events) expect((await sendWebhook(one)).status).toBe(202);
  return (await deliverEvents()).map(({ body }) => String(body.type));
}

const streamsOf = async (owner: TestUser): Promise<Stream[]> =>
  (await callJson<{ data: Stream[] }>(200, 'GET', `/v1/users/${owner.id}/streams`, { token: owner.token }))
    .data;

const announce = (owner: TestUser, body: Record<string, unknown>) =>
  callJson<Stream>(201, 'POST', '/v1/streams', { token: owner.token, body: { title: 'Show', ...body } });

const start = Math.floor(Date.now() / 1_000) * 1_000;
const second = 1_000;

describe('a broadcast', () => {
  it('is the stream that was announced nearest to it, and the next one is another', async () => {
    const { owner, arn } = await seedBroadcaster();
    await announce(owner, { title: 'undated' });
    await announce(owner, { title: 'tomorrow', scheduled_at: at(start + 86_400_000) });
    const soon = await announce(owner, { title: 'soon', scheduled_at: at(start + 600_000) });
    const told = await tell(
      event(arn, 's1', 'Session Created', start),
      event(arn, 's1', 'Stream Start', start),
    );
    expect(told.filter((type) => type === 'stream.started')).toHaveLength(1);
    const live = (await streamsOf(owner)).filter(({ state }) => state === 'live');
    expect(live).toMatchObject([{ id: soon.id, started_at: at(start), ended_at: null }]);
    await tell(event(arn, 's1', 'Stream End', start + 60_000));
    await tell(event(arn, 's2', 'Stream Start', start + 300_000));
    const states = Object.fromEntries((await streamsOf(owner)).map(({ title, state }) => [title, state]));
    expect(states).toMatchObject({ undated: 'live', tomorrow: 'scheduled' });
  });

  it('goes on as the same stream within the window, and is over after it', async () => {
    const { owner, arn } = await seedBroadcaster();
    await tell(event(arn, 'r1', 'Stream Start', start), event(arn, 'r1', 'Stream End', start + 10_000));
    expect(await streamsOf(owner)).toMatchObject([{ state: 'live', reconnecting: true }]);
    await tell(event(arn, 'r2', 'Stream Start', start + 40_000));
    expect(await streamsOf(owner)).toMatchObject([
      { state: 'live', reconnecting: false, started_at: at(start) },
    ]);
    await tell(event(arn, 'r2', 'Session Ended', start + 50_000));
    await endAway(contextOf({ clockMs: start + 109_000 }), 1_000);
    expect(await streamsOf(owner)).toMatchObject([{ state: 'live' }]);
    await endAway(contextOf({ clockMs: start + 110_000 }), 1_000);
    await endAway(contextOf({ clockMs: start + 120_000 }), 1_000);
    expect(await streamsOf(owner)).toMatchObject([{ state: 'ended', ended_at: at(start + 50_000) }]);
    const [stream] = await streamsOf(owner);
    expect(
      await sqlRows("SELECT id FROM outbox WHERE type = 'stream.ended' AND payload ->> 'stream_id' = $1", [
        decodeId('stream', stream?.id ?? ''),
      ]),
    ).toHaveLength(1);
    const sessions = await callJson<{ data: unknown[] }>(200, 'GET', `/v1/streams/${stream?.id}/sessions`, {
      token: owner.token,
    });
    expect(sessions.data).toMatchObject([{ session_id: 'r2' }, { session_id: 'r1' }]);
  });

  it('that fails or breaches a limit has failed', async () => {
    const { owner, arn } = await seedBroadcaster();
    await tell(event(arn, 'f1', 'Stream Start', start), event(arn, 'f1', 'Stream Failure', start + 5_000));
    await endAway(contextOf({ clockMs: start + 70_000 }), 1_000);
    expect(await streamsOf(owner)).toMatchObject([{ state: 'failed', ended_at: at(start + 5_000) }]);
  });

  it('tells how it is fed, by the latest word', async () => {
    const { owner, arn } = await seedBroadcaster();
    await tell(
      event(arn, 'h1', 'Stream Start', start),
      event(arn, 'h1', 'Starvation End', start + 9_000, 'Stream Health'),
      event(arn, 'h1', 'Starvation Start', start + 6_000, 'Stream Health'),
    );
    expect(await streamsOf(owner)).toMatchObject([{ health: 'healthy' }]);
    await tell(event(arn, 'h1', 'Starvation Start', start + 12_000, 'Stream Health'));
    expect(await streamsOf(owner)).toMatchObject([{ health: 'starving' }]);
  });

  it('of a channel nobody has changes nothing', async () => {
    const arn = 'arn:aws:ivs:us-east-1:000000000000:channel/nobody';
    expect(await tell(event(arn, 'n1', 'Stream Start', start))).toEqual(['ivs.stream_changed']);
  });

  it('cannot be canceled once it has begun', async () => {
    const { owner, arn } = await seedBroadcaster();
    await tell(event(arn, 'c1', 'Stream Start', start));
    const [stream] = await streamsOf(owner);
    const response = await call('DELETE', `/v1/streams/${stream?.id}`, { token: owner.token });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      409,
      'streams.begun',
    ]);
  });

  it('has its chat room closed some minutes after its end, not before', async () => {
    const { owner, arn } = await seedBroadcaster();
    await tell(event(arn, 'k1', 'Stream Start', start), event(arn, 'k1', 'Stream End', start + 1_000));
    await endAway(contextOf({ clockMs: start + 100_000 }), 1_000);
    const [stream] = await streamsOf(owner);
    const say = () =>
      callJson<{ drop_reason?: { code: string } }>(200, 'POST', `/v1/streams/${stream?.id}/chat/messages`, {
        token: owner.token,
        body: { client_id: crypto.randomUUID(), text: 'still here' },
      });
    await closeRooms(contextOf({ clockMs: start + 200_000 }));
    expect((await say()).drop_reason).toBeUndefined();
    await closeRooms(contextOf({ clockMs: start + 302_000 }));
    expect((await say()).drop_reason).toMatchObject({ code: 'msg_closed' });
  });
});

/** Sessions of a channel as they really were, in seconds, with gaps between them. */
const history = fc.array(
  fc.record({
    gap: fc.integer({ min: 1, max: 150 }),
    length: fc.integer({ min: 1, max: 100 }),
    fails: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);

interface Session {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly fails: boolean;
}

function sessionsOf(gaps: readonly { gap: number; length: number; fails: boolean }[]): Session[] {
  let now = start;
  return gaps.map(({ gap, length, fails }) => {
    const from = now + gap * second;
    now = from + length * second;
    return { id: crypto.randomUUID(), from, to: now, fails };
  });
}

/** What IVS tells of a session; of two words about its end one may be lost, but only the first tells of a failure. */
function eventsOf(arn: string, { id, from, to, fails }: Session, chance: () => number) {
  const ends = [
    event(arn, id, fails ? 'Stream Failure' : 'Stream End', to),
    event(arn, id, 'Session Ended', to),
  ];
  if (chance() < 50) ends.splice(fails ? 1 : chance() % 2, 1);
  return [event(arn, id, 'Session Created', from - second), event(arn, id, 'Stream Start', from), ...ends];
}

const shuffled = <T>(items: readonly T[], chance: () => number): T[] =>
  items
    .map((item) => ({ item, key: chance() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);

async function take(arn: string, events: readonly ReturnType<typeof event>[]): Promise<void> {
  for (const { id, time, detail } of events)
    await takeStreamEvent(contextOf(), {
      id: crypto.randomUUID(),
      type: 'ivs.stream_changed',
      occurred_at: time,
      data: { event_id: id, time, resource: arn, detail },
    });
}

/** The streams an owner has in the end, the oldest first. */
async function streamsAfter(owner: TestUser, ms: number) {
  await endAway(contextOf({ clockMs: ms }), 1_000);
  takeMessages();
  return (await streamsOf(owner))
    .map(({ started_at, ended_at, state }) => ({ started_at, ended_at, state }))
    .toSorted((a, b) => String(a.started_at).localeCompare(String(b.started_at)));
}

describe('events of IVS', () => {
  it('lead to the streams there really were when those of a session come mixed up and again and again', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.infiniteStream(fc.nat({ max: 99 })), async (gaps, chances) => {
        const chance = () => Number(chances.next().value);
        const { owner, arn } = await seedBroadcaster();
        const sessions = sessionsOf(gaps);
        const expected: { started_at: string; ended_at: string; state: string }[] = [];
        const told: ReturnType<typeof event>[] = [];
        let lastEnd = Number.NEGATIVE_INFINITY;
        for (const session of sessions) {
          const state = session.fails ? 'failed' : 'ended';
          const last = expected.at(-1);
          if (last !== undefined && session.from <= lastEnd + 60_000) {
            last.ended_at = at(session.to);
            last.state = state;
          } else expected.push({ started_at: at(session.from), ended_at: at(session.to), state });
          lastEnd = session.to;
          const events = eventsOf(arn, session, chance);
          await take(arn, shuffled([...events, ...told.filter(() => chance() < 20)], chance));
          told.push(...events);
        }
        expect(await streamsAfter(owner, lastEnd + 61_000)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  }, 120_000);

  it('leave every session with its true times in one stream that spans it, in whatever order all of them come', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.infiniteStream(fc.nat({ max: 99 })), async (gaps, chances) => {
        const chance = () => Number(chances.next().value);
        const { owner, arn } = await seedBroadcaster();
        const sessions = sessionsOf(gaps);
        const events = sessions.flatMap((session) => eventsOf(arn, session, chance));
        await take(arn, shuffled([...events, ...events.filter(() => chance() < 30)], chance));
        const streams = await streamsAfter(owner, Math.max(...sessions.map(({ to }) => to)) + 61_000);
        const rows = await sqlRows<{ id: string; from: number; to: number; stream: string }>(
          `SELECT session_id AS id, extract(epoch FROM started_at)::float8 * 1000 AS "from",
             extract(epoch FROM ended_at)::float8 * 1000 AS "to", stream_id AS stream
           FROM stream_sessions WHERE channel_arn = $1 ORDER BY started_at`,
          [arn],
        );
        expect(rows.map(({ id, from, to }) => ({ id, from, to }))).toEqual(
          sessions.map(({ id, from, to }) => ({ id, from, to })),
        );
        const spans = Map.groupBy(rows, ({ stream }) => stream);
        expect(streams.map(({ started_at, ended_at }) => [started_at, ended_at])).toEqual(
          [...spans.values()].map((own) => [
            at(Math.min(...own.map(({ from }) => from))),
            at(Math.max(...own.map(({ to }) => to))),
          ]),
        );
        expect(streams.every(({ state }) => state === 'ended' || state === 'failed')).toBe(true);
      }),
      { numRuns: 40 },
    );
  }, 120_000);
});
