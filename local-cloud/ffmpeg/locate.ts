import { accessSync, constants, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FfmpegError } from './errors.ts';
import { probeMedia } from './probe.ts';
import { type Launcher, queryProcess, runProcess } from './process.ts';
import type { Ffmpeg, FfmpegSource } from './types.ts';

const ORIGINS: Record<FfmpegSource, string> = {
  env: 'FFMPEG_PATH',
  path: 'PATH',
  npm: 'npm binary',
  wasm: 'WebAssembly, slow',
};

type Environment = { FFMPEG_PATH?: string | undefined; PATH?: string | undefined };

/**
 * Finds an ffmpeg that can do what the transcoder needs, without any manual step: `FFMPEG_PATH`, then `ffmpeg` on
 * `PATH`, then the npm binary for this platform, then the WebAssembly build (about four times slower). A candidate
 * from `PATH` or npm that fails the trial run is passed over.
 * @throws Error when `FFMPEG_PATH` is set but unusable, or when nothing is installed.
 */
export async function locateFfmpeg(env: Environment = process.env): Promise<Ffmpeg> {
  if (env.FFMPEG_PATH) {
    const found = await tryCandidate('env', { command: env.FFMPEG_PATH, prefixArgs: [] });
    if ('reason' in found) throw new Error(`FFMPEG_PATH=${env.FFMPEG_PATH} cannot be used: ${found.reason}`);
    return found;
  }
  const reasons: string[] = [];
  for (const [source, launcher] of candidates(env)) {
    const found = await tryCandidate(source, launcher);
    if (!('reason' in found)) return found;
    reasons.push(`${source} (${launcher.command}): ${found.reason}`);
  }
  throw new Error(`no usable ffmpeg; run npm install without --omit=optional. ${reasons.join('; ')}`);
}

/** The WebAssembly build, whatever else is installed. */
export async function wasmFfmpeg(): Promise<Ffmpeg> {
  const launcher = wasmLauncher();
  if (!launcher) throw new Error('the optional package @ffmpeg/core is not installed');
  const found = await tryCandidate('wasm', launcher);
  if ('reason' in found) throw new Error(found.reason);
  return found;
}

function* candidates(env: Environment): Generator<[FfmpegSource, Launcher]> {
  for (const directory of (env.PATH ?? '').split(delimiter)) {
    const command = join(directory, 'ffmpeg');
    if (directory !== '' && isExecutable(command)) {
      yield ['path', { command, prefixArgs: [] }];
      break;
    }
  }
  const binary = packageFile(`@ffmpeg-binary/${process.platform}-${process.arch}/package.json`);
  if (binary && isExecutable(join(dirname(binary), 'ffmpeg'))) {
    yield ['npm', { command: join(dirname(binary), 'ffmpeg'), prefixArgs: [] }];
  }
  const wasm = wasmLauncher();
  if (wasm) yield ['wasm', wasm];
}

function wasmLauncher(): Launcher | undefined {
  if (!packageFile('@ffmpeg/core')) return undefined;
  return {
    command: process.execPath,
    prefixArgs: [
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('./wasm-cli.ts', import.meta.url)),
    ],
  };
}

function packageFile(specifier: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(specifier);
  } catch {
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

async function tryCandidate(source: FfmpegSource, launcher: Launcher): Promise<Ffmpeg | { reason: string }> {
  try {
    const banner = await queryProcess(launcher, ['-version']);
    await trialRun(launcher);
    return createFfmpeg(source, launcher, /ffmpeg version (\S+)/.exec(banner)?.[1] ?? 'unknown');
  } catch (error) {
    const detail = error instanceof FfmpegError ? error.stderrTail.trim().split('\n').at(-1) : undefined;
    return { reason: detail || (error instanceof Error ? error.message : String(error)) };
  }
}

/** Encodes a few frames with the encoders, filters and muxers that jobs use; a build without one of them fails. */
async function trialRun(launcher: Launcher): Promise<void> {
  const cwd = await mkdtemp(join(tmpdir(), 'ffmpeg-trial-'));
  try {
    await runProcess(
      launcher,
      [
        ...['-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=10:duration=0.5'],
        ...['-f', 'lavfi', '-i', 'sine=duration=0.5'],
        ...[
          '-filter_complex',
          '[0:v]split=2[a][b];[a]scale=32:32,setsar=1,setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc,zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable,zscale=t=bt709:m=bt709:r=tv,format=yuv420p[v];[b]fps=2,tile=1x1[t];[1:a]loudnorm[s]',
        ],
        ...[
          '-map',
          '[v]',
          '-map',
          '[s]',
          '-c:v',
          'libx264',
          '-preset',
          'ultrafast',
          '-c:a',
          'aac',
          '-ar',
          '48000',
        ],
        ...['-f', 'dash', '-frag_type', 'duration', '-frag_duration', '1', 'trial.mpd'],
        ...['-map', '[t]', '-c:v', 'mjpeg', '-f', 'image2', '%03d.jpg'],
      ],
      { cwd, stallTimeoutMs: 30_000, onProgress: () => {} },
    );
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

function createFfmpeg(source: FfmpegSource, launcher: Launcher, version: string): Ffmpeg {
  const run: Ffmpeg['run'] = (args, options) => runProcess(launcher, args, options);
  return {
    source,
    command: [launcher.command, ...launcher.prefixArgs].join(' '),
    version,
    description: `ffmpeg ${version} (${ORIGINS[source]})`,
    run,
    probe: (file, options) => probeMedia(run, file, options),
  };
}
