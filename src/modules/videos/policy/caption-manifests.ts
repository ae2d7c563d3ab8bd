/** A caption track as the manifests name it. */
export interface ManifestTrack {
  /** BCP 47. */
  readonly language: string;
  readonly label: string;
  /** `captions` also tell sounds, for those who do not hear them. */
  readonly kind: 'subtitles' | 'captions';
  /** Of its WebVTT file and of its playlist, beside the manifests. */
  readonly fileName: string;
  readonly playlistName: string;
}

const ownGroup = 'captions';
const accessibility =
  'public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound';

/**
 * A multivariant playlist that names the tracks beside what it named before (RFC 8216 §4.3.4.1): every stream refers to their
 * group, which is the one it has already where it has one.
 */
export function withHlsTracks(master: string, tracks: readonly ManifestTrack[]): string {
  if (tracks.length === 0) return master;
  const lines = master.split(/\r\n|\n|\r/);
  const group = lines.map((line) => streamGroup(line)).find((name) => name !== undefined) ?? ownGroup;
  const media = tracks.map((track) => mediaLine(group, track));
  const firstStream = lines.findIndex((line) => line.startsWith('#EXT-X-STREAM-INF:'));
  const at = firstStream === -1 ? lines.length : firstStream;
  return [
    ...lines.slice(0, at),
    ...media,
    ...lines
      .slice(at)
      .map((line) =>
        line.startsWith('#EXT-X-STREAM-INF:') && streamGroup(line) === undefined
          ? `${line},SUBTITLES="${group}"`
          : line,
      ),
  ].join('\n');
}

const streamGroup = (line: string): string | undefined =>
  line.startsWith('#EXT-X-STREAM-INF:') ? /[:,]SUBTITLES="([^"]*)"/.exec(line)?.[1] : undefined;

const mediaLine = (group: string, track: ManifestTrack): string =>
  `#EXT-X-MEDIA:${[
    'TYPE=SUBTITLES',
    `GROUP-ID="${group}"`,
    `NAME="${quoted(track.label)}"`,
    `LANGUAGE="${track.language}"`,
    'DEFAULT=NO',
    'AUTOSELECT=YES',
    'FORCED=NO',
    ...(track.kind === 'captions' ? [`CHARACTERISTICS="${accessibility}"`] : []),
    `URI="${track.playlistName}"`,
  ].join(',')}`;

/** Quoted values can hold neither quotes nor line breaks (RFC 8216 §4.2). */
const quoted = (text: string): string => text.replace(/["\r\n]/g, ' ');

/** The playlist of a track: its file, whole, for as long as the film. */
export function trackPlaylist(track: ManifestTrack, durationMs: number): string {
  const seconds = Math.max(0.001, durationMs / 1_000);
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${Math.ceil(seconds)}`,
    '#EXT-X-MEDIA-SEQUENCE:1',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    `#EXTINF:${seconds.toFixed(3)},`,
    track.fileName,
    '#EXT-X-ENDLIST',
    '',
  ].join('\n');
}

/**
 * A media presentation description with an adaptation set for each track in every period, as a WebVTT file played whole
 * (DASH-IF IOP 4.3 §6.4.5).
 */
export function withDashTracks(mpd: string, tracks: readonly ManifestTrack[]): string {
  if (tracks.length === 0) return mpd;
  const sets = tracks.map(adaptationSet).join('');
  return mpd.replaceAll(/[ \t]*<\/Period>/g, (end) => `${sets}${end}`);
}

const adaptationSet = (track: ManifestTrack, index: number): string =>
  [
    `    <AdaptationSet id="${firstSetId + index}" contentType="text" mimeType="text/vtt" lang="${xml(track.language)}">`,
    `      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="${track.kind === 'captions' ? 'caption' : 'subtitle'}"/>`,
    `      <Label>${xml(track.label)}</Label>`,
    `      <Representation id="captions-${xml(track.language)}" bandwidth="256">`,
    `        <BaseURL>${xml(track.fileName)}</BaseURL>`,
    '      </Representation>',
    '    </AdaptationSet>',
    '',
  ].join('\n');

/** Above any id an encoder gives its own sets. */
const firstSetId = 10_000;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
const xml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => entities[character] ?? character);

const version = /-c\d+(\.\w+)$/;

/** The address of a manifest with the tracks as they stood after `changes` changes; 0 is the encoder's own. */
export const manifestVersion = (key: string, changes: number): string => {
  const own = key.replace(version, '$1');
  return changes === 0 ? own : own.replace(/(\.\w+)$/, `-c${changes}$1`);
};
