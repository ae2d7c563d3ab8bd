import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ffmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { newDirectory } from './directories.ts';
import type { FolderStore } from './harness.ts';

export type Variant = { uri: string; attributes: Record<string, string> };

/** Attribute list of one playlist tag (RFC 8216 §4.2). */
export function attributesOf(line: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const match of line.slice(line.indexOf(':') + 1).matchAll(/([A-Z-]+)=("[^"]*"|[^,]*)/g)) {
    attributes[match[1] ?? ''] = (match[2] ?? '').replace(/^"|"$/g, '');
  }
  return attributes;
}

/** Variants of a multivariant playlist. */
export function variantsOf(master: string): Variant[] {
  const lines = master.split('\n');
  return lines.flatMap((line, index) =>
    line.startsWith('#EXT-X-STREAM-INF:')
      ? [{ uri: lines[index + 1] ?? '', attributes: attributesOf(line) }]
      : [],
  );
}

/** `#EXT-X-MEDIA` entries of a type. */
export function mediaOf(master: string, type: string): Record<string, string>[] {
  return master
    .split('\n')
    .filter((line) => line.startsWith('#EXT-X-MEDIA:'))
    .map(attributesOf)
    .filter((attributes) => attributes.TYPE === type);
}

export type MediaPlaylist = { init: string | undefined; segments: { uri: string; seconds: number }[] };

export function mediaPlaylistOf(text: string): MediaPlaylist {
  const lines = text.split('\n');
  const map = lines.find((line) => line.startsWith('#EXT-X-MAP:'));
  return {
    init: map && attributesOf(map).URI,
    segments: lines.flatMap((line, index) => {
      if (!line.startsWith('#EXTINF:')) return [];
      const uri = lines.slice(index + 1).find((next) => next !== '' && !next.startsWith('#')) ?? '';
      return [{ uri, seconds: Number.parseFloat(line.slice('#EXTINF:'.length)) }];
    }),
  };
}

/** Initialization segment and media segments of a playlist, one after the other in a file of their own. */
export function concatenate(store: FolderStore, bucket: string, prefix: string, playlistUri: string): string {
  const playlist = mediaPlaylistOf(store.text(bucket, prefix + decodeURIComponent(playlistUri)));
  const names = [playlist.init ?? '', ...playlist.segments.map((segment) => segment.uri)];
  const path = join(newDirectory('concatenated'), 'track.mp4');
  const parts = names.map((name) => readFileSync(store.path(bucket, prefix + decodeURIComponent(name))));
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

/** One frame as packed RGB. `seconds` is where in the film to look. */
export async function frameAt(ffmpeg: Ffmpeg, path: string, seconds: number): Promise<Buffer> {
  const cwd = newDirectory('frame');
  await ffmpeg.run(
    [
      '-ss',
      String(seconds),
      '-i',
      path,
      '-frames:v',
      '1',
      '-f',
      'rawvideo',
      '-pix_fmt',
      'rgb24',
      'frame.raw',
    ],
    { cwd },
  );
  return readFileSync(join(cwd, 'frame.raw'));
}

/** A still picture as packed RGB. */
export async function pixelsOf(ffmpeg: Ffmpeg, path: string): Promise<Buffer> {
  const cwd = newDirectory('picture');
  await ffmpeg.run(['-i', path, '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'picture.raw'], { cwd });
  return readFileSync(join(cwd, 'picture.raw'));
}

/** Mean absolute difference per byte between two pictures of one size, within rows `fromRow` to `toRow`. */
export function difference(a: Buffer, b: Buffer, width: number, fromRow: number, toRow: number): number {
  if (a.length !== b.length) throw new Error(`pictures differ in size: ${a.length} and ${b.length}`);
  let sum = 0;
  for (let index = fromRow * width * 3; index < toRow * width * 3; index += 1) {
    sum += Math.abs((a[index] ?? 0) - (b[index] ?? 0));
  }
  return sum / ((toRow - fromRow) * width * 3);
}
