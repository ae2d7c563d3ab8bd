import { basename, dirname, resolve } from 'node:path';
import { FfmpegError } from './errors.ts';
import { INPUT_GUARD } from './input-guard.ts';
import { parseInputReport } from './probe-report.ts';
import type { Ffmpeg, MediaProbe } from './types.ts';

/** Implements `Ffmpeg.probe` on top of `Ffmpeg.run`, so that no ffprobe is needed. */
export async function probeMedia(
  run: Ffmpeg['run'],
  file: string,
  options: { signal?: AbortSignal } = {},
): Promise<MediaProbe> {
  const path = resolve(file);
  const where = { cwd: dirname(path), ...options };
  const input = [...INPUT_GUARD, '-i', path];
  const report = await readReport(run, input, where);
  const probe = parseInputReport(report);
  if (!probe || probe.streams.length === 0) {
    throw new FfmpegError(`no media streams found in ${basename(path)}`, 0, report);
  }
  if (probe.durationSeconds !== undefined) return { ...probe, durationSeconds: probe.durationSeconds };
  // Browser recordings carry no duration and raw streams only allow a guess: read through the packets once.
  let durationSeconds = 0;
  await run([...input, '-map', '0:v?', '-map', '0:a?', '-c', 'copy', '-f', 'null', '-'], {
    ...where,
    onProgress: (progress) => {
      durationSeconds = Math.max(durationSeconds, progress.outTimeSeconds);
    },
  });
  return { ...probe, durationSeconds };
}

/** Without an output file ffmpeg describes its input and then exits with an error: that description is the result. */
async function readReport(
  run: Ffmpeg['run'],
  input: readonly string[],
  where: { cwd: string; signal?: AbortSignal },
): Promise<string> {
  try {
    return (await run(input, where)).stderrTail;
  } catch (error) {
    if (error instanceof FfmpegError && /At least one output file must be specified/.test(error.stderrTail)) {
      return error.stderrTail;
    }
    throw error;
  }
}
