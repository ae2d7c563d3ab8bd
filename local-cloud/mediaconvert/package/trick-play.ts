import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlannedCmafGroup, PlannedTrickPlay } from '../transcode/plan.ts';
import { relativeUri, tileName, tilePlaylistName } from './names.ts';

/** One set of trick-play pictures as it lies on disk. `peakBitrate` is that of the largest picture. */
export type TileSet = { plan: PlannedTrickPlay; paths: string[]; peakBitrate: number };

/** Measures the pictures that ffmpeg wrote for one set; undefined when there is not a single one. */
export async function readTileSet(plan: PlannedTrickPlay, directory: string): Promise<TileSet | undefined> {
  const names = (await readdir(directory)).filter((name) => name.startsWith(plan.filePrefix)).sort();
  if (names.length === 0) return undefined;
  const paths = names.map((name) => join(directory, name));
  let largestBytes = 0;
  for (const path of paths) largestBytes = Math.max(largestBytes, (await stat(path)).size);
  return { plan, paths, peakBitrate: Math.max(1, Math.ceil((largestBytes * 8) / secondsPerPicture(plan))) };
}

/** Playlist of trick-play pictures (the Image Media Playlist extension of HLS, version 0.4). */
export function writeTilePlaylist(group: PlannedCmafGroup, tiles: TileSet, durationSeconds: number): string {
  const { plan } = tiles;
  const step = secondsPerPicture(plan);
  const durations = tiles.paths.map((_, index) =>
    Math.min(step, Math.max(0.001, durationSeconds - index * step)),
  );
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${Math.ceil(Math.max(...durations))}`,
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-IMAGES-ONLY',
    ...durations.flatMap((duration, index) => [
      `#EXTINF:${duration.toFixed(5)},`,
      `#EXT-X-TILES:RESOLUTION=${plan.width}x${plan.height},LAYOUT=${plan.columns}x${plan.rows},DURATION=${plan.intervalSeconds}`,
      relativeUri(tileName(group.target.base, plan.suffix, index + 1)),
    ]),
    '#EXT-X-ENDLIST',
    '',
  ].join('\n');
}

/** Line of the multivariant playlist that announces a set of pictures. */
export function imageStreamInf(group: PlannedCmafGroup, { plan, peakBitrate }: TileSet): string {
  const size = `${plan.width * plan.columns}x${plan.height * plan.rows}`;
  const uri = relativeUri(tilePlaylistName(group.target.base, plan.suffix));
  return `#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=${peakBitrate},RESOLUTION=${size},CODECS="jpeg",URI="${uri}"`;
}

export const secondsPerPicture = (plan: PlannedTrickPlay): number =>
  plan.intervalSeconds * plan.columns * plan.rows;
