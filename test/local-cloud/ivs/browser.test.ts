import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { PutMetadataCommand } from '@aws-sdk/client-ivs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrowserPage, chromiumPath, openBrowser } from '../../support/node/chromium.ts';
import { type Cloud, publish, startCloud, told, until } from './harness.ts';

if (chromiumPath === undefined)
  console.warn('NOT TESTED: live playback in hls.js. Install Chromium or set CHROMIUM_PATH to one.');

const HLS = fileURLToPath(new URL('../../../node_modules/hls.js/dist/hls.min.js', import.meta.url));
const PAGE =
  '<!doctype html><meta charset="utf-8"><title>Live</title><video muted></video><script src="/hls.js"></script>';

/** Runs in the page: plays, and keeps what the player came upon. */
function watch(url: string): void {
  const video = document.querySelector('video') as HTMLVideoElement;
  const state = { errors: [] as string[], parts: 0, texts: [] as string[], lowLatency: false };
  Object.assign(window, { state, video });
  const { Hls } = window as unknown as { Hls: typeof import('hls.js').default };
  const hls = new Hls({ lowLatencyMode: true, enableWorker: false });
  hls.on(Hls.Events.ERROR, (_, { fatal, type, details }) => {
    if (fatal) state.errors.push(`${type} ${details}`);
  });
  hls.on(Hls.Events.FRAG_LOADED, (_, { part }) => {
    if (part) state.parts += 1;
  });
  hls.on(Hls.Events.LEVEL_LOADED, (_, { details }) => {
    state.lowLatency = details.canBlockReload;
  });
  hls.on(Hls.Events.FRAG_PARSING_METADATA, (_, { samples }) => {
    for (const { data } of samples) state.texts.push(new TextDecoder().decode(data));
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  hls.on(Hls.Events.MANIFEST_PARSED, () => void video.play());
}

describe.skipIf(chromiumPath === undefined)('hls.js in Chromium', () => {
  let cloud: Cloud;
  let cinema: Server;
  let page: BrowserPage;
  let channel: Awaited<ReturnType<Cloud['createChannel']>>['channel'];

  beforeAll(async () => {
    cloud = await startCloud();
    const made = await cloud.createChannel();
    channel = made.channel;
    publish(cloud, made.key.value);
    await told(cloud, channel.arn, 'Stream Start');
    cinema = createServer((request, response) => {
      if (request.url === '/') response.setHeader('content-type', 'text/html').end(PAGE);
      else if (request.url === '/hls.js')
        response.setHeader('content-type', 'text/javascript').end(readFileSync(HLS));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => cinema.listen(0, '127.0.0.1', resolve));
    page = await openBrowser(['--autoplay-policy=no-user-gesture-required']);
    await page.open(`http://127.0.0.1:${(cinema.address() as AddressInfo).port}/`);
    await page.evaluate(`(${watch})(${JSON.stringify(channel.playbackUrl)})`);
  });
  afterAll(async () => {
    await page?.close();
    cinema?.close();
    cinema?.closeAllConnections();
    await cloud?.close();
  });

  const holds = (expression: string): Promise<true> =>
    until(async () => {
      expect(await page.evaluate('state.errors')).toEqual([]);
      return (await page.evaluate(expression)) === true ? true : undefined;
    });

  it('plays a live stream part by part, near its edge', async () => {
    await holds('video.currentTime > 0 && video.videoWidth === 160');
    const from = Number(await page.evaluate('video.currentTime'));
    await holds(`video.currentTime > ${from + 3}`);
    expect(await page.evaluate('state.lowLatency')).toBe(true);
    await holds('state.parts > 3');
  });

  it('is told of timed metadata', async () => {
    await cloud.client.send(new PutMetadataCommand({ channelArn: channel.arn, metadata: 'a poll begins' }));
    await holds(`state.texts.some((text) => text.includes('a poll begins'))`);
  });

  it('goes back to the beginning of the window and plays from there', async () => {
    await holds('video.currentTime > video.seekable.start(0) + 4');
    const arrived = await page.evaluate(`new Promise((resolve) => {
      video.pause();
      video.addEventListener('seeked', () => resolve(video.currentTime), { once: true });
      video.currentTime = video.seekable.start(0);
    })`);
    expect(Number(arrived)).toBeLessThan(2);
    await page.evaluate('video.play()');
    await holds(`video.currentTime > ${Number(arrived)} + 1`);
  });
});
