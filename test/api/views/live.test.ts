import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test';
import { afterEach, describe, expect, it } from 'vitest';
import { call, seedUser } from '../../support/worker/client.ts';
import {
  counterOf,
  flush,
  later,
  optionsOf,
  seedVideo,
  startSession,
  type TestVideo,
  watchFive,
} from './watching.ts';

const open: WebSocket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close(1000);
});

const connect = (video: TestVideo, headers: Record<string, string> = {}, token?: string) =>
  call('GET', `/v1/videos/${video.id}/views/live`, {
    ...(token === undefined ? {} : { token }),
    headers: { upgrade: 'websocket', ...headers },
  });

function listen(response: Response) {
  const socket = response.webSocket;
  if (socket === null) throw new Error(`no socket: ${response.status}`);
  const frames: { type: string; views: number; watching: number }[] = [];
  const waiting: (() => void)[] = [];
  socket.addEventListener('message', ({ data }) => {
    if (data !== 'pong') frames.push(JSON.parse(String(data)));
    for (const resolve of waiting) resolve();
  });
  const closed = new Promise<number>((resolve) =>
    socket.addEventListener('close', ({ code }) => resolve(code)),
  );
  socket.accept();
  open.push(socket);
  return {
    socket,
    closed,
    async frames(count: number) {
      while (frames.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
      return frames;
    },
  };
}

describe('GET /v1/videos/{video_id}/views/live', () => {
  it('sends the counts at once and after each change, through sleep and flush', async () => {
    const video = await seedVideo(await seedUser());
    const response = await connect(video, { 'sec-websocket-protocol': 'social-flow.v1' });
    expect(response.status).toBe(101);
    expect(response.headers.get('sec-websocket-protocol')).toBe('social-flow.v1');
    const client = listen(response);
    expect(await client.frames(1)).toEqual([{ type: 'views', views: 0, watching: 0 }]);
    await watchFive(video);
    await runDurableObjectAlarm(counterOf(video));
    expect((await client.frames(2)).at(-1)).toEqual({ type: 'views', views: 1, watching: 1 });
    await evictDurableObject(counterOf(video));
    await watchFive(video, { ip: '198.51.100.77' });
    await runDurableObjectAlarm(counterOf(video));
    expect((await client.frames(3)).at(-1)).toMatchObject({ views: 2 });
    // Flushed, the number stays; half a minute later nobody watches.
    await flush(video);
    expect((await client.frames(4)).at(-1)).toEqual({ type: 'views', views: 2, watching: 0 });
  });

  it('shows a private video to its owner, and to whoever holds a watch session of it', async () => {
    const owner = await seedUser();
    const video = await seedVideo(owner, { visibility: 'private' });
    expect((await connect(video)).status).toBe(404);
    listen(await connect(video, {}, owner.token));
    const { session_token } = await startSession(video, { token: owner.token });
    const response = await connect(video, {
      'sec-websocket-protocol': `social-flow.v1, watch.${session_token}`,
    });
    expect(response.status).toBe(101);
    listen(response);
    const other = await seedVideo(owner, { visibility: 'private' });
    const stolen = await connect(other, {
      'sec-websocket-protocol': `social-flow.v1, watch.${session_token}`,
    });
    expect(stolen.status).toBe(403);
  });

  it('speaks WebSocket only, to pages of known origins, which have nothing to say but ping', async () => {
    const video = await seedVideo(await seedUser());
    expect((await call('GET', `/v1/videos/${video.id}/views/live`, optionsOf({}))).status).toBe(426);
    expect((await connect(video, { origin: 'https://evil.test' })).status).toBe(403);
    const client = listen(await connect(video, { origin: 'http://localhost:3000' }));
    client.socket.send('ping');
    client.socket.send('{"views":1000}');
    expect(await client.closed).toBe(1008);
  });

  it('ends after an hour, so that who may see the video is asked again', async () => {
    const video = await seedVideo(await seedUser());
    const client = listen(await connect(video));
    await later(video, 3_600_001);
    await runDurableObjectAlarm(counterOf(video));
    expect(await client.closed).toBe(4401);
  });
});
