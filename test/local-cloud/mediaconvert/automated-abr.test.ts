import { mkdirSync } from 'node:fs';
import {
  CreateJobCommand,
  type CreateJobCommandInput,
  type Output,
  type OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ffmpeg, locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { chooseRenditions } from '../../../local-cloud/mediaconvert/transcode/automated-abr.ts';
import { type Cloud, startCloud } from './harness.ts';
import { audioOutput, cmafGroup, ended, ladderJob, videoOutput } from './jobs.ts';
import { decodeStrictly, makeClip } from './media.ts';
import { concatenate, variantsOf } from './playback.ts';

let ffmpeg: Ffmpeg;
let cloud: Cloud;

beforeAll(async () => {
  ffmpeg = await locateFfmpeg();
  cloud = await startCloud({ ffmpeg });
  mkdirSync(cloud.store.path('raw', 'uploads'));
  await makeClip(ffmpeg, cloud.store.path('raw', 'uploads/film.mp4'), { seconds: 1, size: '854x480' });
});
afterAll(() => cloud.close());

/** The base output that MediaConvert derives renditions from. */
function baseOutput(h264: Record<string, unknown> = {}, description: Record<string, unknown> = {}): Output {
  return {
    NameModifier: '_video',
    ContainerSettings: { Container: 'CMFC' },
    VideoDescription: {
      CodecSettings: {
        Codec: 'H_264',
        H264Settings: {
          RateControlMode: 'QVBR',
          QualityTuningLevel: 'MULTI_PASS_HQ',
          GopSize: 1,
          GopSizeUnits: 'SECONDS',
          FramerateControl: 'INITIALIZE_FROM_SOURCE',
          ...h264,
        },
      },
      ...description,
    },
  };
}

function automatedGroup(
  abrSettings: Record<string, unknown>,
  outputs: Output[] = [baseOutput(), audioOutput()],
): OutputGroup {
  return {
    ...cmafGroup('s3://vod/auto/', outputs),
    AutomatedEncodingSettings: { AbrSettings: abrSettings },
  };
}

const create = async (input: CreateJobCommandInput) =>
  (await cloud.client.send(new CreateJobCommand(input))).Job;

describe('a job with automated ABR', () => {
  it('gets a stack of renditions, none above the source, and tells of each when it is done', async () => {
    const group = automatedGroup({ MaxRenditions: 3, MinAbrBitrate: 200_000, MaxAbrBitrate: 1_000_000 });
    const job = await ended(cloud, (await create(ladderJob({}, [group])))?.Id);
    expect(job.Status).toBe('COMPLETE');
    const told = job.OutputGroupDetails?.[0]?.OutputDetails?.flatMap(
      ({ VideoDetails }) => VideoDetails ?? [],
    );
    expect(told?.[0]).toEqual({ WidthInPx: 854, HeightInPx: 480 });
    expect(told).toHaveLength(3);
    const variants = variantsOf(cloud.store.text('vod', 'auto/film.m3u8'));
    expect(variants.map(({ attributes }) => attributes.RESOLUTION)).toEqual(
      told?.map(({ WidthInPx, HeightInPx }) => `${WidthInPx}x${HeightInPx}`),
    );
    expect(new Set(variants.map(({ uri }) => uri)).size).toBe(3);
    for (const { uri } of variants) {
      expect((await decodeStrictly(ffmpeg, concatenate(cloud.store, 'vod', 'auto/', uri))).frames).toBe(25);
    }
  });

  it.each<[string, OutputGroup[], string]>([
    [
      'of a rate control other than QVBR',
      [automatedGroup({}, [baseOutput({ RateControlMode: 'VBR', Bitrate: 1_000_000 })])],
      'needs QVBR',
    ],
    [
      'of a single pass',
      [automatedGroup({}, [baseOutput({ QualityTuningLevel: 'SINGLE_PASS_HQ' })])],
      'needs MULTI_PASS_HQ',
    ],
    [
      'of a base that is not to be enlarged',
      [automatedGroup({}, [baseOutput({}, { ScalingBehavior: 'FIT_NO_UPSCALE' })])],
      'FIT_NO_UPSCALE',
    ],
    [
      'of two bases',
      [automatedGroup({}, [baseOutput(), { ...baseOutput(), NameModifier: '_b' }])],
      'exactly one video output',
    ],
    [
      'beside a ladder',
      [automatedGroup({}), cmafGroup('s3://vod/b/', [videoOutput('_v', 320, 180)])],
      'or none',
    ],
    ['of too few renditions', [automatedGroup({ MaxRenditions: 2 })], 'maxRenditions'],
    [
      'of limits the wrong way round',
      [automatedGroup({ MinAbrBitrate: 2_000_000, MaxAbrBitrate: 1_000_000 })],
      'must not exceed maxAbrBitrate',
    ],
    [
      'with rules that exclude each other',
      [
        automatedGroup({
          Rules: [
            { Type: 'ALLOWED_RENDITIONS', AllowedRenditions: [{ Width: 640, Height: 360 }] },
            { Type: 'FORCE_INCLUDE_RENDITIONS', ForceIncludeRenditions: [{ Width: 640, Height: 360 }] },
          ],
        }),
      ],
      'exclude each other',
    ],
  ])('%s is refused', async (_, groups, message) => {
    await expect(create(ladderJob({}, groups))).rejects.toMatchObject({
      name: 'BadRequestException',
      message: expect.stringContaining(message),
    });
  });
});

describe('the choice of renditions', () => {
  const full = (width: number, height: number) => ({ width, height });

  it('starts from the source and goes down as far as the least bit rate allows', () => {
    const sizes = chooseRenditions({}, full(1920, 1080), full(1920, 1080), 30).map(
      ({ width, height }) => `${width}x${height}`,
    );
    expect(sizes).toEqual(['1920x1080', '1280x720', '960x540', '768x432', '640x360', '512x288', '426x240']);
  });

  it('follows the rules', () => {
    const chosen = (rules: Parameters<typeof chooseRenditions>[0]['rules']) =>
      chooseRenditions({ rules }, full(1920, 1080), full(1920, 1080), 30).map(({ height }) => height);
    expect(chosen([{ type: 'MIN_BOTTOM_RENDITION_SIZE', minBottomRenditionSize: full(960, 540) }])).toEqual([
      1080, 720, 540,
    ]);
    expect(
      chosen([{ type: 'FORCE_INCLUDE_RENDITIONS', forceIncludeRenditions: [full(426, 240)] }]),
    ).toContain(240);
    expect(
      chosen([
        {
          type: 'ALLOWED_RENDITIONS',
          allowedRenditions: [full(1280, 720), full(640, 360), full(3840, 2160)],
        },
      ]),
    ).toEqual([720, 360]);
  });

  it('never enlarges, never exceeds a limit, keeps the shape and goes downwards, whatever the source', () => {
    const side = fc.integer({ min: 32, max: 4096 });
    fc.assert(
      fc.property(
        side,
        side,
        fc.constantFrom(15, 24, 25, 30, 50, 60, 120),
        fc.integer({ min: 3, max: 15 }),
        fc.integer({ min: 100_000, max: 2_000_000 }),
        (width, height, rate, maxRenditions, minAbrBitrate) => {
          const settings = { maxRenditions, minAbrBitrate, maxAbrBitrate: 6_000_000 };
          const chosen = chooseRenditions(settings, { width, height }, { width, height }, rate);
          expect(chosen.length).toBeGreaterThan(0);
          expect(chosen.length).toBeLessThanOrEqual(maxRenditions);
          chosen.forEach((rendition, index) => {
            expect(rendition.width).toBeLessThanOrEqual(width);
            expect(rendition.height).toBeLessThanOrEqual(height);
            expect((rendition.width % 2) + (rendition.height % 2)).toBe(0);
            expect(rendition.maxBitrate).toBeGreaterThanOrEqual(minAbrBitrate);
            expect(rendition.maxBitrate).toBeLessThanOrEqual(6_000_000);
            const larger = chosen[index - 1];
            if (larger) expect(larger.maxBitrate).toBeGreaterThanOrEqual(rendition.maxBitrate);
            const scale = rendition.height / height;
            expect(Math.abs(rendition.width - width * scale)).toBeLessThanOrEqual(2 + (2 * width) / height);
          });
        },
      ),
    );
  });
});
