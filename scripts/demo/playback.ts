import { writeFile } from 'node:fs/promises';
import type { Ffmpeg } from '../../local-cloud/ffmpeg/index.ts';

export interface HlsVariant {
  readonly url: string;
  readonly resolution: string;
  readonly bandwidth: number;
  readonly codecs: string;
}

/** The variants of an HLS master playlist (RFC 8216 §4.3.4.2) and its audio playlists, as absolute URLs. */
export function parseMaster(text: string, url: string): { variants: HlsVariant[]; audio: string[] } {
  const lines = text.split(/\r?\n/);
  const variants: HlsVariant[] = [];
  lines.forEach((line, index) => {
    if (!line.startsWith('#EXT-X-STREAM-INF:')) return;
    const uri = lines.slice(index + 1).find((next) => next !== '' && !next.startsWith('#'));
    if (uri === undefined) return;
    variants.push({
      url: within(uri, url),
      resolution: /RESOLUTION=(\d+x\d+)/.exec(line)?.[1] ?? '',
      bandwidth: Number(/[:,]BANDWIDTH=(\d+)/.exec(line)?.[1] ?? 0),
      codecs: /CODECS="([^"]*)"/.exec(line)?.[1] ?? '',
    });
  });
  const audio = lines
    .filter((line) => line.startsWith('#EXT-X-MEDIA:') && line.includes('TYPE=AUDIO'))
    .flatMap((line) => /URI="([^"]+)"/.exec(line)?.[1] ?? [])
    .map((uri) => within(uri, url));
  return { variants, audio };
}

/** An address inside a playlist, under the signature of the playlist. */
const within = (uri: string, url: string): string => {
  const address = new URL(uri, url);
  address.search = new URL(url).search;
  return address.href;
};

export interface DecodedMedia {
  readonly seconds: number;
  readonly segments: number;
}

/** Downloads a media playlist and every segment it names, and decodes them all. @throws when anything does not decode. */
export async function decodePlaylist(ffmpeg: Ffmpeg, url: string, folder: string): Promise<DecodedMedia> {
  const playlist = await fetchText(url);
  const uris = playlist.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  const init = /#EXT-X-MAP:URI="([^"]+)"/.exec(playlist)?.[1];
  const seconds = [...playlist.matchAll(/#EXTINF:([\d.]+)/g)].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  );
  const chunks: Uint8Array[] = [];
  for (const uri of init === undefined ? uris : [init, ...uris]) {
    const response = await fetch(within(uri, url));
    if (!response.ok) throw new Error(`${uri} of ${url} answered ${response.status}`);
    chunks.push(new Uint8Array(await response.arrayBuffer()));
  }
  await writeFile(`${folder}/rendition.mp4`, Buffer.concat(chunks));
  await ffmpeg.run(['-v', 'error', '-xerror', '-i', 'rendition.mp4', '-f', 'null', '-'], { cwd: folder });
  return { seconds, segments: uris.length };
}

export async function fetchText(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.text();
}

/** Whether the bytes at a URL are a JPEG (starts FF D8 FF, ends FF D9). */
export async function isJpeg(url: string): Promise<boolean> {
  const response = await fetch(url);
  if (!response.ok) return false;
  const bytes = new Uint8Array(await response.arrayBuffer());
  return (
    bytes[0] === 0xff &&
    bytes[1] === 0xd8 &&
    bytes[2] === 0xff &&
    bytes.at(-2) === 0xff &&
    bytes.at(-1) === 0xd9
  );
}
