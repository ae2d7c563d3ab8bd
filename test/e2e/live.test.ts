import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chatCloseCodes } from '../../durable-objects/chat-relay/protocol.ts';
import { locateFfmpeg } from '../../local-cloud/ffmpeg/index.ts';
import { type ApiClient, createApiClient } from '../../scripts/demo/api.ts';
import { type BrowserPage, chromiumPath, openBrowser } from '../support/node/chromium.ts';
import { type Camera, clockBits, clockPoints, picture, startCamera } from '../support/node/live/camera.ts';
import { watch } from '../support/node/live/screen.ts';
import { type Platform, startPlatform } from './platform.ts';

if (chromiumPath === undefined)
  console.warn(
    'NOT TESTED: a live stream from camera to replay. Install Chromium or set CHROMIUM_PATH to one.',
  );

const hlsScript = join(
  createRequire(import.meta.url).resolve('hls.js/package.json'),
  '..',
  'dist',
  'hls.min.js',
);
const page =
  '<!doctype html><meta charset="utf-8"><title>Live</title><video muted></video><script src="/hls.js"></script>';
/** Settles what a recording's times are exact to: segments, and the encoder's own delay. */
const toleranceMs = 2_000;

interface Account {
  readonly id: string;
  readonly api: ApiClient;
}
interface StreamView {
  readonly id: string;
  readonly state: string;
  readonly video_id: string | null;
  readonly started_at: string | null;
}
interface Said {
  readonly seq: number;
  readonly offset_ms: number;
  readonly event: {
    readonly type: string;
    readonly fragments?: { readonly text: string }[];
    readonly deleted?: true;
  };
}

/** Runs in a page: enters a chat with a ticket, as a client would, and keeps what it gets. */
async function chat(order: { apiUrl: string; streamId: string; token: string }): Promise<void> {
  const answer = await fetch(`${order.apiUrl}/v1/realtime/tickets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${order.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ purpose: 'chat' }),
  });
  const { ticket } = (await answer.json()) as { ticket: string };
  const url = `${order.apiUrl.replace('http', 'ws')}/v1/streams/${order.streamId}/chat`;
  const socket = new WebSocket(url, ['social-flow.chat.v1', `ticket.${ticket}`]);
  const heard: { frames: unknown[]; closed: number | undefined } = { frames: [], closed: undefined };
  Object.assign(window, {
    heard,
    say: (id: string, text: string) => socket.send(JSON.stringify({ type: 'send', id, text })),
  });
  socket.addEventListener('message', ({ data }) => heard.frames.push(JSON.parse(String(data))));
  socket.addEventListener('close', ({ code }) => {
    heard.closed = code;
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
}

describe.skipIf(chromiumPath === undefined)('a live stream', () => {
  let platform: Platform;
  let cinema: Server;
  let site: string;
  let camera: Camera;
  let creator: Account;
  let moderator: Account;
  let troll: Account;
  let stream: StreamView;
  const browsers: BrowserPage[] = [];

  const until = async <T>(what: string, read: () => Promise<T | undefined>): Promise<T> => {
    for (let look = 0; look < 240; look += 1) {
      const value = await read();
      if (value !== undefined) return value;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    throw new Error(
      `waited in vain until ${what}\n${camera?.complaints() ?? ''}\n${platform
        .log()
        .split('\n')
        .filter((line) => !line.includes('cron.completed'))
        .join('\n')}`,
    );
  };
  const register = async (username: string): Promise<Account> => {
    const email = `${username}@example.com`;
    const session = await createApiClient(platform.apiUrl).send<{
      user: { id: string };
      access_token: string;
    }>('POST', '/v1/auth/register', { username, email, password: 'quiet lanterns over the river 27' });
    tokens.set(username, session.access_token);
    return { id: session.user.id, api: createApiClient(platform.apiUrl, session.access_token) };
  };
  const tokens = new Map<string, string>();
  const verify = async (username: string, { api }: Account): Promise<void> => {
    const token = await until('the mail came', async () => {
      const mails = (await (
        await fetch(`${platform.stack().mailUrl}/api/mails?to=${username}@example.com`)
      ).json()) as unknown;
      return /\bsfv_[A-Za-z0-9_-]{49}/.exec(JSON.stringify(mails))?.[0];
    });
    await api.send('POST', '/v1/auth/email-verification/confirm', { token });
  };
  const open = async (): Promise<BrowserPage> => {
    const browser = await openBrowser(['--autoplay-policy=no-user-gesture-required']);
    browsers.push(browser);
    await browser.open(`${site}/`);
    return browser;
  };
  const now = () => creator.api.get<StreamView>(`/v1/streams/${stream.id}`);

  beforeAll(async () => {
    cinema = createServer((request, response) => {
      if (request.url === '/hls.js')
        response.setHeader('content-type', 'text/javascript').end(readFileSync(hlsScript));
      else response.setHeader('content-type', 'text/html').end(page);
    });
    await new Promise<void>((resolve) => cinema.listen(0, '127.0.0.1', resolve));
    site = `http://127.0.0.1:${(cinema.address() as AddressInfo).port}`;
    // Tokens of playback are good for pages of these sites only.
    platform = await startPlatform({ settings: { CORS_ORIGINS: site } });
    [creator, moderator, troll] = [
      await register('creator_live'),
      await register('moderator_live'),
      await register('troll_live'),
    ];
    await verify('creator_live', creator);
    await creator.api.send('PUT', `/v1/me/chat-roles/${moderator.id}`, { role: 'moderator' });
  }, 300_000);

  afterAll(async () => {
    await camera?.cut();
    for (const browser of browsers) await browser.close();
    cinema?.close();
    cinema?.closeAllConnections();
    await platform?.close();
  }, 60_000);

  it('goes from a camera to a screen, is talked about in two browsers, moderated, stopped, and becomes a video with its chat', async () => {
    // The creator sets up an encoder, and announces.
    const channel = await creator.api.send<{ ingest: { rtmps_url: string } }>('POST', '/v1/me/live/channel');
    const { stream_key: key } = await creator.api.send<{ stream_key: string }>(
      'POST',
      '/v1/me/live/channel/stream-key',
    );
    stream = await creator.api.send<StreamView>('POST', '/v1/streams', { title: 'From end to end' });
    const ffmpeg = await locateFfmpeg();
    camera = startCamera(ffmpeg.command, `${channel.ingest.rtmps_url.replace(/\/$/, '')}/${key}`);
    await until('the stream is live', async () => ((await now()).state === 'live' ? true : undefined));

    // Somebody watches.
    const screen = await open();
    const playback = await moderator.api.get<{ hls_url: string }>(`/v1/streams/${stream.id}/playback`);
    await screen.evaluate(
      `(${watch})(${JSON.stringify({ url: playback.hls_url, lowLatency: true, query: '', width: picture.width, points: clockPoints })})`,
    );
    await until('two seconds of it were shown', async () => {
      expect(await screen.evaluate('watched.errors')).toEqual([]);
      return Number(await screen.evaluate('watched.ages.length')) > 60 ? true : undefined;
    });

    // Two talk.
    const [hers, his] = [await open(), await open()];
    const enter = (browser: BrowserPage, name: string): Promise<unknown> =>
      browser.evaluate(
        `(${chat})(${JSON.stringify({ apiUrl: platform.apiUrl, streamId: stream.id, token: tokens.get(name) })})`,
      );
    await enter(hers, 'moderator_live');
    await enter(his, 'troll_live');
    const textsIn = async (browser: BrowserPage): Promise<string[]> => {
      const frames = (await browser.evaluate('heard.frames')) as { type: string; events?: Said[] }[];
      return frames
        .filter(({ type }) => type === 'batch')
        .flatMap(({ events = [] }) => events)
        .flatMap(({ event }) =>
          event.fragments === undefined ? [] : [event.fragments.map(({ text }) => text).join('')],
        );
    };
    const answerTo = (browser: BrowserPage, id: string) =>
      until(`${id} was answered`, async () => {
        const frames = (await browser.evaluate('heard.frames')) as {
          type: string;
          id?: string;
          is_sent?: boolean;
          drop_reason?: { code: string };
        }[];
        return frames.find((frame) => frame.type === 'sent' && frame.id === id);
      });
    await hers.evaluate(`say('one', 'hello from her')`);
    await his.evaluate(`say('two', 'something that has to go')`);
    expect((await answerTo(his, 'two')).is_sent).toBe(true);
    for (const browser of [hers, his])
      await until('both have both', async () => ((await textsIn(browser)).length === 2 ? true : undefined));

    // One is banned, in both browsers.
    await moderator.api.send('POST', `/v1/streams/${stream.id}/chat/moderation`, {
      action: 'ban',
      user_id: troll.id,
      reason: 'for the test',
    });
    await until('others are told', async () =>
      JSON.stringify(await hers.evaluate('heard.frames')).includes('user_silenced') ? true : undefined,
    );
    await until('he is out', async () =>
      (await his.evaluate('heard.closed')) === chatCloseCodes.banned ? true : undefined,
    );
    expect(JSON.stringify(await his.evaluate('heard.frames'))).toContain('"banned":true');
    expect(
      await troll.api.send('POST', `/v1/streams/${stream.id}/chat/messages`, {
        client_id: 'three',
        text: 'and again',
      }),
    ).toMatchObject({ is_sent: false, drop_reason: { code: 'msg_banned' } });
    await hers.evaluate(`say('four', 'said while it was live')`);
    expect((await answerTo(hers, 'four')).is_sent).toBe(true);
    await creator.api.send('POST', `/v1/streams/${stream.id}/markers`, { title: 'The good part' });

    // One goes back to its beginning.
    const dvr = await moderator.api.get<{ hls_url: string; query: string }>(`/v1/streams/${stream.id}/dvr`);
    const master = await until('the recording can be played', async () => {
      const answer = await fetch(dvr.hls_url);
      return answer.ok ? answer.text() : undefined;
    });
    const rendition = new URL(master.split('\n').find((line) => /^[^#]/.test(line)) ?? '', dvr.hls_url);
    expect((await fetch(rendition)).status).toBe(403);
    const playlist = await (await fetch(`${rendition}?${dvr.query}`)).text();
    expect(playlist).toContain('#EXT-X-PLAYLIST-TYPE:EVENT');
    const [first = ''] = playlist.split('\n').filter((line) => /^[^#]/.test(line));
    expect((await fetch(`${new URL(first, rendition)}?${dvr.query}`)).headers.get('content-type')).toBe(
      'video/mp4',
    );

    // It ends, and plays as a video.
    await creator.api.send('POST', `/v1/streams/${stream.id}/stop`);
    await until('the stream is over', async () => ((await now()).state === 'ended' ? true : undefined));
    await camera.cut();
    const videoId = await until('there is a video', async () => (await now()).video_id ?? undefined);
    await until('it is published', async () => {
      const { state } = await creator.api.get<{ state: string }>(`/v1/videos/${videoId}`);
      if (state === 'failed')
        throw new Error(
          `the video failed\n${platform
            .log()
            .split('\n')
            .filter((line) => !line.includes('cron.completed'))
            .join('\n')}`,
        );
      return state === 'published' ? true : undefined;
    });
    const film = await moderator.api.send<{ hls_url: string; query: string }>(
      'POST',
      `/v1/videos/${videoId}/playback`,
      {},
    );
    const replayed = await open();
    await replayed.evaluate(
      `(${watch})(${JSON.stringify({ url: film.hls_url, lowLatency: false, query: film.query, width: picture.width, points: clockPoints })})`,
    );
    await until('the video is shown', async () => {
      expect(await replayed.evaluate('watched.errors')).toEqual([]);
      return Number(await replayed.evaluate('watched.ages.length')) > 5 ? true : undefined;
    });

    // What was said is replayed at its moment: the clock in the picture says when that was. What was banned is not.
    const replay = await moderator.api.get<{ events: Said[] }>(
      `/v1/videos/${videoId}/chat?from_ms=0&to_ms=60000`,
    );
    const said = replay.events.filter(({ event }) => event.type === 'message' && event.deleted !== true);
    expect(said.map(({ event }) => event.fragments?.map(({ text }) => text).join(''))).toEqual([
      'hello from her',
      'said while it was live',
    ]);
    const last = said[1];
    const saidAt = (await hers.evaluate(
      `heard.frames.flatMap(({ events = [] }) => events).find(({ seq }) => seq === ${last?.seq}).at`,
    )) as number;
    const shownAt = (await replayed.evaluate(`new Promise((resolve) => {
      const video = document.querySelector('video');
      video.pause();
      video.addEventListener('seeked', () => video.requestVideoFrameCallback(() => setTimeout(() => resolve(Date.now() - watched.ages.at(-1)), 200)), { once: true });
      video.currentTime = ${(last?.offset_ms ?? 0) / 1_000};
    })`)) as number;
    const span = 2 ** clockBits;
    const apartMs = (((shownAt - saidAt) % span) + span) % span;
    expect(Math.min(apartMs, span - apartMs)).toBeLessThan(toleranceMs);
  }, 600_000);
});
