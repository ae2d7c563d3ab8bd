import type { PlannedAudioTrack, PlannedCmafGroup, PlannedTrack } from '../transcode/plan.ts';
import { DEFAULT_SEGMENT_SECONDS } from '../transcode/plan-cmaf.ts';
import { type IFrame, iFrameStreamInf } from './i-frames.ts';
import { initName, playlistName, relativeUri, segmentName, subtitleSegmentName } from './names.ts';
import type { PackagedTrack } from './rendition.ts';
import { imageStreamInf, type TileSet } from './trick-play.ts';

/** A planned track together with what was really encoded for it. */
export type EncodedTrack = { plan: PlannedTrack; packaged: PackagedTrack };

const DEFAULT_AUDIO_GROUP = 'program_audio';
const SUBTITLE_GROUP = 'subs';

/** Media playlist of one track (RFC 8216, version 7 for fMP4). */
export function writeMediaPlaylist(group: PlannedCmafGroup, track: EncodedTrack): string {
  const { base } = group.target;
  const { kind, nameModifier } = track.plan;
  const { timescale } = track.packaged.header;
  const durations = track.packaged.segments.map((segment) => segment.durationTicks / timescale);
  return [
    ...playlistHead(group, durations),
    `#EXT-X-MAP:URI="${relativeUri(initName(base, nameModifier, kind))}"`,
    ...durations.flatMap((duration, index) => [
      extinf(group, duration),
      relativeUri(segmentName(base, nameModifier, kind, index + 1)),
    ]),
    '#EXT-X-ENDLIST',
    '',
  ].join('\n');
}

/** Media playlist of a WebVTT track cut into `segments` pieces. */
export function writeSubtitlePlaylist(
  group: PlannedCmafGroup,
  nameModifier: string,
  segments: number,
  durationSeconds: number,
): string {
  const step = group.settings.segmentLength ?? DEFAULT_SEGMENT_SECONDS;
  const durations = Array.from({ length: segments }, (_, index) =>
    Math.min(step, Math.max(0.001, durationSeconds - index * step)),
  );
  return [
    ...playlistHead(group, durations),
    ...durations.flatMap((duration, index) => [
      extinf(group, duration),
      relativeUri(subtitleSegmentName(group.target.base, nameModifier, index + 1)),
    ]),
    '#EXT-X-ENDLIST',
    '',
  ].join('\n');
}

/**
 * Multivariant playlist naming every rendition. BANDWIDTH is the peak of a variant together with the heaviest audio
 * it can be played with, measured from the encoded segments.
 */
export function writeMultivariantPlaylist(
  group: PlannedCmafGroup,
  tracks: readonly EncodedTrack[],
  tiles: readonly TileSet[],
  iFrames: ReadonlyMap<EncodedTrack, readonly IFrame[]>,
): string {
  const audio = tracks.flatMap((track) =>
    track.plan.kind === 'audio' ? [{ plan: track.plan, packaged: track.packaged }] : [],
  );
  const hasVideo = tracks.some((track) => track.plan.kind === 'video');
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS'];
  if (hasVideo) lines.push(...audio.map(({ plan }) => audioMedia(group, plan)));
  lines.push(...subtitleMedia(group));
  for (const track of tracks) {
    if (track.plan.kind === 'video') lines.push(...videoVariant(group, track, audio));
    else if (!hasVideo) lines.push(...audioVariant(group, track));
  }
  for (const [track, frames] of iFrames) lines.push(iFrameStreamInf(group, track, frames));
  lines.push(...tiles.map((set) => imageStreamInf(group, set)));
  return `${lines.join('\n')}\n`;
}

function videoVariant(
  group: PlannedCmafGroup,
  track: EncodedTrack,
  audio: readonly { plan: PlannedAudioTrack; packaged: PackagedTrack }[],
): string[] {
  if (track.plan.kind !== 'video') return [];
  const { header } = track.packaged;
  const { frameRate, audioGroup } = track.plan;
  const groupId = audioGroup ?? audio[0]?.plan.group ?? DEFAULT_AUDIO_GROUP;
  const companions = audio.filter(({ plan }) => (plan.group ?? DEFAULT_AUDIO_GROUP) === groupId);
  const heaviest = (pick: (packaged: PackagedTrack) => number): number =>
    Math.max(0, ...companions.map(({ packaged }) => pick(packaged)));
  const codecs = [header.codec, ...new Set(companions.map(({ packaged }) => packaged.header.codec))];
  const attributes = [
    `BANDWIDTH=${track.packaged.peakBitrate + heaviest((packaged) => packaged.peakBitrate)}`,
    `AVERAGE-BANDWIDTH=${track.packaged.averageBitrate + heaviest((packaged) => packaged.averageBitrate)}`,
    `CODECS="${codecs.join(',')}"`,
    ...(group.settings.streamInfResolution === 'EXCLUDE'
      ? []
      : [`RESOLUTION=${header.width ?? track.plan.width}x${header.height ?? track.plan.height}`]),
    `FRAME-RATE=${(frameRate.numerator / frameRate.denominator).toFixed(3)}`,
    ...(companions.length > 0 ? [`AUDIO="${quoted(groupId)}"`] : []),
    ...(group.subtitles.length > 0 ? [`SUBTITLES="${SUBTITLE_GROUP}"`] : []),
  ];
  return [`#EXT-X-STREAM-INF:${attributes.join(',')}`, playlistUri(group, track.plan.nameModifier)];
}

function audioVariant(group: PlannedCmafGroup, track: EncodedTrack): string[] {
  const { packaged } = track;
  return [
    `#EXT-X-STREAM-INF:BANDWIDTH=${packaged.peakBitrate},AVERAGE-BANDWIDTH=${packaged.averageBitrate},CODECS="${packaged.header.codec}"`,
    playlistUri(group, track.plan.nameModifier),
  ];
}

function audioMedia(group: PlannedCmafGroup, plan: PlannedAudioTrack): string {
  const attributes = [
    'TYPE=AUDIO',
    `GROUP-ID="${quoted(plan.group ?? DEFAULT_AUDIO_GROUP)}"`,
    ...(plan.language ? [`LANGUAGE="${plan.language}"`] : []),
    `NAME="${quoted(plan.name)}"`,
    `DEFAULT=${plan.isDefault ? 'YES' : 'NO'}`,
    `AUTOSELECT=${plan.autoSelect || plan.isDefault ? 'YES' : 'NO'}`,
    `CHANNELS="${plan.channels}"`,
    `URI="${playlistUri(group, plan.nameModifier)}"`,
  ];
  return `#EXT-X-MEDIA:${attributes.join(',')}`;
}

function subtitleMedia(group: PlannedCmafGroup): string[] {
  return group.subtitles.map((subtitles) => {
    const attributes = [
      'TYPE=SUBTITLES',
      `GROUP-ID="${SUBTITLE_GROUP}"`,
      ...(subtitles.language ? [`LANGUAGE="${subtitles.language}"`] : []),
      `NAME="${quoted(subtitles.name)}"`,
      'DEFAULT=NO',
      'AUTOSELECT=YES',
      ...(subtitles.accessibility
        ? [
            'CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"',
          ]
        : []),
      `URI="${playlistUri(group, subtitles.nameModifier)}"`,
    ];
    return `#EXT-X-MEDIA:${attributes.join(',')}`;
  });
}

function playlistHead(group: PlannedCmafGroup, durations: readonly number[]): string[] {
  const longest = Math.max(...durations);
  const target =
    group.settings.targetDurationCompatibilityMode === 'SPEC_COMPLIANT'
      ? Math.round(longest)
      : Math.ceil(longest);
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    ...(group.settings.clientCache === 'DISABLED' ? ['#EXT-X-ALLOW-CACHE:NO'] : []),
    `#EXT-X-TARGETDURATION:${Math.max(1, target)}`,
    '#EXT-X-MEDIA-SEQUENCE:1',
    '#EXT-X-PLAYLIST-TYPE:VOD',
  ];
}

function extinf(group: PlannedCmafGroup, durationSeconds: number): string {
  return group.settings.manifestDurationFormat === 'INTEGER'
    ? `#EXTINF:${Math.max(1, Math.round(durationSeconds))},`
    : `#EXTINF:${durationSeconds.toFixed(5)},`;
}

function playlistUri(group: PlannedCmafGroup, nameModifier: string): string {
  return relativeUri(playlistName(group.target.base, nameModifier));
}

/** Quoted attribute values can hold neither quotes nor line breaks (RFC 8216 §4.2). */
function quoted(text: string): string {
  return text.replace(/["\r\n]/g, ' ');
}
