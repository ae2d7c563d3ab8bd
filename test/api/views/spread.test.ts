import { expect, it } from 'vitest';
import { call, seedUser, sqlRows } from '../../support/worker/client.ts';
import {
  countOf,
  flush,
  heartbeat,
  later,
  seedVideo,
  startSession,
  type TestVideo,
  totalsOf,
  type Watcher,
  watchFive,
} from './watching.ts';

const shardOfToken = (token: string): number =>
  (
    JSON.parse(atob(token.split('.')[0]?.replaceAll('-', '+').replaceAll('_', '/') ?? '')) as {
      shard: number;
    }
  ).shard;

async function watchSpread(video: TestVideo, watcher: Watcher): Promise<number> {
  const { session_token } = await startSession(video, watcher);
  const shard = shardOfToken(session_token);
  await heartbeat(video, session_token, { seq: 1, from: 0, to: 1 }, watcher);
  await later(video, 5_000, shard);
  await heartbeat(video, session_token, { seq: 2, from: 0, to: 5_000 }, watcher);
  return shard;
}

it('a hot video is spread over several objects, and still counts each viewer once', async () => {
  const video = await seedVideo(await seedUser());
  await watchFive(video, { ip: '198.51.100.1' });
  await flush(video);
  await sqlRows('UPDATE video_counters SET view_shards = 4 WHERE video_id = $1', [video.uuid]);
  const shards = new Set<number>();
  for (const last of [1, 2, 3, 4, 5, 6, 2])
    shards.add(await watchSpread(video, { ip: `198.51.100.${last}` }));
  expect(shards.size).toBeGreaterThan(1);
  for (const shard of shards) expect([1, 2, 3, 4]).toContain(shard);
  // What objects hand over twice, because the database was waited for, counts once.
  for (const shard of shards) await flush(video, shard);
  for (const shard of shards) await flush(video, shard);
  await flush(video);
  expect(await countOf(video)).toBe(6);
  expect(await totalsOf(video)).toMatchObject({ views: 6, viewers: 6, plays: 8, watch_ms: 40_000 });
});

it('the owner hears of new views while connected, and catches up on none', async () => {
  const owner = await seedUser();
  const video = await seedVideo(owner);
  const response = await call('GET', '/v1/realtime', {
    token: owner.token,
    headers: { upgrade: 'websocket' },
  });
  const socket = response.webSocket;
  if (socket === null) throw new Error(`no socket: ${response.status}`);
  const heard = new Promise<unknown>((resolve) =>
    socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data)) as { type: string };
      if (frame.type === 'notice') resolve(frame);
    }),
  );
  socket.accept();
  await watchFive(video);
  await flush(video);
  expect(await heard).toEqual({
    type: 'notice',
    event: { type: 'video.views', data: { video_id: video.id, view_count: 1 } },
  });
  socket.close(1000);
});
