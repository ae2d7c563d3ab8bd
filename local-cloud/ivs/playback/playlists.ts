import type { Packager, Segment } from '../live/packager.ts';

export type RenditionInfo = {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly framerate: number;
  /** Bits per second. */
  readonly bandwidth: number;
  readonly codecs: string;
};

/** Multivariant playlist (RFC 8216bis §4.4.6). */
export function multivariantPlaylist(
  renditions: readonly RenditionInfo[],
  uriOf: (rendition: RenditionInfo) => string,
): string {
  const lines = ['#EXTM3U', '#EXT-X-VERSION:9'];
  for (const rendition of renditions) {
    const { width, height, framerate, bandwidth, codecs } = rendition;
    const attributes = [
      `BANDWIDTH=${Math.max(1, Math.round(bandwidth))}`,
      `CODECS="${codecs}"`,
      ...(width > 0 ? [`RESOLUTION=${width}x${height}`] : []),
      ...(framerate > 0 ? [`FRAME-RATE=${framerate.toFixed(3)}`] : []),
    ];
    lines.push(`#EXT-X-STREAM-INF:${attributes.join(',')}`, uriOf(rendition));
  }
  return `${lines.join('\n')}\n`;
}

export type MediaPlaylistOptions = {
  /** Parts, and answers that wait for them. */
  lowLatency: boolean;
  /** Playlists of the same stream in other qualities, by their address from this one. */
  others: readonly { uri: string; packager: Packager }[];
};

const HOLD_BACK_TARGETS = 3;
const seconds = (value: number): string => value.toFixed(5);

const partName = (segment: number, part: number): string => `part-${segment}-${part}.mp4`;

/** Media playlist of a live rendition (RFC 8216bis §4.4.3, appendix B for low latency). */
export function mediaPlaylist(packager: Packager, { lowLatency, others }: MediaPlaylistOptions): string {
  const target = packager.targetSeconds ?? 1;
  const { segments, partTargetSeconds } = packager;
  const withParts = lowLatency && !packager.ended;
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:9',
    `#EXT-X-TARGETDURATION:${target}`,
    ...(withParts
      ? [
          `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=${seconds(partTargetSeconds * HOLD_BACK_TARGETS)}`,
          `#EXT-X-PART-INF:PART-TARGET=${seconds(partTargetSeconds)}`,
        ]
      : []),
    `#EXT-X-MEDIA-SEQUENCE:${segments[0]?.number ?? 0}`,
    ...(packager.inits.length > 1 ? [`#EXT-X-DISCONTINUITY-SEQUENCE:${packager.discontinuitiesBefore}`] : []),
  ];
  let init = -1;
  segments.forEach((segment, index) => {
    if (!segment.complete && !withParts) return;
    if (segment.discontinuity && index > 0) lines.push('#EXT-X-DISCONTINUITY');
    if (segment.init !== init) lines.push(`#EXT-X-MAP:URI="init-${segment.init}.mp4"`);
    init = segment.init;
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.beganAtMs).toISOString()}`);
    if (withParts && hasRegularParts(segment, partTargetSeconds))
      lines.push(...segment.parts.map((part, number) => partLine(segment, part, number)));
    if (segment.complete) lines.push(`#EXTINF:${seconds(segment.durationSeconds)},`, `${segment.number}.mp4`);
  });
  if (packager.ended) lines.push('#EXT-X-ENDLIST');
  else if (withParts) {
    const { segment, part } = nextPart(packager);
    lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${partName(segment, part)}"`);
    for (const { uri, packager: other } of others) {
      const last = other.segments.at(-1);
      if (last)
        lines.push(
          `#EXT-X-RENDITION-REPORT:URI="${uri}",LAST-MSN=${last.number},LAST-PART=${Math.max(0, last.parts.length - 1)}`,
        );
    }
  }
  return `${lines.join('\n')}\n`;
}

/** A gap in the stream makes a part longer than parts are said to be: its segment is shown as a whole. */
const hasRegularParts = ({ complete, parts }: Segment, partTargetSeconds: number): boolean =>
  !complete || parts.every(({ durationSeconds }) => durationSeconds <= partTargetSeconds);

function partLine(segment: Segment, part: Segment['parts'][number], number: number): string {
  const independent = part.independent ? ',INDEPENDENT=YES' : '';
  return `#EXT-X-PART:DURATION=${seconds(part.durationSeconds)},URI="${partName(segment.number, number)}"${independent}`;
}

/** The part that comes next: another one of the last segment, or the first of the one after it. */
function nextPart({ segments }: Packager): { segment: number; part: number } {
  const last = segments.at(-1);
  if (!last) return { segment: 0, part: 0 };
  return last.complete
    ? { segment: last.number + 1, part: 0 }
    : { segment: last.number, part: last.parts.length };
}
