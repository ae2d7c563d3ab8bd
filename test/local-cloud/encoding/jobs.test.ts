import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CreateJobCommand, type Job } from '@aws-sdk/client-mediaconvert';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ffmpeg, locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import {
  downloadKey,
  type EncodePlan,
  prefixOf,
  previewKey,
} from '../../../src/modules/videos/policy/encode-plan.ts';
import { buildJobRequest } from '../../../src/modules/videos/policy/job-settings.ts';
import { type PlanRequest, planStream } from '../../../src/modules/videos/policy/make-plan.ts';
import { planDownload, planPreview } from '../../../src/modules/videos/policy/plan-pictures.ts';
import { encodeTarget, planPolicy } from '../../support/encode-plans.ts';
import { ACCOUNT, type Cloud, REGION, startCloud } from '../mediaconvert/harness.ts';
import { ended } from '../mediaconvert/jobs.ts';
import { decodeStrictly, makeClip } from '../mediaconvert/media.ts';
import { concatenate, difference, frameAt, pixelsOf, variantsOf } from '../mediaconvert/playback.ts';
import { brightness } from './measure.ts';

const SECONDS = 5;
const SOURCE = 'originals/film.mp4';

let ffmpeg: Ffmpeg;
let cloud: Cloud;
let plain: string;

beforeAll(async () => {
  ffmpeg = await locateFfmpeg();
  cloud = await startCloud({ ffmpeg });
  mkdirSync(cloud.store.path('raw', 'originals'));
  await makeClip(ffmpeg, cloud.store.path('raw', SOURCE), { seconds: SECONDS, size: '640x480' });
  cloud.store.put('vod', 'captions/en.vtt', 'WEBVTT\n\n00:00.000 --> 00:02.000\nHello there\n');
  cloud.store.put('raw', 'watermarks/logo.png', '');
  const logo = cloud.store.path('raw', 'watermarks/logo.png');
  await ffmpeg.run(['-f', 'lavfi', '-i', 'color=white:size=80x40:duration=1', '-frames:v', '1', logo], {
    cwd: dirname(logo),
  });
  await run(planOf(0));
  plain = smallest(planOf(0));
});
afterAll(() => cloud?.close());

function planOf(video: number, extras: Partial<PlanRequest> = {}, policy = planPolicy): EncodePlan {
  return planStream(
    {
      videoId: `01964d2e-6d30-7c3a-8d2f-00000000010${video}`,
      revision: 1,
      sourceKey: SOURCE,
      facts: {
        durationMs: SECONDS * 1000,
        picture: { width: 640, height: 480, frameRate: 25, codec: null, colour: 'plain' },
        sound: { codec: null },
      },
      ...extras,
    },
    policy,
  );
}

async function run(plan: EncodePlan): Promise<Job> {
  const request = buildJobRequest(plan, {
    ...encodeTarget,
    jobId: `${plan.videoId}-${plan.kind}`,
    roleArn: `arn:aws:iam::${ACCOUNT}:role/MediaConvertRole`,
    queueArn: `arn:aws:mediaconvert:${REGION}:${ACCOUNT}:queues/Default`,
    uploadsBucket: 'raw',
    recordingsBucket: 'live',
    mediaBucket: 'vod',
  });
  const created = await cloud.client.send(new CreateJobCommand(request));
  const job = await ended(cloud, created.Job?.Id);
  expect(job).toMatchObject({ Status: 'COMPLETE', Warnings: [] });
  return job;
}

/** The smallest size of a stream as one file. */
const smallest = (plan: EncodePlan): string =>
  concatenate(
    cloud.store,
    'vod',
    prefixOf(plan),
    variantsOf(cloud.store.text('vod', `${prefixOf(plan)}video.m3u8`)).at(0)?.uri ?? '',
  );

/** The first picture a job wrote under a name that begins so. */
const still = (plan: EncodePlan, name: string): string => {
  const start = `${prefixOf(plan)}${name}`;
  const key = cloud.store.keys('vod').find((found) => found.startsWith(start) && found.endsWith('.jpg'));
  return cloud.store.path('vod', key ?? start);
};

describe('what we ask MediaConvert for is what comes out:', () => {
  it('a moving preview, a few seconds from all over the film', async () => {
    const plan = planPreview(planOf(1));
    if (!plan) throw new Error('no preview');
    await run(plan);
    const path = cloud.store.path('vod', previewKey(plan));
    const bytes = readFileSync(path);
    expect(bytes.toString('latin1', 0, 6)).toBe('GIF89a');
    expect([bytes.readUInt16LE(6), bytes.readUInt16LE(8)]).toEqual([
      plan.rungs[0]?.width,
      plan.rungs[0]?.height,
    ]);
    const { frames } = await decodeStrictly(ffmpeg, path);
    expect(Math.abs(frames - (plan.durationMs / 1000) * 8)).toBeLessThanOrEqual(3);
  });

  it('a file to keep, with its index in front, as loud as the stream', async () => {
    const plan = planDownload(planOf(2));
    await run(plan);
    const path = cloud.store.path('vod', downloadKey(plan));
    const head = readFileSync(path).toString('latin1');
    expect(head.indexOf('moov')).toBeLessThan(head.indexOf('mdat'));
    expect((await decodeStrictly(ffmpeg, path)).frames).toBe(SECONDS * 25);
    expect((await ffmpeg.probe(path)).streams).toMatchObject([
      { codec: 'h264', height: 480 },
      { codec: 'aac' },
    ]);
  });

  it('a clip, frame by frame', async () => {
    const plan = planOf(3, { clip: { startMs: 1_000, endMs: 3_000 } });
    await run(plan);
    const clip = smallest(plan);
    expect((await decodeStrictly(ffmpeg, clip)).frames).toBe(50);
    const [width = 0, height = 0] = [plan.rungs[0]?.width, plan.rungs[0]?.height];
    const [first, same] = [await frameAt(ffmpeg, clip, 0.5), await frameAt(ffmpeg, plain, 1.5)];
    expect(difference(first, same, width, 0, height)).toBeLessThan(4);
  });

  it('captions drawn into the picture, and a watermark in its corner', async () => {
    const plan = planOf(4, {
      burnIn: { language: 'en', key: 'captions/en.vtt' },
      watermark: {
        key: 'watermarks/logo.png',
        width: 80,
        height: 40,
        corner: 'top_right',
        opacityPercent: 100,
        widthPercent: 20,
      },
    });
    await run(plan);
    const [width = 0, height = 0] = [plan.rungs[0]?.width, plan.rungs[0]?.height];
    const drawn = smallest(plan);
    const [with1, without1] = [await frameAt(ffmpeg, drawn, 1), await frameAt(ffmpeg, plain, 1)];
    const rows = [Math.floor(height * 0.75), height] as const;
    expect(difference(with1, without1, width, ...rows)).toBeGreaterThan(4);
    const [with3, without3] = [await frameAt(ffmpeg, drawn, 3), await frameAt(ffmpeg, plain, 3)];
    expect(difference(with3, without3, width, ...rows)).toBeLessThan(2);
    const scale = width / 640;
    const { x = 0, y = 0, width: markWidth = 0, height: markHeight = 0 } = plan.watermark ?? {};
    const mark = {
      x: Math.ceil((x + 4) * scale),
      y: Math.ceil((y + 4) * scale),
      width: Math.floor((markWidth - 8) * scale),
      height: Math.floor((markHeight - 8) * scale),
    };
    expect(brightness(with3, width, mark)).toBeGreaterThan(240);
  });

  it.each([
    // Code values of 203 and 1,000 cd/m² (ITU-R BT.2408, BT.2100), and how bright of 255 the first is to be at least.
    { colour: 'pq', transfer: 'smpte2084', grey: 0.58, bright: 0.75, least: 180 },
    { colour: 'hlg', transfer: 'arib-std-b67', grey: 0.75, bright: 1, least: 120 },
  ] as const)('a $colour film in BT.709, as bright as it is meant', async (film) => {
    const name = `originals/${film.colour}.mp4`;
    const path = cloud.store.path('raw', name);
    const level = (share: number) => Math.round(64 + 876 * share);
    // Black, diffuse white and a highlight, each a third of the picture.
    const bands = `lum='if(lt(X,W/3),64,if(lt(X,2*W/3),${level(film.grey)},${level(film.bright)}))':cb=512:cr=512`;
    await ffmpeg.run(
      [
        ...['-f', 'lavfi', '-i', 'color=black:size=624x480:rate=25:duration=2,format=yuv420p10le'],
        ...['-vf', `geq=${bands}`, '-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1'],
        ...['-color_primaries', 'bt2020', '-color_trc', film.transfer, '-colorspace', 'bt2020nc'],
        '-x265-params',
        `log-level=error:colorprim=bt2020:transfer=${film.transfer}:colormatrix=bt2020nc`,
        path,
      ],
      { cwd: dirname(path) },
    );
    const picture = { width: 624, height: 480, frameRate: 25, codec: null, colour: film.colour };
    const plan = planOf(film.colour === 'pq' ? 6 : 7, {
      sourceKey: name,
      facts: { durationMs: 2_000, picture, sound: undefined },
    });
    await run(plan);
    const [stream] = (await ffmpeg.probe(smallest(plan))).streams;
    expect(stream).toMatchObject({
      pixelFormat: 'yuv420p',
      dynamicRange: 'standard',
      colors: { matrix: 'bt709', primaries: 'bt709', transfer: 'bt709' },
    });
    const [width = 0, height = 0] = [plan.rungs[0]?.width, plan.rungs[0]?.height];
    const { storyboard } = plan;
    const sheet = { width: 0, height: 0, ...storyboard };
    const pictures = [
      { rgb: await frameAt(ffmpeg, smallest(plan), 1), width, height, row: width },
      { rgb: await pixelsOf(ffmpeg, still(plan, 'thumbnails/')), width: 624, height: 480, row: 624 },
      { rgb: await pixelsOf(ffmpeg, still(plan, 'video_tiles')), ...sheet, row: 5 * sheet.width },
    ];
    for (const picture of pictures) {
      const third = Math.floor(picture.width / 3);
      const [black = 0, white = 0, highlight = 0] = [0, 1, 2].map((band) =>
        brightness(picture.rgb, picture.row, {
          x: band * third + 8,
          y: 8,
          width: third - 16,
          height: picture.height - 16,
        }),
      );
      expect(black).toBeLessThan(4);
      expect(white).toBeGreaterThan(film.least);
      expect(white).toBeLessThan(highlight - 10);
      // Unmapped, a highlight of PQ would be a grey of 190.
      expect(highlight).toBeGreaterThan(235);
    }
  });

  it('sizes that MediaConvert chooses itself, told when it is done', async () => {
    const policy = { ...planPolicy, encodeMode: 'automated_abr' as const };
    const plan = planOf(5, {}, policy);
    expect(plan.mode).toBe('automated_abr');
    const job = await run(plan);
    const told = (job.OutputGroupDetails?.[0]?.OutputDetails ?? []).flatMap(
      ({ VideoDetails }) => VideoDetails ?? [],
    );
    const sizes = variantsOf(cloud.store.text('vod', `${prefixOf(plan)}video.m3u8`)).map(
      ({ attributes }) => attributes.RESOLUTION,
    );
    expect(told.map(({ WidthInPx, HeightInPx }) => `${WidthInPx}x${HeightInPx}`)).toEqual(sizes);
    expect(sizes[0]).toBe('640x480');
  });
});
