import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Ffmpeg } from '../../ffmpeg/index.ts';

/** A smaller picture beside the one the encoder sends. */
export type Rung = { height: number; bitrate: number };

export type TranscoderOptions = {
  ffmpeg: Ffmpeg;
  copiesVideo: boolean;
  copiesAudio: boolean;
  rungs: readonly Rung[];
  /** Bytes of the fragmented MP4 of a rendition: 0 is the size that came in, then the rungs. */
  onData: (rendition: number, bytes: Buffer) => void;
  /** The process is gone and all its bytes were handed over; `failure` when it was not asked to end. */
  onExit: (failure: string | undefined) => void;
};

export type Transcoder = {
  readonly pid: number | undefined;
  /** Takes FLV; false when no more should come until `onDrain`. */
  write(bytes: Buffer): boolean;
  onDrain(listener: () => void): void;
  /** Ends the input; what was taken still comes out. */
  end(): void;
};

/** Parts are made of whole frames, so this is a little less than the 350 ms that a part should not exceed. */
const FRAGMENT_MICROSECONDS = 300_000;
const STDERR_TAIL_CHARS = 4096;
const END_GRACE_MS = 5000;

const outputOf = (index: number): string[] => [
  ...['-max_interleave_delta', '500000', '-flush_packets', '1', '-f', 'mp4'],
  ...[
    '-movflags',
    '+frag_keyframe+empty_moov+default_base_moof',
    '-frag_duration',
    String(FRAGMENT_MICROSECONDS),
  ],
  `pipe:${index === 0 ? 1 : index + 2}`,
];

function argumentsOf({ copiesVideo, copiesAudio, rungs }: TranscoderOptions): string[] {
  const audio = ['-c:a', ...(copiesAudio ? ['copy'] : ['aac', '-b:a', '128k'])];
  const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'];
  const keyFrames = copiesVideo
    ? ['-g', '1000', '-sc_threshold', '0', '-force_key_frames', 'source']
    : ['-force_key_frames', 'expr:gte(t,n_forced*2)'];
  const tracks = ['-map', '0:v:0', '-map', '0:a:0?'];
  return [
    ...['-hide_banner', '-nostdin', '-loglevel', 'error'],
    ...['-probesize', '1000000', '-analyzeduration', '1000000', '-f', 'flv', '-i', 'pipe:0'],
    ...tracks,
    ...(copiesVideo ? ['-c:v', 'copy'] : [...encode, ...keyFrames]),
    ...audio,
    ...outputOf(0),
    ...rungs.flatMap(({ height, bitrate }, index) => [
      ...tracks,
      ...['-vf', `scale=-2:${height}`, ...encode, ...keyFrames],
      ...['-maxrate', String(bitrate), '-bufsize', String(bitrate)],
      ...audio,
      ...outputOf(index + 1),
    ]),
  ];
}

/**
 * One ffmpeg per broadcast: FLV in by a pipe, one fragmented MP4 per rendition out by pipes. It cannot outlive this
 * process, whose end is the end of its input.
 */
export function startTranscoder(options: TranscoderOptions): Transcoder {
  const extra = options.rungs.map(() => 'pipe' as const);
  const child: ChildProcess = spawn(options.ffmpeg.command, argumentsOf(options), {
    stdio: ['pipe', 'pipe', 'pipe', ...extra],
  });
  let asked = false;
  let stderrTail = '';
  let graceTimer: NodeJS.Timeout | undefined;
  let spawnError = '';

  const outputs = [child.stdio[1], ...child.stdio.slice(3)] as Readable[];
  outputs.forEach((output, rendition) => {
    output.on('data', (bytes: Buffer) => options.onData(rendition, bytes));
    output.on('error', () => {});
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderrTail = (stderrTail + text).slice(-STDERR_TAIL_CHARS);
  });
  // Written to after it died: `close` tells of that.
  child.stdin?.on('error', () => {});
  child.once('error', (error) => {
    spawnError = error.message;
  });
  child.once('close', (code, signal) => {
    clearTimeout(graceTimer);
    const reason = spawnError || stderrTail.trim() || `ended with ${signal ?? code}`;
    options.onExit(asked ? undefined : reason);
  });

  return {
    pid: child.pid,
    write: (bytes) => child.stdin?.write(bytes) ?? false,
    onDrain: (listener) => void child.stdin?.on('drain', listener),
    end() {
      asked = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.stdin?.end();
      graceTimer ??= setTimeout(() => child.kill('SIGKILL'), END_GRACE_MS);
    },
  };
}
