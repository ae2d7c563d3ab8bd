import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { counterName } from '../../../durable-objects/view-counter/protocol.ts';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { callJson, freshAddress, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';

export const browser = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';

export interface TestVideo {
  /** `vid_...` */
  readonly id: string;
  readonly uuid: string;
}

/** A published video of this many milliseconds. */
export async function seedVideo(
  owner: TestUser,
  options: { readonly durationMs?: number; readonly visibility?: string; readonly state?: string } = {},
): Promise<TestVideo> {
  const uuid = randomIds.next();
  const { durationMs = 100_000, visibility = 'public', state = 'published' } = options;
  await sqlRows(
    `INSERT INTO videos (id, owner_id, title, state, visibility, duration_ms, published_at, hls_key, dash_key)
     VALUES ($1, $2, 'A film', $3, $4, $5, now(), 'media/x.m3u8', 'media/x.mpd')`,
    [uuid, owner.uuid, state, visibility, durationMs],
  );
  return { id: encodeId('video', uuid), uuid };
}

export interface Watcher {
  readonly token?: string;
  readonly ip?: string;
  readonly userAgent?: string;
}

export const optionsOf = ({ token, ip = freshAddress(), userAgent = browser }: Watcher) => ({
  ...(token === undefined ? {} : { token }),
  ip,
  headers: userAgent === '' ? {} : { 'user-agent': userAgent },
});

export const startSession = (video: TestVideo, watcher: Watcher = {}, body: unknown = {}) =>
  callJson<{ session_token: string; view_count: number; heartbeat_seconds: number; expires_at: string }>(
    201,
    'POST',
    `/v1/videos/${video.id}/watch-sessions`,
    { ...optionsOf(watcher), body },
  );

const { VIEW_COUNTER } = testEnv(env);
export const counterOf = (video: TestVideo, shard = 0) =>
  VIEW_COUNTER.getByName(counterName(video.uuid, shard));

/** Lets the counter of a video believe that it is this much later. */
export const later = (video: TestVideo, milliseconds: number, shard = 0): Promise<void> =>
  runInDurableObject(counterOf(video, shard), (counter) => {
    const { clock } = counter;
    counter.clock = { now: () => clock.now() + milliseconds };
  });

/** Stops the counter's clock, so that what a slow machine takes does not count. */
export const stopClock = (video: TestVideo): Promise<void> =>
  runInDurableObject(counterOf(video), (counter) => {
    const now = counter.clock.now();
    counter.clock = { now: () => now };
  });

/** Lets the counter do all that is due. */
export async function flush(video: TestVideo, shard = 0): Promise<void> {
  await later(video, 60_000, shard);
  await runDurableObjectAlarm(counterOf(video, shard));
}

export const heartbeat = (
  video: TestVideo,
  sessionToken: string,
  beat: { readonly seq: number; readonly from: number; readonly to: number; readonly player?: unknown },
  watcher: Watcher = {},
) =>
  callJson<{ watched_ms: number; next_heartbeat_seconds: number }>(
    200,
    'POST',
    `/v1/videos/${video.id}/watch`,
    {
      ...optionsOf(watcher),
      body: {
        session_token: sessionToken,
        seq: beat.seq,
        intervals: [{ from_ms: beat.from, to_ms: beat.to }],
        position_ms: beat.to,
        ...(beat.player === undefined ? {} : { player: beat.player }),
      },
    },
  );

/** Watches the first five seconds, as one player would. */
export async function watchFive(video: TestVideo, watcher: Watcher = {}, body: unknown = {}): Promise<void> {
  const { session_token } = await startSession(video, watcher, body);
  await heartbeat(video, session_token, { seq: 1, from: 0, to: 1 }, watcher);
  await later(video, 5_000);
  await heartbeat(video, session_token, { seq: 2, from: 0, to: 5_000 }, watcher);
}

export interface DayRow {
  readonly views: number;
  readonly viewers: number;
  readonly plays: number;
  readonly watch_ms: number;
  readonly completions: number;
  readonly startups: number;
  readonly startup_ms: number;
  readonly rebuffer_ms: number;
  readonly errors: number;
  readonly retention: readonly number[];
}

/** What the database has about a video, all days together. */
export async function totalsOf(video: TestVideo): Promise<DayRow | undefined> {
  const rows = await sqlRows<Record<string, unknown>>(
    `SELECT sum(views) AS views, sum(viewers) AS viewers, sum(plays) AS plays, sum(watch_ms) AS watch_ms,
       sum(completions) AS completions, sum(startups) AS startups, sum(startup_ms) AS startup_ms,
       sum(rebuffer_ms) AS rebuffer_ms, sum(errors) AS errors, to_json((array_agg(to_json(retention)))[1]) AS retention
     FROM video_view_days WHERE video_id = $1 HAVING count(*) > 0`,
    [video.uuid],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, name === 'retention' ? value : Number(value)]),
  ) as unknown as DayRow;
}

export const partsOf = (
  video: TestVideo,
): Promise<{ dimension: string; value: string; views: number; watch_ms: number; errors: number }[]> =>
  sqlRows(
    `SELECT dimension, value, views::float8 AS views, watch_ms::float8 AS watch_ms, errors::float8 AS errors
     FROM video_view_parts WHERE video_id = $1 ORDER BY dimension, value`,
    [video.uuid],
  );

export async function countOf(video: TestVideo): Promise<number> {
  const [row] = await sqlRows<{ views: string }>('SELECT views FROM video_counters WHERE video_id = $1', [
    video.uuid,
  ]);
  return Number(row?.views ?? 0);
}
