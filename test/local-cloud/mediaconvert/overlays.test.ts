import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  CreateJobCommand,
  type CreateJobCommandInput,
  type Job,
  type Output,
} from '@aws-sdk/client-mediaconvert';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ffmpeg, locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { type Cloud, startCloud } from './harness.ts';
import { cmafGroup, finished, ladderJob, videoOutput } from './jobs.ts';
import { decodeStrictly, makeClip } from './media.ts';
import { concatenate, difference, frameAt, mediaOf, mediaPlaylistOf } from './playback.ts';

const SUBTITLES = `1
00:00:01,000 --> 00:00:02,000
Hello <b>there</b>

2
00:00:03,500 --> 00:00:04,500
{\\an8}Second & last
`;

let ffmpeg: Ffmpeg;
let cloud: Cloud;

beforeAll(async () => {
  ffmpeg = await locateFfmpeg();
  cloud = await startCloud({ ffmpeg });
  mkdirSync(cloud.store.path('raw', 'uploads'));
  await makeClip(ffmpeg, cloud.store.path('raw', 'uploads/film.mp4'), { seconds: 5, sound: false });
  cloud.store.put('raw', 'uploads/film.srt', SUBTITLES);
  const logo = cloud.store.path('assets', 'wm.png');
  await ffmpeg.run(['-f', 'lavfi', '-i', 'color=white:size=40x20:duration=1', '-frames:v', '1', logo], {
    cwd: dirname(logo),
  });
});
afterAll(() => cloud.close());

async function run(input: CreateJobCommandInput): Promise<Job> {
  const { Job: job } = await cloud.client.send(new CreateJobCommand(input));
  return finished(cloud, job?.Id);
}

const captions = (timeDelta = 0) => ({
  cap1: {
    LanguageCode: 'ENG' as const,
    SourceSettings: {
      SourceType: 'SRT' as const,
      FileSourceSettings: { SourceFile: 's3://raw/uploads/film.srt', TimeDelta: timeDelta },
    },
  },
});

const webVtt: Output = {
  NameModifier: '_vtt_en',
  ContainerSettings: { Container: 'CMFC' },
  CaptionDescriptions: [
    {
      CaptionSelectorName: 'cap1',
      LanguageCode: 'ENG',
      LanguageDescription: 'English',
      DestinationSettings: {
        DestinationType: 'WEBVTT',
        WebvttDestinationSettings: { Accessibility: 'DISABLED' },
      },
    },
  ],
};

describe('captions', () => {
  it('are drawn into the picture while their time lasts, and nowhere else', async () => {
    const outputs = [videoOutput('_plain', 320, 180), videoOutput('_burnt', 320, 180, 'cap1')];
    const job = await run(
      ladderJob({ CaptionSelectors: captions() }, [cmafGroup('s3://vod/burn/', outputs)]),
    );
    expect(job.Status).toBe('COMPLETE');
    const plain = concatenate(cloud.store, 'vod', 'burn/', 'film_plain.m3u8');
    const burnt = concatenate(cloud.store, 'vod', 'burn/', 'film_burnt.m3u8');
    const compare = async (seconds: number, fromRow: number, toRow: number) =>
      difference(
        await frameAt(ffmpeg, plain, seconds),
        await frameAt(ffmpeg, burnt, seconds),
        320,
        fromRow,
        toRow,
      );
    expect(await compare(1.5, 140, 180)).toBeGreaterThan(4);
    expect(await compare(1.5, 0, 100)).toBeLessThan(1);
    expect(await compare(2.5, 140, 180)).toBeLessThan(1);
  });

  it('become a WebVTT track in both manifests, cut along with the video', async () => {
    await run(
      ladderJob({ CaptionSelectors: captions() }, [
        cmafGroup('s3://vod/vtt/', [videoOutput('_v', 320, 180), webVtt]),
      ]),
    );
    const [track] = mediaOf(cloud.store.text('vod', 'vtt/film.m3u8'), 'SUBTITLES');
    expect(track).toMatchObject({ LANGUAGE: 'en', NAME: 'English', URI: 'film_vtt_en.m3u8' });
    const { segments } = mediaPlaylistOf(cloud.store.text('vod', 'vtt/film_vtt_en.m3u8'));
    expect(segments.map((segment) => segment.seconds)).toEqual([2, 2, 1]);
    const texts = segments.map((segment) => cloud.store.text('vod', `vtt/${segment.uri}`));
    expect(texts[0]).toContain('00:00:01.000 --> 00:00:02.000\nHello there\n');
    expect(texts[1]).toContain('Second &amp; last');
    expect(texts[2]).toContain('Second &amp; last');
    expect(cloud.store.text('vod', 'vtt/film_vtt_en.vtt')).toMatch(/^WEBVTT\n\n/);
    expect(cloud.store.text('vod', 'vtt/film.mpd')).toContain('<BaseURL>film_vtt_en.vtt</BaseURL>');
  });

  it('follow the clips that are kept and the time shift that is asked for', async () => {
    const clipping = [{ StartTimecode: '00:00:02:00' }];
    await run(
      ladderJob({ CaptionSelectors: captions(-1), InputClippings: clipping }, [
        cmafGroup('s3://vod/shifted/', [videoOutput('_v', 320, 180), webVtt]),
      ]),
    );
    const text = cloud.store.text('vod', 'shifted/film_vtt_en.vtt');
    expect(text).toContain('00:00:00.500 --> 00:00:01.500\nSecond');
    expect(text).not.toContain('Hello');
  });

  it('of several languages are a track each, in both manifests, from SubRip and WebVTT alike', async () => {
    cloud.store.put('raw', 'uploads/film.vtt', 'WEBVTT\n\n00:00.500 --> 00:02.000\nBonjour\n');
    const selector = (type: 'SRT' | 'WEBVTT', file: string) => ({
      SourceSettings: { SourceType: type, FileSourceSettings: { SourceFile: `s3://raw/uploads/${file}` } },
    });
    const track = (
      modifier: string,
      selectorName: string,
      language: 'ENG' | 'FRA' | 'POR',
      custom?: string,
    ): Output => ({
      NameModifier: modifier,
      ContainerSettings: { Container: 'CMFC' },
      CaptionDescriptions: [
        {
          CaptionSelectorName: selectorName,
          LanguageCode: language,
          ...(custom ? { CustomLanguageCode: custom } : {}),
          DestinationSettings: { DestinationType: 'WEBVTT' },
        },
      ],
    });
    await run(
      ladderJob(
        { CaptionSelectors: { en: selector('SRT', 'film.srt'), fr: selector('WEBVTT', 'film.vtt') } },
        [
          cmafGroup('s3://vod/languages/', [
            videoOutput('_v', 320, 180),
            track('_en', 'en', 'ENG'),
            track('_fr', 'fr', 'FRA'),
            track('_pt', 'fr', 'POR', 'pt-BR'),
          ]),
        ],
      ),
    );
    const tracks = mediaOf(cloud.store.text('vod', 'languages/film.m3u8'), 'SUBTITLES');
    expect(tracks.map(({ LANGUAGE, NAME }) => [LANGUAGE, NAME])).toEqual([
      ['en', 'English'],
      ['fr', 'French'],
      ['pt-BR', 'Brazilian Portuguese'],
    ]);
    expect(cloud.store.text('vod', 'languages/film_fr.vtt')).toContain(
      '00:00:00.500 --> 00:00:02.000\nBonjour',
    );
    const mpd = cloud.store.text('vod', 'languages/film.mpd');
    expect([...mpd.matchAll(/contentType="text"[^>]* lang="([^"]+)"/g)].map(([, lang]) => lang)).toEqual([
      'en',
      'fr',
      'pt-BR',
    ]);
  });

  it('fail the job when their file is missing or holds no caption', async () => {
    cloud.store.put('raw', 'uploads/empty.srt', 'nothing here');
    const job = async (sourceFile: string) => {
      const selectors = captions();
      selectors.cap1.SourceSettings.FileSourceSettings.SourceFile = sourceFile;
      return run(
        ladderJob({ CaptionSelectors: selectors }, [cmafGroup('s3://vod/x/', [videoOutput('_v', 320, 180)])]),
      );
    };
    expect(await job('s3://raw/uploads/none.srt')).toMatchObject({ Status: 'ERROR', ErrorCode: 1404 });
    expect(await job('s3://raw/uploads/empty.srt')).toMatchObject({ Status: 'ERROR', ErrorCode: 1010 });
  });

  it('cannot smuggle drawing commands into the picture', async () => {
    cloud.store.put(
      'raw',
      'uploads/film.srt',
      '1\n00:00:00,000 --> 00:00:05,000\n{\\p1}m 0 0 l 900 0 900 900 0 900{\\p0}\n',
    );
    const outputs = [videoOutput('_plain', 320, 180), videoOutput('_burnt', 320, 180, 'cap1')];
    await run(ladderJob({ CaptionSelectors: captions() }, [cmafGroup('s3://vod/evil/', outputs)]));
    cloud.store.put('raw', 'uploads/film.srt', SUBTITLES);
    const plain = await frameAt(ffmpeg, concatenate(cloud.store, 'vod', 'evil/', 'film_plain.m3u8'), 1);
    const burnt = await frameAt(ffmpeg, concatenate(cloud.store, 'vod', 'evil/', 'film_burnt.m3u8'), 1);
    expect(difference(plain, burnt, 320, 0, 100)).toBeLessThan(1);
  });

  it('that are burnt in fail a job that insists on acceleration, as they do at AWS', async () => {
    const input = ladderJob({ CaptionSelectors: captions() }, [
      cmafGroup('s3://vod/fast/', [videoOutput('_burnt', 320, 180, 'cap1')]),
    ]);
    const job = await run({ ...input, AccelerationSettings: { Mode: 'ENABLED' } });
    expect(job).toMatchObject({ Status: 'ERROR', ErrorCode: 1040 });
    expect(job.ErrorMessage).toContain('burn-in');
  });
});

describe('watermarks', () => {
  const image = {
    ImageInserterInput: 's3://assets/wm.png',
    ImageX: 10,
    ImageY: 20,
    Width: 40,
    Height: 20,
    Layer: 1,
  };

  it('of the input appear in every rung, scaled with it and as opaque as asked', async () => {
    const outputs = [videoOutput('_big', 320, 180), videoOutput('_small', 160, 90)];
    const marked = { ImageInserter: { InsertableImages: [{ ...image, Opacity: 50 }] } };
    await run(ladderJob({}, [cmafGroup('s3://vod/bare/', outputs)]));
    await run(ladderJob(marked, [cmafGroup('s3://vod/marked/', outputs)]));
    for (const [name, width, row, column] of [
      ['film_big.m3u8', 320, 30, 30],
      ['film_small.m3u8', 160, 15, 15],
    ] as const) {
      expect((await decodeStrictly(ffmpeg, concatenate(cloud.store, 'vod', 'marked/', name))).frames).toBe(
        125,
      );
      const bare = await frameAt(ffmpeg, concatenate(cloud.store, 'vod', 'bare/', name), 1);
      const seen = await frameAt(ffmpeg, concatenate(cloud.store, 'vod', 'marked/', name), 1);
      const at = (row * width + column) * 3;
      for (const channel of [0, 1, 2]) {
        const expected = ((bare[at + channel] ?? 0) + 255) / 2;
        expect(Math.abs((seen[at + channel] ?? 0) - expected)).toBeLessThan(25);
      }
      expect(
        difference(bare, seen, width, Math.floor((width * 9) / 32), Math.floor((width * 9) / 16)),
      ).toBeLessThan(1);
    }
  });

  it('of one output appear in that output only', async () => {
    const output = videoOutput('_marked', 320, 180);
    const withImage = {
      ...output,
      VideoDescription: {
        ...output.VideoDescription,
        VideoPreprocessors: { ImageInserter: { InsertableImages: [image] } },
      },
    };
    await run(ladderJob({}, [cmafGroup('s3://vod/one/', [withImage, videoOutput('_bare', 320, 180)])]));
    const marked = await frameAt(ffmpeg, concatenate(cloud.store, 'vod', 'one/', 'film_marked.m3u8'), 1);
    const bare = await frameAt(ffmpeg, concatenate(cloud.store, 'vod', 'one/', 'film_bare.m3u8'), 1);
    expect(difference(marked, bare, 320, 20, 40)).toBeGreaterThan(5);
    expect(difference(marked, bare, 320, 60, 180)).toBeLessThan(1);
  });

  it('fail the job when the image is missing or is not an image', async () => {
    writeFileSync(cloud.store.path('assets', 'fake.png'), '#EXTM3U\n/etc/hostname\n');
    const job = (address: string) =>
      run(
        ladderJob({ ImageInserter: { InsertableImages: [{ ...image, ImageInserterInput: address }] } }, [
          cmafGroup('s3://vod/y/', [videoOutput('_v', 320, 180)]),
        ]),
      );
    expect(await job('s3://assets/none.png')).toMatchObject({ Status: 'ERROR', ErrorCode: 1404 });
    expect((await job('s3://assets/fake.png')).Status).toBe('ERROR');
    expect(cloud.store.keys('vod').filter((key) => key.startsWith('y/'))).toEqual([]);
  });
});

describe('image-based trick play', () => {
  it('makes tile sheets that both manifests announce', async () => {
    const group = cmafGroup('s3://vod/tiles/', [videoOutput('_v', 320, 180)]);
    Object.assign(group.OutputGroupSettings?.CmafGroupSettings ?? {}, {
      ImageBasedTrickPlay: 'ADVANCED',
      ImageBasedTrickPlaySettings: {
        IntervalCadence: 'FOLLOW_CUSTOM',
        ThumbnailInterval: 1,
        ThumbnailWidth: 80,
        ThumbnailHeight: 46,
        TileWidth: 2,
        TileHeight: 2,
      },
    });
    const job = await run(ladderJob({}, [group]));
    expect(job.Status).toBe('COMPLETE');
    const tiles = cloud.store.keys('vod').filter((key) => key.startsWith('tiles/') && key.endsWith('.jpg'));
    expect(tiles).toHaveLength(2);
    for (const key of tiles) {
      const picture = readFileSync(cloud.store.path('vod', key));
      expect(picture.subarray(0, 3).toString('hex')).toBe('ffd8ff');
    }
    expect(cloud.store.text('vod', 'tiles/film.m3u8')).toContain(
      'RESOLUTION=160x92,CODECS="jpeg",URI="film_tiles.m3u8"',
    );
    expect(cloud.store.text('vod', 'tiles/film_tiles.m3u8')).toContain(
      '#EXT-X-TILES:RESOLUTION=80x46,LAYOUT=2x2,DURATION=1',
    );
    const mpd = cloud.store.text('vod', 'tiles/film.mpd');
    expect(mpd).toContain('media="film_tiles_$Number%09d$.jpg" duration="4000"');
    expect(mpd).toContain('value="2x2"');
    expect(
      (await decodeStrictly(ffmpeg, concatenate(cloud.store, 'vod', 'tiles/', 'film_v.m3u8'))).frames,
    ).toBe(125);
  });
});
