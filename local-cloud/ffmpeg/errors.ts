/** ffmpeg ended badly. `stderrTail` holds the last lines it wrote; `exitCode` is null when it was killed. */
export class FfmpegError extends Error {
  readonly exitCode: number | null;
  readonly stderrTail: string;

  constructor(message: string, exitCode: number | null, stderrTail: string) {
    super(message);
    this.name = 'FfmpegError';
    this.exitCode = exitCode;
    this.stderrTail = stderrTail;
  }
}

/** The most telling line of ffmpeg's output, without its `[mov @ 0x…]` prefix. */
export function lastErrorLine(stderrTail: string): string {
  const lines = stderrTail
    .split(/[\r\n]+/)
    .map((line) => line.replace(/^\[[^\]]* @ 0x[0-9a-f]+\]\s*/i, '').trim())
    .filter(
      (line) =>
        line !== '' && !/^(Conversion failed|frame=|size=|Exiting|Error opening input file)/.test(line),
    );
  return lines.at(-1) ?? 'unknown error';
}
