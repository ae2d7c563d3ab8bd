import { readFile } from 'node:fs/promises';
import type { PlannedCmafGroup } from '../transcode/plan.ts';
import { readBoxes } from './boxes.ts';
import { readKeyFrame } from './fmp4.ts';
import type { EncodedTrack } from './hls.ts';
import { iFramePlaylistName, initName, relativeUri, segmentName } from './names.ts';

/** Where a key frame lies in a media segment, with the boxes that are needed to decode it. */
export type IFrame = { segment: number; offset: number; bytes: number; startTicks: number };

/** Finds the key frames that fragments start with; `segment` counts from 1. */
export async function readIFrames(track: EncodedTrack): Promise<IFrame[]> {
  const frames: IFrame[] = [];
  for (const [index, { path }] of track.packaged.segments.entries()) {
    const bytes = await readFile(path);
    let offset = 0;
    for (const box of readBoxes(bytes)) {
      const size = box.content.length + box.headerBytes;
      const key = box.type === 'moof' ? readKeyFrame(box.content, size) : undefined;
      if (key) frames.push({ segment: index + 1, offset, bytes: key.endOffset, startTicks: key.startTicks });
      offset += size;
    }
  }
  return frames;
}

/** Playlist of a rendition's key frames alone (RFC 8216 §4.3.3.6), each a range of its segment. */
export function writeIFramePlaylist(
  group: PlannedCmafGroup,
  track: EncodedTrack,
  frames: readonly IFrame[],
): string {
  const { base } = group.target;
  const { kind, nameModifier } = track.plan;
  const { header, segments } = track.packaged;
  const endTicks = segments.reduce(
    (end, { startTicks, durationTicks }) => Math.max(end, startTicks + durationTicks),
    0,
  );
  const durations = frames.map(
    (frame, index) => ((frames[index + 1]?.startTicks ?? endTicks) - frame.startTicks) / header.timescale,
  );
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${Math.max(1, Math.ceil(Math.max(...durations)))}`,
    '#EXT-X-MEDIA-SEQUENCE:1',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-I-FRAMES-ONLY',
    `#EXT-X-MAP:URI="${relativeUri(initName(base, nameModifier, kind))}"`,
    ...frames.flatMap((frame, index) => [
      `#EXTINF:${(durations[index] ?? 0).toFixed(5)},`,
      `#EXT-X-BYTERANGE:${frame.bytes}@${frame.offset}`,
      relativeUri(segmentName(base, nameModifier, kind, frame.segment)),
    ]),
    '#EXT-X-ENDLIST',
    '',
  ].join('\n');
}

/** Line of the multivariant playlist that announces the key frames of a rendition. */
export function iFrameStreamInf(
  group: PlannedCmafGroup,
  track: EncodedTrack,
  frames: readonly IFrame[],
): string {
  const { header, durationSeconds } = track.packaged;
  const seconds = durationSeconds / Math.max(1, frames.length);
  const bandwidth = Math.max(1, Math.ceil((Math.max(...frames.map(({ bytes }) => bytes)) * 8) / seconds));
  const uri = relativeUri(iFramePlaylistName(group.target.base, track.plan.nameModifier));
  return `#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=${bandwidth},CODECS="${header.codec}",RESOLUTION=${header.width}x${header.height},URI="${uri}"`;
}
