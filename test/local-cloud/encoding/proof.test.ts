import { mkdirSync, readFileSync } from 'node:fs';
import { CreateJobCommand, type Job, type Output } from '@aws-sdk/client-mediaconvert';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ffmpeg, locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { type EncodePlan, prefixOf } from '../../../src/modules/videos/policy/encode-plan.ts';
import { buildJobRequest } from '../../../src/modules/videos/policy/job-settings.ts';
import { planStream } from '../../../src/modules/videos/policy/make-plan.ts';
import { encodeTarget, planPolicy } from '../../support/encode-plans.ts';
import { type BrowserPage, chromiumPath, openBrowser } from '../../support/node/chromium.ts';
import { ACCOUNT, type Cloud, REGION, startCloud } from '../mediaconvert/harness.ts';
import { audioOutput, cmafGroup, ended, ladderJob, videoOutput } from '../mediaconvert/jobs.ts';
import { decodeStrictly } from '../mediaconvert/media.ts';
import {
  attributesOf,
  concatenate,
  mediaOf,
  mediaPlaylistOf,
  pixelsOf,
  type Variant,
  variantsOf,
} from '../mediaconvert/playback.ts';
import { openCinema, type Watched } from './cinema.ts';
import { AWKWARD_FILMS, type AwkwardFilm, factsOf, makeFilm } from './films.ts';
import { brightness, codecStringOf, loudnessOf } from './measure.ts';

if (chromiumPath === undefined)
  console.warn('NOT TESTED: playback in hls.js and dash.js. Install Chromium or set CHROMIUM_PATH to one.');

/** AAC frames of 1,024 samples, with the priming of the encoder. */
const AUDIO_TOLERANCE_SECONDS = 0.09;
const TARGET_LKFS = -16;
/** A 4K ladder takes its time where other tests run beside it. */
const ENCODE_TIMEOUT_MS = 300_000;

let ffmpeg: Ffmpeg;
let cloud: Cloud;
let cinema: Awaited<ReturnType<typeof openCinema>>;
let page: BrowserPage | undefined;

beforeAll(async () => {
  ffmpeg = await locateFfmpeg();
  cloud = await startCloud({ ffmpeg });
  mkdirSync(cloud.store.path('raw', 'originals'));
  cinema = await openCinema(cloud.store, 'vod');
  if (chromiumPath === undefined) return;
  page = await openBrowser(['--autoplay-policy=no-user-gesture-required']);
  await page.open(cinema.url);
});
afterAll(async () => {
  await page?.close();
  cinema?.close();
  await cloud?.close();
});

const target = {
  ...encodeTarget,
  roleArn: `arn:aws:iam::${ACCOUNT}:role/MediaConvertRole`,
  queueArn: `arn:aws:mediaconvert:${REGION}:${ACCOUNT}:queues/Default`,
  uploadsBucket: 'raw',
  recordingsBucket: 'live',
  mediaBucket: 'vod',
};

const planOf = (film: AwkwardFilm, index: number): EncodePlan =>
  planStream(
    {
      videoId: `01964d2e-6d30-7c3a-8d2f-00000000000${index}`,
      revision: 1,
      sourceKey: `originals/${film.file}`,
      facts: factsOf(film),
    },
    planPolicy,
  );

describe.each(AWKWARD_FILMS.map((film, index) => ({ ...film, plan: planOf(film, index) })))(
  'a film that is $name',
  (film) => {
    const { plan } = film;
    const prefix = prefixOf(plan);
    let job: Job;
    let master: string;
    let mpd: string;
    let variants: Variant[];

    beforeAll(async () => {
      await makeFilm(ffmpeg, film, cloud.store.path('raw', plan.sourceKey));
      const request = buildJobRequest(plan, { ...target, jobId: plan.videoId });
      const created = await cloud.client.send(new CreateJobCommand(request));
      job = await ended(cloud, created.Job?.Id);
      expect(job.ErrorMessage).toBeUndefined();
      master = cloud.store.text('vod', `${prefix}video.m3u8`);
      mpd = cloud.store.text('vod', `${prefix}video.mpd`);
      variants = variantsOf(master);
    }, ENCODE_TIMEOUT_MS);

    const object = (name: string): Buffer => readFileSync(cloud.store.path('vod', prefix + name));
    const initOf = (playlist: string): Buffer =>
      object(mediaPlaylistOf(cloud.store.text('vod', prefix + playlist)).init ?? '');
    const soundUri = (): string => mediaOf(master, 'AUDIO')[0]?.URI ?? 'video_audio.m3u8';
    const sizes = plan.rungs.map(({ width, height }) => `${width}x${height}`);

    it('is done without a warning, and its event tells the size and length of every output', () => {
      expect(job).toMatchObject({ Status: 'COMPLETE', Warnings: [] });
      const detail = cloud.events.find(
        (event) => event.detail.jobId === job.Id && event.detail.status === 'COMPLETE',
      )?.detail as { outputGroupDetails: { outputDetails: Record<string, unknown>[] }[] };
      const told = detail.outputGroupDetails[0]?.outputDetails ?? [];
      expect(told).toHaveLength(plan.rungs.length + (film.sound ? 1 : 0));
      expect(told.slice(0, plan.rungs.length)).toMatchObject(
        plan.rungs.map(({ width, height }) => ({ videoDetails: { widthInPx: width, heightInPx: height } })),
      );
      for (const { durationInMs } of told) {
        expect(Math.abs(Number(durationInMs) - film.seconds * 1000)).toBeLessThan(120);
      }
    });

    it('has every size of its ladder, upright and never enlarged, that decodes without an error', async () => {
      if (film.picture) expect(variants.map(({ attributes }) => attributes.RESOLUTION)).toEqual(sizes);
      for (const { uri, attributes } of film.picture ? variants : []) {
        const path = concatenate(cloud.store, 'vod', prefix, uri);
        const video = (await ffmpeg.probe(path)).streams.find((stream) => stream.kind === 'video');
        expect(`${video?.width}x${video?.height}`).toBe(attributes.RESOLUTION);
        expect(video).toMatchObject({ pixelFormat: 'yuv420p', rotationDegrees: 0 });
        const { frames } = await decodeStrictly(ffmpeg, path);
        if (film.outputRate) expect(Math.abs(frames - film.seconds * film.outputRate)).toBeLessThanOrEqual(1);
        else expect(frames).toBeGreaterThan(10);
      }
      if (!film.sound) return;
      const sound = await decodeStrictly(ffmpeg, concatenate(cloud.store, 'vod', prefix, soundUri()));
      expect(Math.abs(sound.seconds - film.seconds)).toBeLessThan(AUDIO_TOLERANCE_SECONDS);
    });

    it('lasts as long as its source in every playlist and in the DASH manifest', () => {
      for (const uri of [...variants.map((variant) => variant.uri), ...(film.sound ? [soundUri()] : [])]) {
        const { segments } = mediaPlaylistOf(cloud.store.text('vod', prefix + uri));
        const seconds = segments.reduce((sum, segment) => sum + segment.seconds, 0);
        const frame = uri.includes('audio') ? AUDIO_TOLERANCE_SECONDS : 1 / (film.outputRate ?? 10);
        expect(Math.abs(seconds - film.seconds)).toBeLessThanOrEqual(frame + 0.001);
      }
      const [, declared] = /mediaPresentationDuration="PT([\d.]+)S"/.exec(mpd) ?? [];
      expect(Math.abs(Number(declared) - film.seconds)).toBeLessThan(AUDIO_TOLERANCE_SECONDS + 0.02);
    });

    it('declares in both manifests the codecs that its initialization segments hold', () => {
      const sound = film.sound ? [codecStringOf(initOf(soundUri()))] : [];
      expect(sound).toEqual(film.sound ? ['mp4a.40.2'] : []);
      for (const { uri, attributes } of film.picture ? variants : []) {
        const codec = codecStringOf(initOf(uri));
        expect(attributes.CODECS).toBe([codec, ...sound].join(','));
        const [width, height] = (attributes.RESOLUTION ?? '').split('x');
        expect(mpd).toMatch(
          new RegExp(
            `<Representation id="video\\d+" codecs="${codec}" bandwidth="\\d+" width="${width}" height="${height}"`,
          ),
        );
      }
      if (!film.picture) expect(variants.map(({ attributes }) => attributes.CODECS)).toEqual(sound);
      if (film.sound) expect(mpd).toMatch(/<Representation id="audio\d+" codecs="mp4a.40.2"/);
    });

    it.runIf(film.sound)('is as loud as every other film, with no peak over full scale', async () => {
      const source = await loudnessOf(ffmpeg, cloud.store.path('raw', plan.sourceKey));
      const made = await loudnessOf(ffmpeg, concatenate(cloud.store, 'vod', prefix, soundUri()));
      console.info(
        `${film.file}: ${source.integratedLkfs} -> ${made.integratedLkfs} LKFS, peak ${made.truePeakDb} dB`,
      );
      expect(Math.abs(made.integratedLkfs - TARGET_LKFS)).toBeLessThanOrEqual(1);
      expect(made.truePeakDb).toBeLessThan(0);
    });

    it.runIf(film.picture)('has five stills, and scrub pictures for all of its length', async () => {
      const stills = cloud.store.keys('vod').filter((key) => key.startsWith(`${prefix}thumbnails/`));
      expect(stills).toHaveLength(5);
      const last = cloud.events.find(({ detail }) => detail.jobId === job.Id && detail.status === 'COMPLETE');
      expect(JSON.stringify(last?.detail)).toContain(`"s3://vod/${stills[4]}"`);

      const image = master.split('\n').find((line) => line.startsWith('#EXT-X-IMAGE-STREAM-INF:'));
      const playlist = cloud.store.text('vod', prefix + (attributesOf(image ?? '').URI ?? ''));
      const tiles = attributesOf(playlist.split('\n').find((line) => line.startsWith('#EXT-X-TILES:')) ?? '');
      const [width = 0, height = 0] = (tiles.RESOLUTION ?? '').split('x').map(Number);
      const [columns = 0, rows = 0] = (tiles.LAYOUT ?? '').split('x').map(Number);
      const every = Number(tiles.DURATION);
      const { segments: sheets } = mediaPlaylistOf(playlist);
      expect(sheets.reduce((sum, { seconds }) => sum + seconds, 0)).toBeCloseTo(film.seconds, 1);
      for (let at = 0; at < film.seconds - 0.001; at += every) {
        const index = Math.round(at / every);
        const sheet = sheets[Math.floor(index / (columns * rows))];
        const cell = index % (columns * rows);
        const part = { x: (cell % columns) * width, y: Math.floor(cell / columns) * height, width, height };
        const rgb = await pixelsOf(ffmpeg, cloud.store.path('vod', prefix + sheet?.uri));
        expect(rgb).toHaveLength(width * columns * height * rows * 3);
        expect(brightness(rgb, width * columns, part)).toBeGreaterThan(40);
      }
    });

    it.skipIf(chromiumPath === undefined).each([
      ['hls.js', 'playHls', 'video.m3u8'],
      ['dash.js', 'playDash', 'video.mpd'],
    ])(
      'plays to its end in %s, and changes its quality on the way if it has several',
      async (player, play, manifest) => {
        const from = sizes[0];
        // The browser decodes in software: the largest picture it is asked for is 1080p.
        const largest = plan.rungs.findLast(({ width, height }) => Math.min(width, height) <= 1080);
        const to = largest && plan.rungs.length > 1 ? `${largest.width}x${largest.height}` : undefined;
        const wanted = JSON.stringify({ from, to, picture: film.picture !== undefined });
        const url = `${cinema.url}${prefix}${manifest}`;
        const watched = (await page?.evaluate(`${play}(${JSON.stringify(url)}, ${wanted})`)) as Watched;
        console.info(`${film.file} in ${player}: first frame ${watched.firstFrameMs} ms`);
        if (film.picture) expect(watched.first).toBe(from);
        if (to !== undefined) expect(watched.last).toBe(to);
        expect(Math.abs(watched.seconds - film.seconds)).toBeLessThan(0.15);
      },
    );
  },
);

describe.skipIf(chromiumPath === undefined)('captions in the stream', () => {
  it.each([
    ['hls.js', 'playHls', 'video.m3u8'],
    ['dash.js', 'playDash', 'video.mpd'],
  ])('are offered by %s in every language', async (_, play, manifest) => {
    const prefix = `captions/${play}/`;
    const [film] = AWKWARD_FILMS;
    if (!film) return;
    await makeFilm(ffmpeg, film, cloud.store.path('raw', film.file));
    cloud.store.put('raw', 'words.vtt', 'WEBVTT\n\n00:00.000 --> 00:02.000\nHello\n');
    const group = cmafGroup(`s3://vod/${prefix}video`, [
      videoOutput('_v', 320, 320),
      audioOutput(),
      ...(['ENG', 'FRA'] as const).map(
        (language): Output => ({
          NameModifier: `_${language.toLowerCase()}`,
          ContainerSettings: { Container: 'CMFC' },
          CaptionDescriptions: [
            {
              CaptionSelectorName: 'words',
              LanguageCode: language,
              DestinationSettings: { DestinationType: 'WEBVTT' },
            },
          ],
        }),
      ),
    ]);
    const source = {
      SourceType: 'WEBVTT' as const,
      FileSourceSettings: { SourceFile: 's3://raw/words.vtt' },
    };
    const input = {
      FileInput: `s3://raw/${film.file}`,
      CaptionSelectors: { words: { SourceSettings: source } },
    };
    const created = await cloud.client.send(new CreateJobCommand(ladderJob(input, [group])));
    expect((await ended(cloud, created.Job?.Id)).Status).toBe('COMPLETE');
    const url = `${cinema.url}${prefix}${manifest}`;
    const watched = (await page?.evaluate(`${play}(${JSON.stringify(url)}, { picture: true })`)) as Watched;
    expect(watched.texts).toEqual(['en', 'fr']);
  });
});
