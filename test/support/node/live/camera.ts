import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';

// A picture whose top shows the time of its making as a row of black and white squares, which survive any encoder.

export const picture = { width: 320, height: 180, rate: 30 } as const;
/** Of the time in milliseconds, the lowest first. */
export const clockBits = 24;
const square = Math.floor(picture.width / clockBits);
const rows = 24;

/** One I420 frame that shows `timeMs`, with a bar that moves. */
function frameAt(timeMs: number): Buffer {
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
async function film(to: Writable): Promise<void> {
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
    if (isOpen && !to.write(frameAt(Date.now()))) await drained(to);
  }
}

/** Waits until a stream takes more, or is closed. */
async function drained(stream: Writable): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]);
  } catch {
    // It failed, which its own listener takes note of.
  } finally {
    settled.abort();
  }
}

/** Where each bit of the clock is seen, in pixels. */
export const clockPoints = Array.from({ length: clockBits }, (_, bit) => ({
  x: bit * square + Math.floor(square / 2),
  y: rows / 2,
}));

/** A camera that is on. */
export interface Camera {
  /** Ends it without a word to the server, as a lost connection does. */
  cut(): Promise<void>;
  /** Ends the broadcast as an encoder does. */
  stop(): Promise<void>;
  /** What ffmpeg complained of. */
  complaints(): string;
}

/** Has ffmpeg send the picture, and silence, to an RTMP address, with a key frame each second. */
export function startCamera(ffmpeg: string, rtmpUrl: string): Camera {
  const { width, height, rate } = picture;
  const child = spawn(
    ffmpeg,
    [
      ...['-hide_banner', '-loglevel', 'error', '-fflags', 'nobuffer', '-probesize', '32'],
      ...[
        '-f',
        'rawvideo',
        '-pix_fmt',
        'yuv420p',
        '-s',
        `${width}x${height}`,
        '-r',
        String(rate),
        '-i',
        'pipe:0',
      ],
      ...['-f', 'lavfi', '-i', 'anullsrc=channel_layout=stereo:sample_rate=48000'],
      ...[
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-tune',
        'zerolatency',
        '-g',
        String(rate),
        '-keyint_min',
        String(rate),
      ],
      ...[
        '-sc_threshold',
        '0',
        '-b:v',
        '800k',
        '-c:a',
        'aac',
        '-b:a',
        '64k',
        '-flush_packets',
        '1',
        '-shortest',
      ],
      ...['-f', 'flv', rtmpUrl],
    ],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  const ended = once(child, 'close');
  let tail = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-4_000);
  });
  void film(child.stdin);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.stdin.destroy();
    child.kill(signal);
    await ended;
  };
  process.once('exit', () => child.kill('SIGKILL'));
  return { cut: () => end('SIGKILL'), stop: () => end('SIGINT'), complaints: () => tail };
}
