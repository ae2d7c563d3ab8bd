import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Broadcast, Rendition } from '../live/broadcast.ts';
import type { Channel } from '../resources.ts';
import type { Store } from '../store.ts';
import { type Answer, noStream, nothing, playlist, refusalOf } from './answers.ts';
import { FIRST_SEGMENT_MS, mediaFile, renditionPlaylist } from './files.ts';
import { allowOrigin, isOriginAllowed } from './origins.ts';
import { multivariantPlaylist } from './playlists.ts';
import { MAX_VIEWERS, type Refusal, type Viewer, type Viewers } from './viewers.ts';

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
const MAX_HEIGHT = { SD: 480, HD: 720, FULL_HD: 1080 } as const;

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
    const claims = viewers.authorise(channel, token);
    if (claims && 'status' in claims) return refusalOf(claims);
    const refusal = check(channel, claims, request, response);
    if (refusal) return refusalOf(refusal);
    const first = broadcast.renditions[0]?.packager;
    if (!(await first?.wait(() => first.targetSeconds !== undefined, FIRST_SEGMENT_MS))) return noStream;
    const viewer = viewers.admit(broadcast, claims);
    if ('status' in viewer) {
      if (viewer.status === 503) options.onTooManyViewers(MAX_VIEWERS);
      return refusalOf(viewer);
    }
    const offered = offeredTo(viewer, broadcast.renditions).map(({ info }) => info);
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
    const { session } = broadcast;
    const renditions = offeredTo(viewer, broadcast.renditions);
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

/** Renditions that the token of a viewer allows; the smallest if it allows none. */
function offeredTo({ claims }: Viewer, renditions: readonly Rendition[]): readonly Rendition[] {
  const maximum = claims?.['aws:maximum-resolution'];
  if (maximum === undefined) return renditions;
  const allowed = renditions.filter(({ info }) => info.height <= MAX_HEIGHT[maximum]);
  return allowed.length > 0 ? allowed : renditions.slice(-1);
}
