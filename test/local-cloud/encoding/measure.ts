import type { Ffmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { newDirectory } from '../mediaconvert/directories.ts';

/**
 * RFC 6381 codec string of an initialization segment, read without the packager's own reader: profile, constraints and
 * level from `avcC` (ISO/IEC 14496-15 §5.3.3), the audio object type from the descriptors of `esds` (ISO/IEC 14496-1 §7.2.6).
 */
export function codecStringOf(init: Buffer): string {
  const avcC = init.indexOf('avcC');
  if (avcC >= 0) return `avc1.${init.toString('hex', avcC + 5, avcC + 8)}`;
  const esds = init.indexOf('esds');
  if (esds < 0) throw new Error('neither avcC nor esds');
  const specific = descriptor(init, descriptor(init, descriptor(init, esds + 8, 0x03) + 3, 0x04) + 13, 0x05);
  return `mp4a.40.${(init[specific] ?? 0) >> 3}`;
}

/** Where the content of the descriptor at `offset` starts. */
function descriptor(bytes: Buffer, offset: number, tag: number): number {
  if (bytes[offset] !== tag) throw new Error(`descriptor ${tag} is not at ${offset}`);
  let next = offset + 1;
  while (((bytes[next] ?? 0) & 0x80) !== 0) next += 1;
  return next + 1;
}

/** Loudness of a whole file as an EBU R128 meter reads it. */
export async function loudnessOf(
  ffmpeg: Ffmpeg,
  path: string,
): Promise<{ integratedLkfs: number; truePeakDb: number }> {
  const { stderrTail } = await ffmpeg.run(
    ['-i', path, '-map', '0:a:0', '-af', 'ebur128=peak=true:framelog=verbose', '-f', 'null', '-'],
    { cwd: newDirectory('loudness') },
  );
  const summary = stderrTail.slice(stderrTail.lastIndexOf('Summary:'));
  return {
    integratedLkfs: Number(/I:\s+(-?[\d.]+) LUFS/.exec(summary)?.[1]),
    truePeakDb: Number(/Peak:\s+(-?[\d.]+) dBFS/.exec(summary)?.[1]),
  };
}

/** Mean brightness (0 to 255) of a part of a picture given as packed RGB. */
export function brightness(
  rgb: Buffer,
  pictureWidth: number,
  part: { x: number; y: number; width: number; height: number },
): number {
  let sum = 0;
  for (let row = part.y; row < part.y + part.height; row += 1) {
    const from = (row * pictureWidth + part.x) * 3;
    for (let index = from; index < from + part.width * 3; index += 1) sum += rgb[index] ?? 0;
  }
  return sum / (part.width * part.height * 3);
}
