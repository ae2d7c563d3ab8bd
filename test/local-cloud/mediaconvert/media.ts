import { join } from 'node:path';
import type { Ffmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { newDirectory } from './directories.ts';

export type ClipOptions = {
  seconds?: number;
  size?: string;
  rate?: string;
  sound?: boolean;
  /** ffmpeg's counter-clockwise display rotation. */
  rotation?: number;
  codecArgs?: string[];
};

/** Makes a small film with a moving test picture and, unless told otherwise, a tone. */
export async function makeClip(ffmpeg: Ffmpeg, path: string, options: ClipOptions = {}): Promise<string> {
  const { seconds = 2, size = '320x180', rate = '25', sound = true, rotation } = options;
  const cwd = newDirectory('clip');
  const made = rotation === undefined ? path : join(cwd, 'unrotated.mp4');
  await ffmpeg.run(
    [
      ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`],
      ...(sound ? ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`] : []),
      ...(options.codecArgs ?? [
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-pix_fmt',
        'yuv420p',
        '-c:a',
        'aac',
      ]),
      made,
    ],
    { cwd },
  );
  if (rotation !== undefined) {
    await ffmpeg.run(['-display_rotation', String(rotation), '-i', made, '-c', 'copy', path], { cwd });
  }
  return path;
}

/** Decodes a file completely, failing on the first decoding error. */
export async function decodeStrictly(
  ffmpeg: Ffmpeg,
  path: string,
): Promise<{ frames: number; seconds: number }> {
  let frames = 0;
  let seconds = 0;
  const manifest = /\.(m3u8|mpd)$/.test(path) ? ['-allowed_extensions', 'ALL'] : [];
  await ffmpeg.run(['-xerror', '-err_detect', 'explode', ...manifest, '-i', path, '-f', 'null', '-'], {
    cwd: newDirectory('decode'),
    onProgress: (progress) => {
      frames = progress.frames;
      seconds = progress.outTimeSeconds;
    },
  });
  return { frames, seconds };
}
