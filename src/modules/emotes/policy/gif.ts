import type { PictureProblem } from './png.ts';

/** An animation is shown as it is sent, so it has the size it is shown at. */
export const gifSide = 112;
export const maxGifBytes = 524_288;
export const maxFrames = 60;

/**
 * Takes a GIF apart by its blocks (https://www.w3.org/Graphics/GIF/spec-gif89a.txt) and puts it together without comments, texts
 * and applications' data but for the loop. What lies behind its end is not passed on.
 */
export function emoteGif(file: Uint8Array): Uint8Array<ArrayBuffer> | { readonly problem: PictureProblem } {
  if (file.length > maxGifBytes) return { problem: 'too_many_bytes' };
  const text = (at: number, length: number): string => String.fromCharCode(...file.subarray(at, at + length));
  const word = (at: number): number => (file[at] ?? 0) + (file[at + 1] ?? 0) * 256;
  const tableBytes = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 0x07) + 1));
  if (file.length < 14 || !['GIF87a', 'GIF89a'].includes(text(0, 6))) return { problem: 'not_a_picture' };
  const [width, height] = [word(6), word(8)];
  if (width !== height) return { problem: 'not_square' };
  if (width !== gifSide) return { problem: 'wrong_size' };

  /** Where the sub-blocks that begin at `at` end; undefined when they do not. */
  const afterBlocks = (at: number): number | undefined => {
    for (let next = at; next < file.length; ) {
      const length = file[next] ?? 0;
      if (length === 0) return next + 1;
      next += 1 + length;
    }
    return undefined;
  };

  let at = 13 + tableBytes(file[10] ?? 0);
  const kept = [file.subarray(0, at)];
  let frames = 0;
  while (at < file.length) {
    const kind = file[at];
    if (kind === 0x3b) {
      if (frames === 0) return { problem: 'not_a_picture' };
      return joined([...kept, file.subarray(at, at + 1)]);
    }
    if (kind === 0x21) {
      const end = afterBlocks(at + 2);
      if (end === undefined) break;
      const isControl = file[at + 1] === 0xf9 && file[at + 2] === 4;
      const isLoop = file[at + 1] === 0xff && file[at + 2] === 11 && text(at + 3, 11) === 'NETSCAPE2.0';
      if (isControl || isLoop) kept.push(file.subarray(at, end));
      at = end;
      continue;
    }
    if (kind !== 0x2c) break;
    const [left, top, wide, tall] = [word(at + 1), word(at + 3), word(at + 5), word(at + 7)];
    if (wide === 0 || tall === 0 || left + wide > width || top + tall > height) break;
    const data = at + 10 + tableBytes(file[at + 9] ?? 0);
    const codeSize = file[data] ?? 0;
    const end = afterBlocks(data + 1);
    if (codeSize < 2 || codeSize > 8 || end === undefined) break;
    frames += 1;
    if (frames > maxFrames) return { problem: 'too_many_frames' };
    kept.push(file.subarray(at, end));
    at = end;
  }
  return { problem: 'not_a_picture' };
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
