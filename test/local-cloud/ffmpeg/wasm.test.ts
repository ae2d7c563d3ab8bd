import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CreateJobCommand } from '@aws-sdk/client-mediaconvert';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Ffmpeg, livingChildren, wasmFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { newDirectory } from '../mediaconvert/directories.ts';
import { startCloud } from '../mediaconvert/harness.ts';
import {
  audioOutput,
  captureGroup,
  cmafGroup,
  finished,
  ladderJob,
  videoOutput,
} from '../mediaconvert/jobs.ts';
import { decodeStrictly, makeClip } from '../mediaconvert/media.ts';
import { concatenate, variantsOf } from '../mediaconvert/playback.ts';

let ffmpeg: Ffmpeg;
beforeAll(async () => {
  ffmpeg = await wasmFfmpeg();
});

describe('the WebAssembly build', () => {
  it('encodes a film to fMP4 HLS on disk and reads it back', async () => {
    const cwd = newDirectory('wasm');
    await ffmpeg.run(
      [
        ...[
          '-f',
          'lavfi',
          '-i',
          'testsrc2=size=160x90:rate=15:duration=1',
          '-f',
          'lavfi',
          '-i',
          'sine=duration=1',
        ],
        ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac'],
        ...['-f', 'hls', '-hls_segment_type', 'fmp4', '-hls_playlist_type', 'vod', 'film.m3u8'],
      ],
      { cwd },
    );
    expect((await decodeStrictly(ffmpeg, join(cwd, 'film.m3u8'))).frames).toBe(15);
  });

  it('does a whole transcoding job: ladder, sound with loudness, thumbnails and burnt-in captions', async () => {
    const cloud = await startCloud({ ffmpeg });
    try {
      mkdirSync(cloud.store.path('raw', 'uploads'));
      await makeClip(ffmpeg, cloud.store.path('raw', 'uploads/film.mp4'), {
        seconds: 1,
        size: '160x90',
        rate: '15',
      });
      cloud.store.put('raw', 'uploads/film.srt', '1\n00:00:00,000 --> 00:00:01,000\nHi\n');
      const job = ladderJob(
        {
          CaptionSelectors: {
            cap1: {
              SourceSettings: {
                SourceType: 'SRT',
                FileSourceSettings: { SourceFile: 's3://raw/uploads/film.srt' },
              },
            },
          },
        },
        [
          cmafGroup('s3://vod/wasm/', [
            videoOutput('_a', 160, 90, 'cap1'),
            videoOutput('_b', 80, 44),
            audioOutput(),
          ]),
          captureGroup('s3://vod/wasm/t', 5, 1),
        ],
      );
      const { Job: created } = await cloud.client.send(new CreateJobCommand(job));
      const done = await finished(cloud, created?.Id);
      expect(done.ErrorMessage).toBeUndefined();
      expect(done.Status).toBe('COMPLETE');
      const variants = variantsOf(cloud.store.text('vod', 'wasm/film.m3u8'));
      expect(variants.map(({ attributes }) => attributes.RESOLUTION)).toEqual(['160x90', '78x44']);
      for (const { uri } of variants) {
        expect((await decodeStrictly(ffmpeg, concatenate(cloud.store, 'vod', 'wasm/', uri))).frames).toBe(15);
      }
      expect(cloud.store.keys('vod').filter((key) => key.endsWith('.jpg'))).toHaveLength(5);
    } finally {
      await cloud.close();
    }
  });

  it('probes, fails with a reason and can be killed like the native one', async () => {
    const cwd = newDirectory('wasm');
    const clip = await makeClip(ffmpeg, join(cwd, 'clip.mp4'), { seconds: 1, size: '160x90', rate: '15' });
    expect((await ffmpeg.probe(clip)).streams).toMatchObject([{ width: 160, height: 90 }, { kind: 'audio' }]);
    await expect(ffmpeg.run(['-i', 'none.mp4', 'x.mp4'], { cwd })).rejects.toThrow('No such file');
    const controller = new AbortController();
    const endless = ffmpeg.run(['-f', 'lavfi', '-i', 'testsrc2', '-f', 'null', '-'], {
      cwd,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await expect(endless).rejects.toThrow('enough');
    expect(livingChildren()).toBe(0);
  });
});
