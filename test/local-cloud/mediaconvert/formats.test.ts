import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import {
  CreateJobCommand,
  type CreateJobCommandInput,
  GetJobCommand,
  type Job,
  type Output,
  type OutputGroup,
} from '@aws-sdk/client-mediaconvert';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ffmpeg, locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { newDirectory } from './directories.ts';
import { type Cloud, startCloud } from './harness.ts';
import { audioOutput, cmafGroup, ended, ladderJob, videoOutput } from './jobs.ts';
import { decodeStrictly, makeClip } from './media.ts';
import {
  attributesOf,
  concatenate,
  difference,
  frameAt,
  mediaOf,
  mediaPlaylistOf,
  variantsOf,
} from './playback.ts';

let ffmpeg: Ffmpeg;
let cloud: Cloud;

beforeAll(async () => {
  ffmpeg = await locateFfmpeg();
  cloud = await startCloud({ ffmpeg });
  mkdirSync(cloud.store.path('raw', 'uploads'));
  await makeClip(ffmpeg, source('film.mp4'), { seconds: 3 });
});
afterAll(() => cloud.close());

const source = (name: string): string => cloud.store.path('raw', `uploads/${name}`);

async function run(input: CreateJobCommandInput): Promise<Job> {
  const { Job: job } = await cloud.client.send(new CreateJobCommand(input));
  return ended(cloud, job?.Id);
}

const completionOf = (job: Job) =>
  cloud.events.find((event) => event.detail.jobId === job.Id && event.detail.status === 'COMPLETE')?.detail;

const fileGroup = (destination: string, output: Output): OutputGroup => ({
  OutputGroupSettings: { Type: 'FILE_GROUP_SETTINGS', FileGroupSettings: { Destination: destination } },
  Outputs: [output],
});

const gif = (overrides: Partial<Output> = {}): Output => ({
  ContainerSettings: { Container: 'GIF' },
  VideoDescription: {
    Width: 160,
    ScalingBehavior: 'FIT_NO_UPSCALE',
    CodecSettings: {
      Codec: 'GIF',
      GifSettings: { FramerateControl: 'SPECIFIED', FramerateNumerator: 5, FramerateDenominator: 1 },
    },
  },
  ...overrides,
});

describe('animated GIFs', () => {
  it('have the size, the frames and the name that were asked for, and repeat', async () => {
    const job = await run(ladderJob({}, [fileGroup('s3://vod/gif/preview', gif())]));
    expect(job).toMatchObject({ Status: 'COMPLETE', AccelerationStatus: 'NOT_ACCELERATED' });
    expect(completionOf(job)?.outputGroupDetails).toEqual([
      {
        type: 'FILE_GROUP',
        outputDetails: [
          {
            outputFilePaths: ['s3://vod/gif/preview.gif'],
            durationInMs: 3000,
            videoDetails: { widthInPx: 160, heightInPx: 90 },
          },
        ],
      },
    ]);
    expect(cloud.store.types.get('gif/preview.gif')).toBe('image/gif');
    const path = cloud.store.path('vod', 'gif/preview.gif');
    const bytes = readFileSync(path);
    expect(bytes.toString('latin1', 0, 6)).toBe('GIF89a');
    expect([bytes.readUInt16LE(6), bytes.readUInt16LE(8)]).toEqual([160, 90]);
    expect(bytes.includes('NETSCAPE2.0')).toBe(true);
    expect((await decodeStrictly(ffmpeg, path)).frames).toBe(15);
  });

  it.each<[string, OutputGroup, string]>([
    [
      'in a container that is none',
      fileGroup('s3://vod/x/', gif({ ContainerSettings: { Container: 'MP4' } })),
      'needs container GIF',
    ],
    [
      'with sound',
      fileGroup('s3://vod/x/', gif({ AudioDescriptions: audioOutput().AudioDescriptions })),
      'do not go with GIF',
    ],
    ['among streams', cmafGroup('s3://vod/x/', [gif()]), 'must be CMFC'],
    [
      'of another codec',
      fileGroup('s3://vod/x/', {
        ...videoOutput('', 320, 180),
        NameModifier: '_v',
        ContainerSettings: { Container: 'GIF' },
      }),
      'GIF needs the codec GIF',
    ],
  ])('%s are refused', async (_, group, message) => {
    await expect(run(ladderJob({}, [group]))).rejects.toMatchObject({
      name: 'BadRequestException',
      message: expect.stringContaining(message),
    });
  });
});

describe('trick play', () => {
  const withTiles = (destination: string, settings: Record<string, unknown>): OutputGroup => {
    const group = cmafGroup(destination, [videoOutput('_v', 320, 180)]);
    Object.assign(group.OutputGroupSettings?.CmafGroupSettings ?? {}, settings);
    return group;
  };

  it('thumbnails and full frames follow the key frames, each set with a playlist and an adaptation set', async () => {
    const group = withTiles('s3://vod/thumbs/', { ImageBasedTrickPlay: 'THUMBNAIL_AND_FULLFRAME' });
    expect((await run(ladderJob({}, [group]))).Status).toBe('COMPLETE');
    const master = cloud.store.text('vod', 'thumbs/film.m3u8');
    const images = master.split('\n').filter((line) => line.startsWith('#EXT-X-IMAGE-STREAM-INF:'));
    expect(images.map((line) => attributesOf(line)).map(({ RESOLUTION, URI }) => [RESOLUTION, URI])).toEqual([
      ['1560x880', 'film_tiles.m3u8'],
      ['320x180', 'film_fullframe.m3u8'],
    ]);
    const frames = mediaPlaylistOf(cloud.store.text('vod', 'thumbs/film_fullframe.m3u8')).segments;
    expect(frames.map(({ seconds }) => seconds)).toEqual([1, 1, 1]);
    const pictures = frames.map(({ uri }) =>
      readFileSync(cloud.store.path('vod', `thumbs/${uri}`)).toString('hex'),
    );
    expect(new Set(pictures).size).toBe(3);
    expect(cloud.store.text('vod', 'thumbs/film.mpd').match(/contentType="image"/g)).toHaveLength(2);
  });

  it('can take its cadence from the key frames', async () => {
    const group = withTiles('s3://vod/cadence/', {
      ImageBasedTrickPlay: 'ADVANCED',
      ImageBasedTrickPlaySettings: {
        IntervalCadence: 'FOLLOW_IFRAME',
        ThumbnailWidth: 80,
        TileWidth: 2,
        TileHeight: 1,
      },
    });
    await run(ladderJob({}, [group]));
    expect(cloud.store.text('vod', 'cadence/film_tiles.m3u8')).toContain('LAYOUT=2x1,DURATION=1\n');
  });

  it('fails the job when a tile image would be too high for MediaConvert', async () => {
    const group = withTiles('s3://vod/high/', {
      ImageBasedTrickPlay: 'ADVANCED',
      ImageBasedTrickPlaySettings: { IntervalCadence: 'FOLLOW_CUSTOM', ThumbnailInterval: 1, TileHeight: 30 },
    });
    expect(await run(ladderJob({}, [group]))).toMatchObject({ Status: 'ERROR', ErrorCode: 1040 });
  });

  it('by key frames is a playlist of byte ranges that decode to one picture each', async () => {
    const output = videoOutput('_v', 320, 180);
    output.ContainerSettings = { Container: 'CMFC', CmfcSettings: { IFrameOnlyManifest: 'INCLUDE' } };
    await run(ladderJob({}, [cmafGroup('s3://vod/iframes/', [output])]));
    const line = cloud.store
      .text('vod', 'iframes/film.m3u8')
      .split('\n')
      .find((candidate) => candidate.startsWith('#EXT-X-I-FRAME-STREAM-INF:'));
    expect(attributesOf(line ?? '')).toMatchObject({ RESOLUTION: '320x180', URI: 'film_v_iframes.m3u8' });
    const lines = cloud.store.text('vod', 'iframes/film_v_iframes.m3u8').split('\n');
    expect(lines).toContain('#EXT-X-I-FRAMES-ONLY');
    const ranges = lines.flatMap((text, index) => {
      const [, bytes, offset] = /^#EXT-X-BYTERANGE:(\d+)@(\d+)$/.exec(text) ?? [];
      return bytes === undefined
        ? []
        : [{ bytes: Number(bytes), offset: Number(offset), uri: lines[index + 1] }];
    });
    expect(ranges).toHaveLength(3);
    const init = readFileSync(cloud.store.path('vod', 'iframes/film_vinit.cmfv'));
    for (const { bytes, offset, uri } of ranges) {
      const segment = readFileSync(cloud.store.path('vod', `iframes/${uri}`));
      const path = `${newDirectory('iframe')}/frame.mp4`;
      writeFileSync(path, Buffer.concat([init, segment.subarray(offset, offset + bytes)]));
      expect(await frameAt(ffmpeg, path, 0)).toHaveLength(320 * 180 * 3);
    }
  });
});

describe('acceleration', () => {
  const job = (
    mode: 'PREFERRED' | 'ENABLED' | 'DISABLED',
    groups?: OutputGroup[],
  ): CreateJobCommandInput => ({
    ...ladderJob({}, groups ?? [cmafGroup('s3://vod/fast/', [videoOutput('_v', 160, 90)])]),
    AccelerationSettings: { Mode: mode },
  });

  it('is decided once the input is known, and only if asked for', async () => {
    const { Job: submitted } = await cloud.client.send(new CreateJobCommand(job('PREFERRED')));
    expect(submitted?.AccelerationStatus).toBe('IN_PROGRESS');
    expect((await ended(cloud, submitted?.Id)).AccelerationStatus).toBe('ACCELERATED');
    const { Job: plain } = await cloud.client.send(new CreateJobCommand(job('DISABLED')));
    expect(plain?.AccelerationStatus).toBe('NOT_APPLICABLE');
    await ended(cloud, plain?.Id);
    const { Job: later } = await cloud.client.send(new GetJobCommand({ Id: plain?.Id }));
    expect(later?.AccelerationStatus).toBe('NOT_APPLICABLE');
  });

  it('is not to be had for sound alone: preferred goes on without, enabled fails', async () => {
    const sound = [cmafGroup('s3://vod/sound/', [audioOutput()])];
    expect(await run(job('PREFERRED', sound))).toMatchObject({
      Status: 'COMPLETE',
      AccelerationStatus: 'NOT_ACCELERATED',
    });
    expect(await run(job('ENABLED', sound))).toMatchObject({
      Status: 'ERROR',
      ErrorCode: 1040,
      AccelerationStatus: 'NOT_ACCELERATED',
    });
  });
});

describe('sound alone', () => {
  it('makes manifests whose variants are the sound', async () => {
    await ffmpeg.run(['-f', 'lavfi', '-i', 'sine=duration=2:sample_rate=44100', source('tone.wav')], {
      cwd: '/tmp',
    });
    const job = await run(
      ladderJob({ FileInput: 's3://raw/uploads/tone.wav' }, [cmafGroup('s3://vod/tone/', [audioOutput()])]),
    );
    expect(job.Status).toBe('COMPLETE');
    const master = cloud.store.text('vod', 'tone/tone.m3u8');
    const [variant] = variantsOf(master);
    expect(variant?.attributes.CODECS).toBe('mp4a.40.2');
    expect(mediaOf(master, 'AUDIO')).toEqual([]);
    expect(completionOf(job)?.outputGroupDetails).toMatchObject([
      {
        playlistFilePaths: ['s3://vod/tone/tone.mpd', 's3://vod/tone/tone.m3u8'],
        outputDetails: [{ durationInMs: expect.any(Number) }],
      },
    ]);
    for (const path of [
      cloud.store.path('vod', 'tone/tone.mpd'),
      concatenate(cloud.store, 'vod', 'tone/', variant?.uri ?? ''),
    ]) {
      expect((await decodeStrictly(ffmpeg, path)).seconds).toBeCloseTo(2, 0);
    }
  });
});

describe('colour', () => {
  const corrected = (name: string, conversion?: 'FORCE_709'): Output => {
    const output = videoOutput(name, 320, 180);
    return {
      ...output,
      VideoDescription: {
        ...output.VideoDescription,
        ...(conversion
          ? {
              VideoPreprocessors: {
                ColorCorrector: { ColorSpaceConversion: conversion, HdrToSdrToneMapper: 'VIBRANT' },
              },
            }
          : {}),
      },
    };
  };

  it('of a high dynamic range film is mapped to Rec. 709 when asked for, in 8 bits always', async () => {
    await ffmpeg.run(
      [
        ...['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=1'],
        ...['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le', '-tag:v', 'hvc1'],
        ...['-x265-params', 'log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc'],
        source('hdr.mp4'),
      ],
      { cwd: '/tmp' },
    );
    expect((await ffmpeg.probe(source('hdr.mp4'))).streams).toMatchObject([
      { pixelFormat: 'yuv420p10le', dynamicRange: 'high' },
    ]);
    const outputs = [corrected('_mapped', 'FORCE_709'), corrected('_kept')];
    const job = await run(
      ladderJob({ FileInput: 's3://raw/uploads/hdr.mp4' }, [cmafGroup('s3://vod/hdr/', outputs)]),
    );
    expect(job.Status).toBe('COMPLETE');
    const film = async (name: string) =>
      ffmpeg.probe(concatenate(cloud.store, 'vod', 'hdr/', `hdr_${name}.m3u8`));
    expect((await film('mapped')).streams).toMatchObject([
      { pixelFormat: 'yuv420p', dynamicRange: 'standard' },
    ]);
    expect((await film('kept')).streams).toMatchObject([{ pixelFormat: 'yuv420p', dynamicRange: 'high' }]);
  });

  it('of an ordinary film stays what it is', async () => {
    const outputs = [corrected('_mapped', 'FORCE_709'), corrected('_kept')];
    await run(ladderJob({}, [cmafGroup('s3://vod/sdr/', outputs)]));
    const film = (name: string) => concatenate(cloud.store, 'vod', 'sdr/', `film_${name}.m3u8`);
    const mapped = await frameAt(ffmpeg, film('mapped'), 1);
    const kept = await frameAt(ffmpeg, film('kept'), 1);
    expect(difference(mapped, kept, 320, 0, 180)).toBeLessThan(8);
  });
});
