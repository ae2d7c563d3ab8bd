import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ffmpeg } from '../../ffmpeg/index.ts';

/** A still of a segment, a number of seconds into it, as a JPEG file in `directory`. */
export async function makeThumbnail(
  ffmpeg: Ffmpeg,
  directory: string,
  segment: { path: string; initPath: string },
  offsetSeconds: number,
): Promise<string> {
  const film = join(directory, 'thumbnail.mp4');
  await writeFile(film, Buffer.concat([await readFile(segment.initPath), await readFile(segment.path)]));
  try {
    const seek = offsetSeconds > 0 ? ['-ss', offsetSeconds.toFixed(3)] : [];
    // Sought after decoding has begun: the clock of a segment does not start at zero.
    const args = ['-i', film, '-an', '-vf', 'setpts=PTS-STARTPTS', ...seek];
    await ffmpeg.run([...args, '-frames:v', '1', '-q:v', '4', '-update', '1', 'thumb.jpg'], {
      cwd: directory,
      stallTimeoutMs: 60_000,
    });
  } finally {
    await rm(film, { force: true });
  }
  return join(directory, 'thumb.jpg');
}
