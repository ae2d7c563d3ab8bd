import type { ProbeFacts } from './probe-verdict.ts';

// IVS writes recordings of live streams into a bucket of their own, all below this prefix. The source of a video made of one is a
// playlist there (https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html).
const recordings = /^(ivs\/v1\/.+)\/media\/hls\/(?:([^/]+)\/)?([^/]+\.m3u8)$/;
const master = 'master.m3u8';

/** A recording by the key of a playlist of it. */
export interface RecordingSource {
  /** Of every key of the recording, with a slash at its end. */
  readonly prefix: string;
  /** The folder of the rendition; undefined for the playlist of all. */
  readonly rendition: string | undefined;
}

/** Undefined for any other source. */
export function recordingOf(sourceKey: string): RecordingSource | undefined {
  const [, prefix, rendition] = recordings.exec(sourceKey) ?? [];
  return prefix === undefined ? undefined : { prefix: `${prefix}/`, rendition };
}

/** The playlist of all renditions of a recording whose prefix has no slash at its end. */
export const masterKey = (prefix: string): string => `${prefix}/media/hls/${master}`;

/** The bucket a video is made from. */
export const sourceBucketOf = (
  sourceKey: string,
  buckets: { readonly uploadsBucket: string; readonly recordingsBucket: string },
): string => (recordingOf(sourceKey) === undefined ? buckets.uploadsBucket : buckets.recordingsBucket);

/** A rendition as the playlist of all tells of it. */
export interface Variant {
  /** Its playlist, from the folder of the playlist of all. */
  readonly uri: string;
  readonly bandwidth: number;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number | null;
  readonly codecs: readonly string[];
}

/** The renditions of a multivariant playlist (RFC 8216 §4.3.4.2), the best first; none for anything else. */
export function variantsOf(playlist: string): Variant[] {
  const lines = playlist.split(/\r?\n/);
  return lines
    .flatMap((line, index) => {
      const uri = lines[index + 1] ?? '';
      if (!line.startsWith('#EXT-X-STREAM-INF:') || uri === '' || uri.startsWith('#')) return [];
      const [, width = '0', height = '0'] = /[:,]RESOLUTION=(\d{1,5})x(\d{1,5})/.exec(line) ?? [];
      const frameRate = Number(/[:,]FRAME-RATE=([\d.]{1,12})/.exec(line)?.[1] ?? 0);
      return [
        {
          uri,
          bandwidth: Number(/[:,]BANDWIDTH=(\d{1,12})/.exec(line)?.[1] ?? 0),
          width: Number(width),
          height: Number(height),
          frameRate: frameRate > 0 ? frameRate : null,
          codecs: (/[:,]CODECS="([^"]{0,200})"/.exec(line)?.[1] ?? '')
            .split(',')
            .map((codec) => codec.trim()),
        },
      ];
    })
    .toSorted((a, b) => b.bandwidth - a.bandwidth);
}

/** The sum of the segments of a media playlist, in milliseconds. */
export const playlistMs = (playlist: string): number =>
  Math.round(
    [...playlist.matchAll(/^#EXTINF:([\d.]{1,12})/gm)].reduce(
      (sum, [, seconds]) => sum + Number(seconds),
      0,
    ) * 1_000,
  );

/** What the encoders of IVS sent, by their playlists. */
export function recordingFacts(
  { width, height, frameRate, codecs }: Variant,
  durationMs: number,
): ProbeFacts {
  const video = codecs.find((codec) => /^(?:avc|hvc|hev)/.test(codec));
  const audio = codecs.find((codec) => codec.startsWith('mp4a'));
  return {
    container: 'hls',
    durationMs,
    picture:
      width > 0 && height > 0
        ? {
            width,
            height,
            frameRate,
            codec: video?.startsWith('avc') === false ? 'HEVC' : 'AVC',
            colour: 'plain',
          }
        : undefined,
    sound: audio === undefined ? undefined : { codec: 'AAC' },
  };
}
