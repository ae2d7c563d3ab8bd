import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Ffmpeg, INPUT_GUARD, type MediaProbe } from '../../ffmpeg/index.ts';

/** What an HLS input is read through. */
export type HlsSource = {
  readonly ffmpeg: Ffmpeg;
  /** Scratch directory, which exists. */
  readonly workDirectory: string;
  readonly signal: AbortSignal;
  /** Path of the bytes at an `s3://` address. Rejects when there are none. */
  locate(url: string): Promise<string>;
};

/** Segments that share an initialization segment and a timeline. */
type Run = { map: string | undefined; segments: string[] };

/** Thrown for a playlist that is none, or plays nothing. */
export class PlaylistError extends Error {}

export const isPlaylist = (url: string): boolean => url.toLowerCase().endsWith('.m3u8');

/**
 * Makes one file of an HLS recording (RFC 8216): the best rendition, run by run, so that the rest of the job need not know how it
 * lay in S3. Where the encoder came back with other settings, pictures are scaled to those it began with.
 * @returns path of the file.
 * @throws PlaylistError; FfmpegError; what `locate` rejects with.
 */
export async function assembleHls(source: HlsSource, url: string): Promise<string> {
  const { workDirectory, signal, ffmpeg } = source;
  const directory = join(workDirectory, 'hls');
  await mkdir(directory, { recursive: true });
  const runs = await runsOf(source, url);
  const paths: string[] = [];
  for (const [index, { map, segments }] of runs.entries()) {
    const path = join(directory, `run-${index}${map === undefined ? '.ts' : '.mp4'}`);
    const parts = map === undefined ? segments : [map, ...segments];
    for (const [at, part] of parts.entries()) {
      const flags = at === 0 ? 'w' : 'a';
      await pipeline(createReadStream(await source.locate(part)), createWriteStream(path, { flags }), {
        signal,
      });
    }
    paths.push(path);
  }
  const probes: MediaProbe[] = [];
  for (const path of paths) probes.push(await ffmpeg.probe(path, { signal }));
  const whole = join(directory, 'whole.mp4');
  const alike = new Set(probes.map(shapeOf)).size === 1;
  const args = alike ? await copied(directory, paths) : scaled(paths, probes);
  await ffmpeg.run(['-hide_banner', '-nostdin', '-y', ...args, '-f', 'mp4', whole], {
    cwd: directory,
    signal,
  });
  return whole;
}

async function runsOf(source: HlsSource, url: string): Promise<Run[]> {
  const text = await readFile(await source.locate(url), 'utf8');
  if (!text.startsWith('#EXTM3U')) throw new PlaylistError('the input is no playlist');
  const best = bestVariant(text);
  if (best !== undefined) {
    const media = resolve(url, best);
    const playlist = await readFile(await source.locate(media), 'utf8');
    if (bestVariant(playlist) !== undefined) throw new PlaylistError('a rendition names renditions');
    return runsIn(playlist, media);
  }
  return runsIn(text, url);
}

/** The rendition of the greatest bandwidth that a multivariant playlist names; undefined for a media playlist. */
function bestVariant(text: string): string | undefined {
  const lines = text.split(/\r?\n/);
  const variants = lines.flatMap((line, index) =>
    line.startsWith('#EXT-X-STREAM-INF:')
      ? [{ bandwidth: Number(/[:,]BANDWIDTH=(\d+)/.exec(line)?.[1] ?? 0), uri: lines[index + 1] ?? '' }]
      : [],
  );
  return variants.toSorted((a, b) => b.bandwidth - a.bandwidth)[0]?.uri;
}

function runsIn(text: string, url: string): Run[] {
  const runs: Run[] = [];
  let map: string | undefined;
  let isNew = true;
  for (const line of text.split(/\r?\n/)) {
    const mapped = /^#EXT-X-MAP:.*URI="([^"]+)"/.exec(line)?.[1];
    if (mapped !== undefined) {
      map = resolve(url, mapped);
      isNew = true;
    } else if (line.startsWith('#EXT-X-DISCONTINUITY') && !line.startsWith('#EXT-X-DISCONTINUITY-SEQUENCE')) {
      isNew = true;
    } else if (line !== '' && !line.startsWith('#')) {
      if (isNew) runs.push({ map, segments: [] });
      isNew = false;
      runs.at(-1)?.segments.push(resolve(url, line));
    }
  }
  if (runs.length === 0) throw new PlaylistError('the playlist has no segment yet');
  return runs;
}

/** An address in a playlist; it may not leave the bucket. */
function resolve(base: string, reference: string): string {
  const resolved = new URL(reference, base);
  if (resolved.protocol !== 's3:' || resolved.host !== new URL(base).host)
    throw new PlaylistError(`the playlist leads out of its bucket: ${reference}`);
  return resolved.href;
}

/** What must be the same for packets to follow each other in one track. */
const shapeOf = ({ streams }: MediaProbe): string =>
  JSON.stringify(
    streams.flatMap((stream) =>
      stream.kind === 'video'
        ? [[stream.codec, stream.width, stream.height, stream.pixelFormat]]
        : stream.kind === 'audio'
          ? [[stream.codec, stream.sampleRate, stream.channels]]
          : [],
    ),
  );

async function copied(directory: string, paths: readonly string[]): Promise<string[]> {
  const list = join(directory, 'list.txt');
  await writeFile(list, paths.map((path) => `file '${path.replaceAll("'", "'\\''")}'\n`).join(''));
  const input = ['-f', 'concat', '-safe', '0', '-protocol_whitelist', 'file', '-i', list];
  return [...input, '-map', '0:v?', '-map', '0:a?', '-c', 'copy', '-avoid_negative_ts', 'make_zero'];
}

function scaled(paths: readonly string[], probes: readonly MediaProbe[]): string[] {
  const [first] = probes;
  const picture = first?.streams.find((stream) => stream.kind === 'video');
  const has = (kind: 'video' | 'audio'): boolean =>
    probes.every(({ streams }) => streams.some((stream) => stream.kind === kind));
  const [video, audio] = [picture !== undefined && has('video'), has('audio')];
  if (!video && !audio) throw new PlaylistError('its parts have nothing in common');
  const box = `${picture?.width}:${picture?.height}`;
  const fit = `scale=${box}:force_original_aspect_ratio=decrease,pad=${box}:(ow-iw)/2:(oh-ih)/2,setsar=1`;
  const chains = paths.flatMap((_, index) => [
    ...(video ? [`[${index}:v:0]${fit}[v${index}]`] : []),
    ...(audio ? [`[${index}:a:0]aresample=48000,aformat=channel_layouts=stereo[a${index}]`] : []),
  ]);
  const pads = paths.map((_, index) => `${video ? `[v${index}]` : ''}${audio ? `[a${index}]` : ''}`).join('');
  const joined = `${pads}concat=n=${paths.length}:v=${video ? 1 : 0}:a=${audio ? 1 : 0}${video ? '[v]' : ''}${audio ? '[a]' : ''}`;
  return [
    ...paths.flatMap((path) => [...INPUT_GUARD, '-i', path]),
    ...['-filter_complex', [...chains, joined].join(';')],
    ...(video ? ['-map', '[v]', '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '12'] : []),
    ...(audio ? ['-map', '[a]', '-c:a', 'aac', '-b:a', '192k'] : []),
  ];
}
