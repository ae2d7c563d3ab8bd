import { mkdirSync, readFileSync } from 'node:fs';
import { CreateJobCommand, type CreateJobCommandInput, type Job } from '@aws-sdk/client-mediaconvert';
import { ALL_FORMATS, FilePathSource, Input as MediaInput } from 'mediabunny';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ffmpeg, locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { type Cloud, startCloud } from './harness.ts';
import { finished, ladderJob } from './jobs.ts';
import { decodeStrictly, makeClip } from './media.ts';
import { concatenate, mediaOf, mediaPlaylistOf, variantsOf } from './playback.ts';

let ffmpeg: Ffmpeg;
let cloud: Cloud;

beforeAll(async () => {
  ffmpeg = await locateFfmpeg();
  cloud = await startCloud({ ffmpeg });
  mkdirSync(cloud.store.path('raw', 'uploads'));
  await makeClip(ffmpeg, cloud.store.path('raw', 'uploads/film.mp4'), { seconds: 5 });
});
afterAll(() => cloud.close());

async function run(input: CreateJobCommandInput): Promise<Job> {
  const { Job: job } = await cloud.client.send(new CreateJobCommand(input));
  return finished(cloud, job?.Id);
}

async function sizeOf(path: string): Promise<string> {
  const probe = await ffmpeg.probe(path);
  const video = probe.streams.find((stream) => stream.kind === 'video');
  return `${video?.width}x${video?.height}`;
}

describe('an adaptive ladder', () => {
  let job: Job;
  const prefix = 'vid_1/v1/';
  beforeAll(async () => {
    job = await run(ladderJob());
  });
  const master = (): string => cloud.store.text('vod', `${prefix}film.m3u8`);

  it('completes with the details of every output', () => {
    expect(job.Status).toBe('COMPLETE');
    expect(job.JobPercentComplete).toBe(100);
    expect(job.AccelerationStatus).toBe('ACCELERATED');
    const [abr, thumbs] = job.OutputGroupDetails ?? [];
    expect(abr?.OutputDetails?.map((detail) => detail.VideoDetails)).toEqual([
      { WidthInPx: 320, HeightInPx: 180 },
      { WidthInPx: 160, HeightInPx: 90 },
      undefined,
    ]);
    for (const detail of abr?.OutputDetails ?? []) expect(detail.DurationInMs).toBeCloseTo(5000, -2);
    expect(thumbs?.OutputDetails).toHaveLength(1);
  });

  it('has renditions that decode without an error at the size and length the manifest declares', async () => {
    const variants = variantsOf(master());
    expect(variants.map((variant) => variant.attributes.RESOLUTION)).toEqual(['320x180', '160x90']);
    for (const { uri, attributes } of variants) {
      const path = concatenate(cloud.store, 'vod', prefix, uri);
      expect(await sizeOf(path)).toBe(attributes.RESOLUTION);
      expect((await decodeStrictly(ffmpeg, path)).frames).toBe(125);
      expect(attributes.CODECS).toMatch(/^avc1\.[0-9a-f]{6},mp4a\.40\.2$/);
      expect(Number(attributes.BANDWIDTH)).toBeGreaterThanOrEqual(Number(attributes['AVERAGE-BANDWIDTH']));
      expect(attributes['FRAME-RATE']).toBe('25.000');
    }
    const [audio] = mediaOf(master(), 'AUDIO');
    expect(audio).toMatchObject({
      'GROUP-ID': 'program_audio',
      DEFAULT: 'YES',
      CHANNELS: '2',
      URI: 'film_aud.m3u8',
    });
    const sound = await decodeStrictly(ffmpeg, concatenate(cloud.store, 'vod', prefix, audio?.URI ?? ''));
    expect(sound.seconds).toBeCloseTo(5, 1);
  });

  it('declares the codecs that another reader finds in the segments', async () => {
    for (const { uri, attributes } of variantsOf(master())) {
      const path = concatenate(cloud.store, 'vod', prefix, uri);
      const input = new MediaInput({ source: new FilePathSource(path), formats: ALL_FORMATS });
      const track = await input.getPrimaryVideoTrack();
      expect((await track?.getCodecParameterString())?.toLowerCase()).toBe(attributes.CODECS?.split(',')[0]);
      expect(await track?.computeDuration()).toBeCloseTo(5, 2);
      input.dispose();
    }
  });

  it('cuts every rendition at the same times, into segments of the requested length', () => {
    const cuts = variantsOf(master()).map(({ uri }) =>
      mediaPlaylistOf(cloud.store.text('vod', prefix + uri)).segments.map((segment) => segment.seconds),
    );
    expect(cuts).toEqual([
      [2, 2, 1],
      [2, 2, 1],
    ]);
    const audio = mediaPlaylistOf(cloud.store.text('vod', `${prefix}film_aud.m3u8`)).segments;
    expect(audio).toHaveLength(3);
    expect(audio[0]?.seconds).toBeCloseTo(2, 1);
  });

  it('names files as MediaConvert does and stores them with their media types', () => {
    expect(cloud.store.keys('vod').filter((key) => key.startsWith(`${prefix}film_180`))).toEqual([
      `${prefix}film_180.m3u8`,
      `${prefix}film_180_000000001.cmfv`,
      `${prefix}film_180_000000002.cmfv`,
      `${prefix}film_180_000000003.cmfv`,
      `${prefix}film_180init.cmfv`,
    ]);
    expect(cloud.store.types.get(`${prefix}film.m3u8`)).toBe('application/vnd.apple.mpegurl');
    expect(cloud.store.types.get(`${prefix}film.mpd`)).toBe('application/dash+xml');
    expect(cloud.store.types.get(`${prefix}film_180init.cmfv`)).toBe('video/mp4');
    expect(cloud.store.types.get(`${prefix}film_aud_000000001.cmfa`)).toBe('audio/mp4');
  });

  it('plays through both manifests with an independent reader', async () => {
    const hls = await decodeStrictly(ffmpeg, cloud.store.path('vod', `${prefix}film.m3u8`));
    const dash = await decodeStrictly(ffmpeg, cloud.store.path('vod', `${prefix}film.mpd`));
    expect(hls.frames).toBe(125);
    expect(dash.frames).toBe(125);
  });

  it('describes the same segments in the DASH manifest', () => {
    const mpd = cloud.store.text('vod', `${prefix}film.mpd`);
    expect(mpd).toContain('width="320" height="180" sar="1:1" frameRate="25"');
    expect(mpd).toContain('initialization="film_180init.cmfv" media="film_180_$Number%09d$.cmfv"');
    expect(mpd.match(/<Representation /g)).toHaveLength(3);
    expect(mpd.match(/<AdaptationSet /g)).toHaveLength(2);
    expect(mpd).toContain('<S t="0" d="25600" r="1"/>');
  });

  it('has several fragments in a segment, as the fragment length asks', () => {
    const segment = readFileSync(cloud.store.path('vod', `${prefix}film_180_000000001.cmfv`));
    expect(segment.toString('latin1').split('moof').length - 1).toBe(2);
  });

  it('captures five different JPEG thumbnails', () => {
    const keys = cloud.store.keys('vod').filter((key) => key.startsWith(`${prefix}thumbs/`));
    expect(keys).toEqual([0, 1, 2, 3, 4].map((index) => `${prefix}thumbs/t.000000${index}.jpg`));
    const pictures = keys.map((key) => readFileSync(cloud.store.path('vod', key)));
    for (const picture of pictures) expect(picture.subarray(0, 3).toString('hex')).toBe('ffd8ff');
    expect(new Set(pictures.map((picture) => picture.toString('base64'))).size).toBe(5);
  });
});
