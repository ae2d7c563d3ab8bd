import type { RenditionInfo } from '../playback/playlists.ts';
import type { RecordingConfiguration, Resolution } from '../resources.ts';

/** What of a rendition is told in the metadata and the playlists of a recording. */
export type RecordedRendition = Pick<
  RenditionInfo,
  'name' | 'width' | 'height' | 'framerate' | 'bandwidth' | 'codecs'
>;

/** One segment of a recording, as noted when it was stored. */
export type RecordedSegment = {
  rendition: number;
  number: number;
  init: number;
  durationSeconds: number;
  discontinuity: boolean;
  /** When it began, on the clock of the wall. */
  atMs: number;
};

const HEIGHTS: Readonly<Record<Exclude<Resolution, 'LOWEST_RESOLUTION'>, number>> = {
  SD: 480,
  HD: 720,
  FULL_HD: 1080,
};

/** `ivs/v1/<account>/<channel>/<year>/<month>/<day>/<hours>/<minutes>/<id>`, numbers without leading zeros. */
export function prefixOf(accountId: string, channelArn: string, startedAtMs: number, id: string): string {
  const at = new Date(startedAtMs);
  const time = [
    at.getUTCFullYear(),
    at.getUTCMonth() + 1,
    at.getUTCDate(),
    at.getUTCHours(),
    at.getUTCMinutes(),
  ];
  return ['ivs/v1', accountId, channelArn.slice(channelArn.lastIndexOf('/') + 1), ...time, id].join('/');
}

/** Indexes of the renditions that are recorded. One that is asked for and not there is replaced by the best. */
export function recordedRenditions(
  { renditionSelection, renditions }: RecordingConfiguration['renditions'],
  offered: readonly RecordedRendition[],
  isBasic: boolean,
): number[] {
  const all = offered.map((_, index) => index);
  if (renditionSelection === 'NONE') return [];
  if (renditionSelection === 'ALL' || isBasic) return all;
  const chosen = renditions.map((resolution) => indexOf(resolution, offered) ?? 0);
  return all.filter((index) => chosen.includes(index));
}

/** The rendition that thumbnails are made of: the one asked for, or the source. */
export const thumbnailRendition = (
  resolution: Resolution | undefined,
  offered: readonly RecordedRendition[],
): number => (resolution === undefined ? 0 : (indexOf(resolution, offered) ?? 0));

function indexOf(resolution: Resolution, offered: readonly RecordedRendition[]): number | undefined {
  if (resolution === 'LOWEST_RESOLUTION') return offered.length - 1;
  const index = offered.findIndex(({ height }) => height === HEIGHTS[resolution]);
  return index < 0 ? undefined : index;
}

export type Metadata = {
  channelArn: string;
  startedAtMs: number;
  renditions: readonly RecordedRendition[];
  thumbnail: { width: number; height: number } | undefined;
  latestThumbnail: boolean;
  sequentialThumbnails: boolean;
};

const seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** `events/recording-*.json` ("JSON Metadata Files", IVS Low-Latency User Guide). */
export function metadataFile(
  metadata: Metadata,
  status: 'RECORDING_STARTED' | 'RECORDING_ENDED' | 'RECORDING_ENDED_WITH_FAILURE',
  end?: { atMs: number; durationMs: number; message?: string },
): string {
  const { channelArn, startedAtMs, renditions, thumbnail } = metadata;
  const size = thumbnail && { resolution_height: thumbnail.height, resolution_width: thumbnail.width };
  const media = {
    hls: {
      ...(end && { duration_ms: end.durationMs }),
      path: 'media/hls',
      playlist: 'master.m3u8',
      renditions: renditions.map(({ name, width, height }) => ({
        path: name,
        playlist: 'playlist.m3u8',
        resolution_height: height,
        resolution_width: width,
      })),
    },
    ...(metadata.sequentialThumbnails && { thumbnails: { path: 'media/thumbnails', ...size } }),
    ...(metadata.latestThumbnail && {
      latest_thumbnail: { path: 'media/latest_thumbnail/thumb.jpg', ...size },
    }),
  };
  const body = {
    version: 'v1',
    channel_arn: channelArn,
    ...(end && { recording_ended_at: seconds(end.atMs) }),
    recording_started_at: seconds(startedAtMs),
    recording_status: status,
    ...(end?.message !== undefined && { recording_status_message: end.message }),
    media,
  };
  return JSON.stringify(body, undefined, 2);
}

/** Playlist of one rendition: of what there is now, or for good. */
export function recordingPlaylist(segments: readonly RecordedSegment[], ended: boolean): string {
  const longest = Math.max(1, ...segments.map(({ durationSeconds }) => Math.round(durationSeconds)));
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${longest}`,
    `#EXT-X-PLAYLIST-TYPE:${ended ? 'VOD' : 'EVENT'}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
  ];
  let init = -1;
  for (const segment of segments) {
    if (segment.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
    if (segment.init !== init) lines.push(`#EXT-X-MAP:URI="init-${segment.init}.mp4"`);
    init = segment.init;
    lines.push(
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.atMs).toISOString()}`,
      `#EXTINF:${segment.durationSeconds.toFixed(5)},`,
      `${segment.number}.mp4`,
    );
  }
  if (ended) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}
