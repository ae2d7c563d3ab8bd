interface Segment {
  readonly uri: string;
  readonly seconds: number;
  readonly atMs: number;
  readonly map: string | undefined;
  readonly discontinuity: boolean;
}

/** A part of the clock of the wall, in Unix milliseconds. */
export interface Moment {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The segments of a media playlist (RFC 8216) with the times at which they were made: as `EXT-X-PROGRAM-DATE-TIME` says, and where
 * it says nothing, on from `beganAtMs`.
 */
function segmentsOf(playlist: string, beganAtMs: number): Segment[] {
  const segments: Segment[] = [];
  let [clockMs, seconds, discontinuity] = [beganAtMs, 0, false];
  let map: string | undefined;
  for (const line of playlist.split(/\r?\n/)) {
    if (line.startsWith('#EXT-X-MAP:')) map = line;
    else if (line === '#EXT-X-DISCONTINUITY') discontinuity = true;
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) {
      const toldMs = Date.parse(line.slice(line.indexOf(':') + 1));
      if (!Number.isNaN(toldMs)) clockMs = toldMs;
    } else if (line.startsWith('#EXTINF:')) seconds = Number.parseFloat(line.slice('#EXTINF:'.length));
    else if (line !== '' && !line.startsWith('#')) {
      segments.push({ uri: line, seconds, atMs: clockMs, map, discontinuity });
      clockMs += seconds * 1_000;
      discontinuity = false;
    }
  }
  return segments;
}

/**
 * The playlist of the segments a moment lies in, to stand beside the one it is cut out of.
 * @param isOver nothing will be added to the playlist.
 * @returns `wait` where the moment is not recorded to its end yet, `none` where nothing of it was.
 */
export function clipPlaylist(
  playlist: string,
  { fromMs, toMs }: Moment,
  recording: { readonly beganAtMs: number; readonly isOver: boolean },
): string | 'wait' | 'none' {
  const segments = segmentsOf(playlist, recording.beganAtMs);
  const last = segments.at(-1);
  if (!recording.isOver && (last === undefined || last.atMs + last.seconds * 1_000 < toMs)) return 'wait';
  const within = segments.filter(
    ({ atMs, seconds }) => atMs < toMs && atMs + seconds * 1_000 > fromMs && seconds > 0,
  );
  if (within.length === 0) return 'none';
  const longest = Math.max(1, ...within.map(({ seconds }) => Math.ceil(seconds)));
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${longest}`,
    '#EXT-X-PLAYLIST-TYPE:VOD',
  ];
  for (const [index, { uri, seconds, map, discontinuity }] of within.entries()) {
    if (discontinuity && index > 0) lines.push('#EXT-X-DISCONTINUITY');
    if (map !== undefined && (index === 0 || map !== within[index - 1]?.map)) lines.push(map);
    lines.push(`#EXTINF:${seconds.toFixed(5)},`, uri);
  }
  return `${[...lines, '#EXT-X-ENDLIST'].join('\n')}\n`;
}
