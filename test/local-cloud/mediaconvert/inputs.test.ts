import { mkdirSync, readFileSync } from 'node:fs';
import { CreateJobCommand, type CreateJobCommandInput, type Job } from '@aws-sdk/client-mediaconvert';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ffmpeg, locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { type Cloud, startCloud } from './harness.ts';
import { audioOutput, captureGroup, cmafGroup, ended, ladderJob, videoOutput } from './jobs.ts';
import { decodeStrictly, makeClip } from './media.ts';
import { concatenate, mediaPlaylistOf, variantsOf } from './playback.ts';

let ffmpeg: Ffmpeg;
let cloud: Cloud;

beforeAll(async () => {
  ffmpeg = await locateFfmpeg();
  cloud = await startCloud({ ffmpeg });
  mkdirSync(cloud.store.path('raw', 'uploads'));
  await makeClip(ffmpeg, cloud.store.path('raw', 'uploads/film.mp4'), { seconds: 5 });
});
afterAll(() => cloud.close());

const source = (name: string): string => cloud.store.path('raw', `uploads/${name}`);

async function run(input: CreateJobCommandInput): Promise<Job> {
  const { Job: job } = await cloud.client.send(new CreateJobCommand(input));
  return ended(cloud, job?.Id);
}

async function sizeOf(path: string): Promise<string> {
  const probe = await ffmpeg.probe(path);
  const video = probe.streams.find((stream) => stream.kind === 'video');
  return `${video?.width}x${video?.height}`;
}

describe('what comes out follows what goes in', () => {
  it('never enlarges a small source, and keeps its aspect ratio', async () => {
    const rungs = [videoOutput('_720', 1280, 720), videoOutput('_sq', 200, 200), audioOutput()];
    await run(ladderJob({}, [cmafGroup('s3://vod/small/', rungs)]));
    const sizes = variantsOf(cloud.store.text('vod', 'small/film.m3u8')).map(
      ({ attributes }) => attributes.RESOLUTION,
    );
    expect(sizes).toEqual(['320x180', '200x112']);
    expect(await sizeOf(concatenate(cloud.store, 'vod', 'small/', 'film_720.m3u8'))).toBe('320x180');
  });

  it('turns a phone recording upright when rotation is AUTO, and only then', async () => {
    await makeClip(ffmpeg, source('phone.mov'), { rotation: -90 });
    const group = (destination: string) => [
      cmafGroup(destination, [videoOutput('_a', 320, 180), videoOutput('_b', 90, 160)]),
    ];
    const phone = { FileInput: 's3://raw/uploads/phone.mov' };
    await run(ladderJob(phone, group('s3://vod/upright/')));
    await run(ladderJob({ ...phone, VideoSelector: { Rotate: 'DEGREE_0' } }, group('s3://vod/sideways/')));
    await run(ladderJob({ ...phone, VideoSelector: { Rotate: 'DEGREES_270' } }, group('s3://vod/turned/')));
    const sizes = (prefix: string) =>
      variantsOf(cloud.store.text('vod', `${prefix}phone.m3u8`)).map(
        ({ attributes }) => attributes.RESOLUTION,
      );
    expect(sizes('upright/')).toEqual(['102x180', '90x160']);
    expect(sizes('sideways/')).toEqual(['320x180', '90x50']);
    expect(sizes('turned/')).toEqual(['102x180', '90x160']);
    const probe = await ffmpeg.probe(concatenate(cloud.store, 'vod', 'upright/', 'phone_b.m3u8'));
    expect(probe.streams).toMatchObject([{ width: 90, height: 160, rotationDegrees: 0 }]);
  });

  it('makes square pixels from an anamorphic source', async () => {
    await makeClip(ffmpeg, source('wide.mp4'), {
      size: '160x180',
      codecArgs: [
        '-vf',
        'setsar=2',
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-pix_fmt',
        'yuv420p',
        '-c:a',
        'aac',
      ],
    });
    await run(
      ladderJob({ FileInput: 's3://raw/uploads/wide.mp4' }, [
        cmafGroup('s3://vod/wide/', [videoOutput('_v', 320, 180)]),
      ]),
    );
    expect(variantsOf(cloud.store.text('vod', 'wide/wide.m3u8'))[0]?.attributes.RESOLUTION).toBe('320x180');
  });

  it('transcodes a silent film, with a warning in place of the audio track', async () => {
    await makeClip(ffmpeg, source('silent.mp4'), { sound: false });
    const outputs = [videoOutput('_v', 320, 180), audioOutput()];
    const job = await run(
      ladderJob({ FileInput: 's3://raw/uploads/silent.mp4' }, [cmafGroup('s3://vod/silent/', outputs)]),
    );
    expect(job.Status).toBe('COMPLETE');
    expect(job.Warnings).toMatchObject([{ Count: 1 }]);
    expect(job.Messages?.Warning?.[0]).toContain('no audio');
    expect(job.OutputGroupDetails?.[0]?.OutputDetails).toHaveLength(1);
    const master = cloud.store.text('vod', 'silent/silent.m3u8');
    expect(master).not.toContain('AUDIO');
    expect(variantsOf(master)[0]?.attributes.CODECS).toMatch(/^avc1\.[0-9a-f]{6}$/);
    expect(
      cloud.store.keys('vod').filter((key) => key.endsWith('.cmfa') && key.startsWith('silent/')),
    ).toEqual([]);
  });

  it('reads a browser recording that carries no duration', async () => {
    await makeClip(ffmpeg, source('recording.webm'), {
      codecArgs: ['-c:v', 'libvpx', '-deadline', 'realtime', '-c:a', 'libopus', '-f', 'webm', '-live', '1'],
    });
    const job = await run(
      ladderJob({ FileInput: 's3://raw/uploads/recording.webm' }, [
        cmafGroup('s3://vod/recording/', [videoOutput('_v', 320, 180), audioOutput()]),
        captureGroup('s3://vod/recording/t', 5, 2),
      ]),
    );
    expect(job.Status).toBe('COMPLETE');
    expect(job.OutputGroupDetails?.[0]?.OutputDetails?.[0]?.DurationInMs).toBeCloseTo(2000, -2);
    expect(cloud.store.keys('vod').filter((key) => key.startsWith('recording/t.'))).toHaveLength(5);
  });

  it('keeps only the clipped stretches of the input with their last frames, joined together', async () => {
    const clips = [
      { StartTimecode: '00:00:00:00', EndTimecode: '00:00:01:00' },
      { StartTimecode: '00:00:03:00', EndTimecode: '00:00:04:12' },
    ];
    const job = await run(
      ladderJob({ InputClippings: clips }, [
        cmafGroup('s3://vod/clipped/', [videoOutput('_v', 320, 180), audioOutput()]),
      ]),
    );
    expect(job.Status).toBe('COMPLETE');
    const video = await decodeStrictly(ffmpeg, concatenate(cloud.store, 'vod', 'clipped/', 'film_v.m3u8'));
    expect(video.frames).toBe(26 + 38);
    const audio = await decodeStrictly(ffmpeg, concatenate(cloud.store, 'vod', 'clipped/', 'film_aud.m3u8'));
    expect(audio.seconds).toBeCloseTo(2.56, 1);
  });

  it('keeps broadcast frame rates exact, and converts them when told to', async () => {
    await makeClip(ffmpeg, source('ntsc.mp4'), { rate: '30000/1001' });
    const slower = videoOutput('_slow', 320, 180);
    Object.assign(slower.VideoDescription?.CodecSettings?.H264Settings ?? {}, {
      FramerateControl: 'SPECIFIED',
      FramerateNumerator: 15,
      FramerateDenominator: 1,
    });
    await run(
      ladderJob({ FileInput: 's3://raw/uploads/ntsc.mp4' }, [
        cmafGroup('s3://vod/ntsc/', [videoOutput('_v', 320, 180), slower]),
      ]),
    );
    const rates = variantsOf(cloud.store.text('vod', 'ntsc/ntsc.m3u8')).map(
      ({ attributes }) => attributes['FRAME-RATE'],
    );
    expect(rates).toEqual(['29.970', '15.000']);
    expect(
      (await decodeStrictly(ffmpeg, concatenate(cloud.store, 'vod', 'ntsc/', 'ntsc_slow.m3u8'))).frames,
    ).toBe(30);
  });

  it('puts a key frame at every exact segment boundary, whatever the GOP length', async () => {
    const output = videoOutput('_v', 320, 180);
    Object.assign(output.VideoDescription?.CodecSettings?.H264Settings ?? {}, { GopSize: 1.5 });
    const group = cmafGroup('s3://vod/exact/', [output]);
    Object.assign(group.OutputGroupSettings?.CmafGroupSettings ?? {}, { SegmentLengthControl: 'EXACT' });
    await run(ladderJob({}, [group]));
    const { segments } = mediaPlaylistOf(cloud.store.text('vod', 'exact/film_v.m3u8'));
    expect(segments.map((segment) => segment.seconds)).toEqual([2, 2, 1]);
  });

  it('honours profile, reference B frames and frame-counted GOPs, and the result still decodes', async () => {
    const output = videoOutput('_v', 320, 180);
    Object.assign(output.VideoDescription?.CodecSettings?.H264Settings ?? {}, {
      CodecProfile: 'HIGH',
      CodecLevel: 'LEVEL_4',
      EntropyEncoding: 'CABAC',
      NumberBFramesBetweenReferenceFrames: 2,
      GopSize: 25,
      GopSizeUnits: 'FRAMES',
    });
    await run(ladderJob({}, [cmafGroup('s3://vod/tuned/', [output, audioOutput()])]));
    const [variant] = variantsOf(cloud.store.text('vod', 'tuned/film.m3u8'));
    expect(variant?.attributes.CODECS).toMatch(/^avc1\.(4d|64)..28,/);
    const path = concatenate(cloud.store, 'vod', 'tuned/', variant?.uri ?? '');
    expect((await decodeStrictly(ffmpeg, path)).frames).toBe(125);
    expect((await decodeStrictly(ffmpeg, cloud.store.path('vod', 'tuned/film.mpd'))).frames).toBe(125);
  });

  it('pads, crops or stretches when the scaling behaviour asks for it', async () => {
    const shaped = (name: string, behaviour: 'DEFAULT' | 'FILL' | 'STRETCH_TO_OUTPUT' | 'FIT') => {
      const output = videoOutput(name, 100, 100);
      return { ...output, VideoDescription: { ...output.VideoDescription, ScalingBehavior: behaviour } };
    };
    const outputs = [
      shaped('_pad', 'DEFAULT'),
      shaped('_fill', 'FILL'),
      shaped('_stretch', 'STRETCH_TO_OUTPUT'),
      shaped('_fit', 'FIT'),
    ];
    await run(ladderJob({}, [cmafGroup('s3://vod/shapes/', outputs)]));
    const sizes = variantsOf(cloud.store.text('vod', 'shapes/film.m3u8')).map(
      ({ attributes }) => attributes.RESOLUTION,
    );
    expect(sizes).toEqual(['100x100', '100x100', '100x100', '100x56']);
  });

  it('makes an MP4 for download that starts playing before it is complete', async () => {
    const { VideoDescription } = videoOutput('', 320, 180);
    const { AudioDescriptions } = audioOutput();
    const job = await run(
      ladderJob({}, [
        {
          OutputGroupSettings: {
            Type: 'FILE_GROUP_SETTINGS',
            FileGroupSettings: { Destination: 's3://vod/download/movie' },
          },
          Outputs: [
            {
              NameModifier: '-sd',
              ContainerSettings: { Container: 'MP4', Mp4Settings: { MoovPlacement: 'PROGRESSIVE_DOWNLOAD' } },
              ...(VideoDescription ? { VideoDescription } : {}),
              ...(AudioDescriptions ? { AudioDescriptions } : {}),
            },
          ],
        },
      ]),
    );
    expect(job.Status).toBe('COMPLETE');
    const path = cloud.store.path('vod', 'download/movie-sd.mp4');
    const head = readFileSync(path).toString('latin1');
    expect(head.indexOf('moov')).toBeLessThan(head.indexOf('mdat'));
    expect((await ffmpeg.probe(path)).streams.map((stream) => stream.codec)).toEqual(['h264', 'aac']);
    const complete = cloud.events.find(
      (event) => event.detail.jobId === job.Id && event.detail.status === 'COMPLETE',
    );
    expect(complete?.detail.outputGroupDetails).toMatchObject([
      {
        type: 'FILE_GROUP',
        outputDetails: [
          {
            outputFilePaths: ['s3://vod/download/movie-sd.mp4'],
            videoDetails: { widthInPx: 320, heightInPx: 180, averageBitrate: expect.any(Number) },
          },
        ],
      },
    ]);
  });

  it('keeps manifests right when a file name needs escaping', async () => {
    const name = `Ünïcode & "quotes" $Number$ 100%.mp4`;
    await makeClip(ffmpeg, source(name));
    await run(
      ladderJob({ FileInput: `s3://raw/uploads/${name}` }, [
        cmafGroup('s3://vod/odd/', [videoOutput('_v', 320, 180), audioOutput()]),
      ]),
    );
    const base = name.slice(0, -'.mp4'.length);
    expect(
      (
        await decodeStrictly(
          ffmpeg,
          concatenate(cloud.store, 'vod', 'odd/', encodeURIComponent(`${base}_v.m3u8`)),
        )
      ).frames,
    ).toBe(50);
    const mpd = cloud.store.text('vod', `odd/${base}.mpd`);
    expect(mpd).toContain('%20$$Number$$%20100%25_v_$Number%09d$.cmfv');
  });

  it('passes none of the source metadata on', async () => {
    await makeClip(ffmpeg, source('tagged.mp4'), {
      codecArgs: [
        '-metadata',
        'location=+40.7128-074.0060/',
        '-metadata',
        'title=secret',
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-pix_fmt',
        'yuv420p',
        '-c:a',
        'aac',
      ],
    });
    await run(
      ladderJob({ FileInput: 's3://raw/uploads/tagged.mp4' }, [
        cmafGroup('s3://vod/tagged/', [videoOutput('_v', 320, 180)]),
      ]),
    );
    const bytes = readFileSync(concatenate(cloud.store, 'vod', 'tagged/', 'tagged_v.m3u8')).toString(
      'latin1',
    );
    expect(bytes).not.toContain('secret');
    expect(bytes).not.toContain('40.7128');
  });
});
