import type { FfmpegProgress } from './types.ts';

/**
 * Reader of the `key=value` blocks that `ffmpeg -progress pipe:1` writes. Feed it chunks of text as they come;
 * it reports each complete block once. Unknown keys and `N/A` are skipped.
 */
export function createProgressParser(
  onProgress: (progress: FfmpegProgress) => void,
): (chunk: string) => void {
  let rest = '';
  let outTimeSeconds = 0;
  let frames = 0;
  return (chunk) => {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const separator = line.indexOf('=');
      if (separator < 0) continue;
      const key = line.slice(0, separator).trim();
      const value = line.slice(separator + 1).trim();
      if (key === 'out_time_us') outTimeSeconds = positive(value, outTimeSeconds * 1e6) / 1e6;
      else if (key === 'frame') frames = positive(value, frames);
      else if (key === 'progress') onProgress({ outTimeSeconds, frames, done: value === 'end' });
    }
  };
}

function positive(text: string, fallback: number): number {
  const value = Number(text);
  return Number.isFinite(value) && value >= 0 ? value : fallback;
}
