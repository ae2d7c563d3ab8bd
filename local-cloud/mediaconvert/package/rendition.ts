import { appendFile, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readSegmentTiming, readTrackHeader, type TrackHeader } from './fmp4.ts';

export type PackagedSegment = { path: string; bytes: number; startTicks: number; durationTicks: number };

/** One encoded CMAF track as it lies on disk, measured from its own boxes. */
export type PackagedTrack = {
  header: TrackHeader;
  initPath: string;
  segments: PackagedSegment[];
  samples: number;
  durationSeconds: number;
  /** Bit rate of the heaviest segment and of the whole, in bits per second. */
  peakBitrate: number;
  averageBitrate: number;
};

const SHORTEST_TAIL_SECONDS = 0.25;

/** File names that the transcode asks ffmpeg's segmenter for; `stream` counts from 0 in output order. */
export const initFileName = (stream: number | '$RepresentationID$'): string => `init-${stream}.mp4`;
export const segmentFilePrefix = (stream: number | '$RepresentationID$'): string => `seg-${stream}-`;

/**
 * Measures the track that ffmpeg wrote for one stream. Undefined when not a single sample came out.
 * @throws Error when a file is not the fMP4 it should be.
 */
export async function readPackagedTrack(
  directory: string,
  stream: number,
): Promise<PackagedTrack | undefined> {
  const prefix = segmentFilePrefix(stream);
  const names = (await readdir(directory))
    .filter((name) => name.startsWith(prefix) && name.endsWith('.m4s'))
    .sort();
  if (names.length === 0) return undefined;
  const initPath = join(directory, initFileName(stream));
  const header = readTrackHeader(await readFile(initPath));
  const segments: PackagedSegment[] = [];
  let samples = 0;
  for (const name of names) {
    const path = join(directory, name);
    const timing = readSegmentTiming(await readFile(path), header);
    samples += timing.samples;
    segments.push({
      path,
      bytes: (await stat(path)).size,
      startTicks: timing.startTicks,
      durationTicks: timing.durationTicks,
    });
  }
  if (samples === 0) return undefined;
  if (header.channels !== undefined) await joinShortTail(segments, header.timescale);
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const ticks = segments.reduce((sum, segment) => sum + segment.durationTicks, 0);
  const durationSeconds = ticks / header.timescale;
  const rate = (segment: PackagedSegment): number =>
    segment.durationTicks > 0 ? (segment.bytes * 8 * header.timescale) / segment.durationTicks : 0;
  // A last segment of a few frames says nothing about the peak: its key frame weighs too much.
  const weighed = segments.length > 1 ? segments.slice(0, -1) : segments;
  const averageBitrate = durationSeconds > 0 ? Math.round((bytes * 8) / durationSeconds) : 0;
  return {
    header,
    initPath,
    segments,
    samples,
    durationSeconds,
    peakBitrate: Math.ceil(Math.max(averageBitrate, ...weighed.map(rate))),
    averageBitrate,
  };
}

/**
 * AAC frames do not divide a segment evenly, so a track of whole segments often ends in one of a frame or two. It
 * joins its predecessor: players would ask for a file of 20 ms, and audio would have more segments than video.
 */
async function joinShortTail(segments: PackagedSegment[], timescale: number): Promise<void> {
  const last = segments.at(-1);
  const previous = segments.at(-2);
  if (!last || !previous || last.durationTicks >= SHORTEST_TAIL_SECONDS * timescale) return;
  await appendFile(previous.path, await readFile(last.path));
  previous.bytes += last.bytes;
  previous.durationTicks += last.durationTicks;
  segments.pop();
}
