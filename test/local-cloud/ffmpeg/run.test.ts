import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Ffmpeg,
  FfmpegError,
  type FfmpegProgress,
  fontsDir,
  livingChildren,
  locateFfmpeg,
} from '../../../local-cloud/ffmpeg/index.ts';
import { newDirectory } from '../mediaconvert/directories.ts';

let ffmpeg: Ffmpeg;
beforeAll(async () => {
  ffmpeg = await locateFfmpeg();
});

const directory = (): string => newDirectory('ffmpeg');
const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=2'];
const TONE = ['-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=2'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];

describe('running ffmpeg', () => {
  it('reports progress that ends at the length of the film', async () => {
    const seen: FfmpegProgress[] = [];
    await ffmpeg.run([...PICTURE, ...H264, 'film.mp4'], {
      cwd: directory(),
      onProgress: (p) => seen.push(p),
    });
    expect(seen.at(-1)).toMatchObject({ done: true, frames: 50 });
    expect(seen.at(-1)?.outTimeSeconds).toBeCloseTo(2, 0);
  });

  it('fails with the reason that ffmpeg gave', async () => {
    const failure = await ffmpeg
      .run(['-i', 'none.mp4', 'out.mp4'], { cwd: directory() })
      .catch((error) => error);
    expect(failure).toBeInstanceOf(FfmpegError);
    expect(failure.message).toContain('No such file');
    expect(failure.stderrTail).toContain('none.mp4');
    expect(failure.exitCode).not.toBe(0);
  });

  it('kills the process when aborted, and rejects with the reason', async () => {
    const controller = new AbortController();
    const endless = ffmpeg.run(['-f', 'lavfi', '-i', 'testsrc2=size=640x360', '-f', 'null', '-'], {
      cwd: directory(),
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await expect(endless).rejects.toThrow('enough');
    expect(livingChildren()).toBe(0);
    await expect(ffmpeg.run(['-version'], { cwd: '/', signal: controller.signal })).rejects.toThrow('enough');
  });

  it('gives up on a process that shows no sign of life', async () => {
    const args = ['-loglevel', 'quiet', '-re', ...PICTURE, '-f', 'null', '-'];
    await expect(ffmpeg.run(args, { cwd: directory(), stallTimeoutMs: 200 })).rejects.toThrow(
      'no sign of life',
    );
    expect(livingChildren()).toBe(0);
  });
});

describe('probing', () => {
  it('reads container, duration and every stream', async () => {
    const cwd = directory();
    await ffmpeg.run(
      [
        ...PICTURE,
        ...TONE,
        ...H264,
        '-profile:v',
        'high',
        '-preset',
        'veryfast',
        '-c:a',
        'aac',
        '-ac',
        '2',
        'film.mp4',
      ],
      { cwd },
    );
    const probe = await ffmpeg.probe(join(cwd, 'film.mp4'));
    expect(probe).toMatchObject({ container: expect.stringContaining('mp4'), majorBrand: 'isom' });
    expect(probe.durationSeconds).toBeCloseTo(2, 1);
    expect(probe.streams).toMatchObject([
      {
        kind: 'video',
        codec: 'h264',
        profile: 'High',
        pixelFormat: 'yuv420p',
        width: 320,
        height: 180,
        rotationDegrees: 0,
        framesPerSecond: { numerator: 25, denominator: 1 },
        interlaced: false,
      },
      { kind: 'audio', codec: 'aac', profile: 'LC', channels: 2, channelLayout: 'stereo', sampleRate: 48000 },
    ]);
  });

  it('tells rotation, pixel shape, bit depth and language', async () => {
    const cwd = directory();
    await ffmpeg.run(
      [
        ...PICTURE,
        ...TONE,
        '-vf',
        'setsar=4/3',
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-pix_fmt',
        'yuv420p10le',
        '-c:a',
        'aac',
        '-metadata:s:a:0',
        'language=ger',
        'plain.mp4',
      ],
      { cwd },
    );
    await ffmpeg.run(['-display_rotation', '-90', '-i', 'plain.mp4', '-c', 'copy', 'turned.mp4'], { cwd });
    const { streams } = await ffmpeg.probe(join(cwd, 'turned.mp4'));
    expect(streams[0]).toMatchObject({
      rotationDegrees: 90,
      sampleAspect: { numerator: 4, denominator: 3 },
      pixelFormat: 'yuv420p10le',
    });
    expect(streams[1]).toMatchObject({ language: 'ger' });
  });

  it('measures files that do not know their own length', async () => {
    const cwd = directory();
    await ffmpeg.run(
      [
        ...PICTURE,
        ...TONE,
        '-c:v',
        'libvpx',
        '-deadline',
        'realtime',
        '-c:a',
        'libopus',
        '-live',
        '1',
        '-f',
        'webm',
        'live.webm',
      ],
      { cwd },
    );
    await ffmpeg.run([...TONE, '-c:a', 'aac', 'raw.aac'], { cwd });
    expect((await ffmpeg.probe(join(cwd, 'live.webm'))).durationSeconds).toBeCloseTo(2, 0);
    expect((await ffmpeg.probe(join(cwd, 'raw.aac'))).durationSeconds).toBeCloseTo(2, 0);
  });

  it('does not mistake cover art for a film', async () => {
    const cwd = directory();
    await ffmpeg.run([...PICTURE, '-frames:v', '1', 'cover.png'], { cwd });
    await ffmpeg.run(
      [
        ...TONE,
        '-i',
        'cover.png',
        '-map',
        '0:a',
        '-map',
        '1:v',
        '-c:a',
        'aac',
        '-c:v',
        'mjpeg',
        '-disposition:v',
        'attached_pic',
        'song.m4a',
      ],
      { cwd },
    );
    const { streams } = await ffmpeg.probe(join(cwd, 'song.m4a'));
    expect(streams.map((stream) => stream.kind)).toEqual(['audio', 'data']);
  });

  it('refuses what is not media, or would lead to other files', async () => {
    const cwd = directory();
    await ffmpeg.run([...PICTURE, ...H264, 'film.ts'], { cwd });
    const refused: [string, string][] = [
      ['page.mp4', '<html></html>'],
      ['empty.mp4', ''],
      ['list.mp4', `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${cwd}/film.ts\n#EXT-X-ENDLIST\n`],
      ['script.mp4', `ffconcat version 1.0\nfile ${cwd}/film.ts\n`],
    ];
    for (const [name, content] of refused) {
      writeFileSync(join(cwd, name), content);
      await expect(ffmpeg.probe(join(cwd, name))).rejects.toBeInstanceOf(FfmpegError);
    }
    await expect(ffmpeg.probe(join(cwd, 'none.mp4'))).rejects.toBeInstanceOf(FfmpegError);
  });
});

describe('text in the picture', () => {
  const RAW = ['-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'gray'];
  const GREY = ['-f', 'lavfi', '-i', 'color=gray:size=320x180:duration=1'];

  it('really appears, with the fonts that come along', async () => {
    const cwd = directory();
    symlinkSync(fontsDir(), join(cwd, 'fonts'));
    writeFileSync(join(cwd, 'text.srt'), '1\n00:00:00,000 --> 00:00:01,000\nHello world\n');
    await ffmpeg.run([...GREY, ...RAW, 'plain.raw'], { cwd });
    await ffmpeg.run(
      [
        ...GREY,
        '-vf',
        "subtitles=f=text.srt:fontsdir=fonts:force_style='FontName=DejaVu Sans'",
        ...RAW,
        'burnt.raw',
      ],
      { cwd },
    );
    await ffmpeg.run(
      [
        ...GREY,
        '-vf',
        'drawtext=fontfile=fonts/DejaVuSans.ttf:text=Hello:fontcolor=white:fontsize=40:x=20:y=20',
        ...RAW,
        'drawn.raw',
      ],
      { cwd },
    );
    const plain = readFileSync(join(cwd, 'plain.raw'));
    const changed = (name: string, fromRow: number, toRow: number): number => {
      const picture = readFileSync(join(cwd, name));
      expect(picture.length).toBe(320 * 180);
      let count = 0;
      for (let at = fromRow * 320; at < toRow * 320; at += 1) {
        if (Math.abs((picture[at] ?? 0) - (plain[at] ?? 0)) > 40) count += 1;
      }
      return count;
    };
    expect(changed('burnt.raw', 120, 180)).toBeGreaterThan(200);
    expect(changed('burnt.raw', 0, 100)).toBe(0);
    expect(changed('drawn.raw', 10, 70)).toBeGreaterThan(400);
    expect(changed('drawn.raw', 100, 180)).toBe(0);
  });
});
