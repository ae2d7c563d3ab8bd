import { type ChildProcess, spawn } from 'node:child_process';
import type { Ffmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import type { Ivs } from '../../../local-cloud/ivs/index.ts';

export type Publication = {
  readonly child: ChildProcess;
  /** Exit code, null when it was killed. */
  readonly ended: Promise<number | null>;
  stderr(): string;
  stop(): Promise<void>;
};

export type PublishOptions = {
  secure?: boolean;
  seconds?: number;
  /** Arguments instead of those that make H.264 and AAC. */
  codecs?: readonly string[];
  size?: string;
  /** Between key frames. */
  gopSeconds?: number;
  query?: string;
};

const RATE = 15;

/** Where encoders connect to, and the ffmpeg that plays one. */
export type IngestTarget = {
  readonly ivs: Pick<Ivs, 'rtmpPort' | 'rtmpsPort'>;
  readonly ffmpeg: Ffmpeg;
};

/** ffmpeg publishes a small test picture with sound, as fast as it plays. */
export function publish(cloud: IngestTarget, key: string, options: PublishOptions = {}): Publication {
  const { secure = false, seconds = 600, size = '160x90', gopSeconds = 1, query = '' } = options;
  const port = secure ? cloud.ivs.rtmpsPort : cloud.ivs.rtmpPort;
  const codecs = options.codecs ?? [
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'],
    ...['-g', String(RATE * gopSeconds), '-keyint_min', String(RATE * gopSeconds), '-sc_threshold', '0'],
    ...['-c:a', 'aac', '-b:a', '64k'],
  ];
  const child = spawn(
    cloud.ffmpeg.command,
    [
      ...['-hide_banner', '-loglevel', 'error', '-nostdin', '-re'],
      ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${RATE}`],
      ...['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'],
      ...['-t', String(seconds), ...codecs, '-f', 'flv'],
      `${secure ? 'rtmps' : 'rtmp'}://127.0.0.1:${port}/app/${key}${query}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  publications.add(child);
  ended.then(() => publications.delete(child));
  return {
    child,
    ended,
    stderr: () => stderr,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const publications = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of publications) child.kill('SIGKILL');
});
