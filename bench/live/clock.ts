import { once } from 'node:events';
import type { Writable } from 'node:stream';

// A picture whose top shows the time of its making as a row of black and white squares, which survive any encoder.

export const picture = { width: 320, height: 180, rate: 30 } as const;
/** Of the time in milliseconds, the lowest first. */
export const clockBits = 24;
const square = Math.floor(picture.width / clockBits);
const rows = 24;

/** One I420 frame that shows `timeMs`, with a bar that moves. */
export function frameAt(timeMs: number): Buffer {
  const { width, height } = picture;
  const luma = Buffer.alloc(width * height, 96);
  const line = Buffer.alloc(width, 16);
  for (let bit = 0; bit < clockBits; bit += 1)
    if (Math.floor(timeMs / 2 ** bit) % 2 === 1) line.fill(235, bit * square, (bit + 1) * square);
  for (let row = 0; row < rows; row += 1) line.copy(luma, row * width);
  const bar = Math.floor((timeMs / 10) % (width - 16));
  for (let row = rows + 20; row < height - 20; row += 1)
    luma.fill(200, row * width + bar, row * width + bar + 16);
  return Buffer.concat([luma, Buffer.alloc((width * height) / 2, 128)]);
}

/** Writes frames at their rate, each with the time at which it is written, until the stream closes. */
export async function film(to: Writable): Promise<void> {
  const startedAt = performance.now();
  let isOpen = true;
  to.on('close', () => {
    isOpen = false;
  }).on('error', () => {
    isOpen = false;
  });
  for (let frame = 0; isOpen; frame += 1) {
    const due = startedAt + (frame * 1_000) / picture.rate;
    const early = due - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    if (isOpen && !to.write(frameAt(Date.now()))) await Promise.race([once(to, 'drain'), once(to, 'close')]);
  }
}

/** Where each bit of the clock is seen, in pixels. */
export const clockPoints = Array.from({ length: clockBits }, (_, bit) => ({
  x: bit * square + Math.floor(square / 2),
  y: rows / 2,
}));
