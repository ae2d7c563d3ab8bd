import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Broadcast, Rendition } from '../live/broadcast.ts';
import type { Packager } from '../live/packager.ts';
import type { Channel } from '../resources.ts';
import type { Store } from '../store.ts';
import { allowOrigin, isOriginAllowed } from './origins.ts';
import { mediaPlaylist, multivariantPlaylist } from './playlists.ts';
import { MAX_VIEWERS, type Refusal, type Viewers } from './viewers.ts';

export type PlaybackServer = { readonly port: number; close(): Promise<void> };

export type PlaybackOptions = {
  port: number;
  store: Store;
  viewers: Viewers;
  liveOf: (channelArn: string) => Broadcast | undefined;
  onTooManyViewers: (limit: number) => void;
  log: (line: string) => void;
};

/** Header that a CDN tells the country of a viewer with, in ISO 3166-1 alpha-2. */
const COUNTRY_HEADER = 'cloudfront-viewer-country';
const CHANNEL_PATH = /^\/api\/video\/v1\/([a-z0-9-]+)\.(\d{12})\.channel\.([A-Za-z0-9]+)\.m3u8$/;
const MEDIA_PATH = /^\/live\/([A-Za-z0-9_-]+)\/([a-z0-9_]+)\/([a-z0-9-]+\.(?:m3u8|mp4))$/;
const PLAYLIST = 'application/vnd.apple.mpegurl';
const MAX_HEIGHT = { SD: 480, HD: 720, FULL_HD: 1080 } as const;
const FIRST_SEGMENT_MS = 15_000;

type Answer = { status: number; type: string; body: Buffer | string; cache: string };

const refusalOf = ({ status, code, message }: Refusal): Answer => ({
  status,
  type: 'application/json',
  body: JSON.stringify([{ error: message, error_code: code, type: 'error' }]),
  cache: 'no-store',
});
const noStream = refusalOf({
  status: 404,
  code: 'transcode_does_not_exist',
  message: 'Can not find channel',
});
const nothing = refusalOf({ status: 404, code: 'not_found', message: 'Not found' });
const playlist = (body: string): Answer => ({ status: 200, type: PLAYLIST, body, cache: 'no-cache' });
const media = (body: Buffer): Answer => ({ status: 200, type: 'video/mp4', body, cache: 'max-age=60' });

/** Serves live streams to players, as the CDN of IVS does, on 127.0.0.1. */
export async function startPlaybackServer(options: PlaybackOptions): Promise<PlaybackServer> {
  const { store, viewers } = options;

  /** Why this request may not see the channel, whoever asks. Also sets the CORS header. */
  function check(
    channel: Channel,
    claims: Parameters<Viewers['originRules']>[1],
    request: IncomingMessage,
    response: ServerResponse,
  ): Refusal | undefined {
    const rules = viewers.originRules(channel, claims);
    const { origin } = request.headers;
    response.setHeader('access-control-allow-origin', allowOrigin(rules, origin));
    response.setHeader('vary', 'origin');
    if (!isOriginAllowed(rules, origin))
      return { status: 403, code: 'origin_not_allowed', message: 'The origin may not play this' };
    const policy = store.find('playback-restriction-policy', channel.playbackRestrictionPolicyArn);
    const country = request.headers[COUNTRY_HEADER];
    if (policy && policy.allowedCountries.length > 0 && !policy.allowedCountries.includes(String(country)))
      return { status: 403, code: 'content_geoblocked', message: 'Not available in this country' };
    return undefined;
  }

  async function channelPlaylist(
    arn: string,
    token: string | undefined,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Answer> {
    const channel = store.find('channel', arn);
    const broadcast = channel && options.liveOf(arn);
    if (!channel || !broadcast) return noStream;
    const first = broadcast.renditions[0]?.packager;
    if (!(await first?.wait(() => first.targetSeconds !== undefined, FIRST_SEGMENT_MS))) return noStream;
    const viewer = viewers.admit(channel, broadcast, token);
    if ('status' in viewer) {
      if (viewer.status === 503) options.onTooManyViewers(MAX_VIEWERS);
      return refusalOf(viewer);
    }
    const refusal = check(channel, viewer.claims, request, response);
    if (refusal) return refusalOf(refusal);
    const maximum = viewer.claims?.['aws:maximum-resolution'];
    const shown = broadcast.renditions.filter(
      ({ info }) => maximum === undefined || info.height <= MAX_HEIGHT[maximum],
    );
    const offered = (shown.length > 0 ? shown : broadcast.renditions.slice(-1)).map(({ info }) => info);
    return playlist(multivariantPlaylist(offered, ({ name }) => `/live/${viewer.id}/${name}/playlist.m3u8`));
  }

  async function streamFile(
    [viewerId = '', name = '', file = '']: readonly string[],
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Answer> {
    const viewer = viewers.find(viewerId);
    if ('status' in viewer) return refusalOf(viewer);
    const { broadcast, claims } = viewer;
    const { session, renditions } = broadcast;
    // The policy as it is now; one that was taken off the channel does not hold its viewers back.
    const channel = store.find('channel', session.channelArn) ?? session.channel;
    const refusal = check(channel, claims, request, response);
    if (refusal) return refusalOf(refusal);
    const rendition = renditions.find(({ info }) => info.name === name);
    if (!rendition) return nothing;
    if (file.endsWith('.m3u8'))
      return file === 'playlist.m3u8'
        ? renditionPlaylist(rendition, renditions, session.channel.latencyMode === 'LOW', query)
        : nothing;
    return mediaFile(rendition.packager, file);
  }

  function answer(request: IncomingMessage, response: ServerResponse): Promise<Answer> | Answer {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const [, region, account, id] = CHANNEL_PATH.exec(url.pathname) ?? [];
    if (id !== undefined)
      return channelPlaylist(
        `arn:aws:ivs:${region}:${account}:channel/${id}`,
        url.searchParams.get('token') ?? undefined,
        request,
        response,
      );
    const [, ...path] = MEDIA_PATH.exec(url.pathname) ?? [];
    return path.length > 0 ? streamFile(path, url.searchParams, request, response) : nothing;
  }

  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    if (request.method === 'OPTIONS') {
      response.setHeader('access-control-allow-methods', 'GET, HEAD, OPTIONS');
      response.setHeader('access-control-allow-headers', '*');
      response.writeHead(204).end();
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD, OPTIONS' }).end();
      return;
    }
    Promise.resolve()
      .then(() => answer(request, response))
      .then(({ status, type, body, cache }) => {
        const bytes = Buffer.from(body);
        response.writeHead(status, {
          'content-type': type,
          'content-length': bytes.length,
          'cache-control': cache,
        });
        response.end(request.method === 'HEAD' ? undefined : bytes);
      })
      .catch((error: unknown) => {
        options.log(String(error));
        response.destroy();
      });
  });
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Waits for what the player asks for (RFC 8216bis §6.2.5.2), no longer than three target durations. */
async function renditionPlaylist(
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

async function mediaFile(packager: Packager, file: string): Promise<Answer> {
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
