import { readFile } from 'node:fs/promises';
import type { Rendition } from '../live/broadcast.ts';
import type { Packager } from '../live/packager.ts';
import { type Answer, media, noStream, nothing, playlist, refusalOf } from './answers.ts';
import { mediaPlaylist } from './playlists.ts';

/** How long a player may wait for a stream that has just begun. */
export const FIRST_SEGMENT_MS = 15_000;

/** Waits for what the player asks for (RFC 8216bis §6.2.5.2), no longer than three target durations. */
export async function renditionPlaylist(
  { packager }: Rendition,
  all: readonly Rendition[],
  lowLatency: boolean,
  query: URLSearchParams,
): Promise<Answer> {
  const others = all
    .filter((other) => other.packager !== packager)
    .map(({ info, packager: other }) => ({ uri: `../${info.name}/playlist.m3u8`, packager: other }));
  const made = (): Answer => playlist(mediaPlaylist(packager, { lowLatency, others }));
  const asked = query.get('_HLS_msn');
  if (asked === null) {
    const isThere = await packager.wait(() => packager.targetSeconds !== undefined, FIRST_SEGMENT_MS);
    return isThere || packager.ended ? made() : noStream;
  }
  const segment = Number(asked);
  const part = query.get('_HLS_part');
  const last = packager.segments.at(-1)?.number ?? 0;
  const isValid = /^\d{1,10}$/.test(asked) && (part === null || /^\d{1,6}$/.test(part));
  if (!isValid || (segment > last + 2 && !packager.ended))
    return refusalOf({ status: 400, code: 'bad_request', message: 'Not a segment that comes soon' });
  if (!lowLatency) return made();
  const timeoutMs = 3000 * (packager.targetSeconds ?? 2);
  const isThere = await packager.wait(() => has(packager, segment, part), timeoutMs);
  return isThere || packager.ended
    ? made()
    : refusalOf({ status: 503, code: 'too_late', message: 'It did not come in time' });
}

/** A part after the last of its segment stands for the first of the next one. */
function has({ segments }: Packager, segment: number, part: string | null): boolean {
  const last = segments.at(-1);
  if (!last || last.number < segment) return false;
  if (last.number > segment) return true;
  return part === null ? last.complete : last.parts.length > Number(part);
}

export async function mediaFile(packager: Packager, file: string): Promise<Answer> {
  const [, init] = /^init-(\d+)\.mp4$/.exec(file) ?? [];
  if (init !== undefined) {
    const bytes = packager.inits[Number(init)];
    return bytes ? media(bytes) : nothing;
  }
  const [, number, index] = /^part-(\d+)-(\d+)\.mp4$/.exec(file) ?? [];
  if (number !== undefined) return part(packager, Number(number), Number(index));
  const whole = /^(\d+)\.mp4$/.exec(file)?.[1];
  const segment = packager.segments.find((candidate) => candidate.number === Number(whole));
  if (!segment?.complete) return nothing;
  return readFile(packager.path(segment.number)).then(media, () =>
    segment.parts.length > 0 ? media(Buffer.concat(segment.parts.map(({ data }) => data))) : nothing,
  );
}

/** A part, also the one that is hinted at and is not there yet. */
async function part(packager: Packager, number: number, index: number): Promise<Answer> {
  const find = () => packager.segments.find((candidate) => candidate.number === number);
  const last = packager.segments.at(-1);
  if (!last || number > last.number + 1) return nothing;
  const isDecided = (): boolean => {
    const segment = find();
    return segment !== undefined && (segment.complete || segment.parts.length > index);
  };
  await packager.wait(isDecided, 3000 * (packager.targetSeconds ?? 2));
  const found = find()?.parts[index];
  return found ? media(found.data) : nothing;
}
