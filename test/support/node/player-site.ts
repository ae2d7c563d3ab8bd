import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { openViewBooks, type ViewBooks } from './view-books.ts';

const load = (path: string): Promise<unknown> =>
  import(new URL(`../../../src/${path}`, import.meta.url).href);

interface Pages {
  embedPage(video: Record<string, unknown>, nonce: string): string;
  embedPagePolicy(options: Record<string, string>): string;
}
interface Signer {
  signGrant(key: unknown, grant: { resource: string; expiresAt: number }): Promise<unknown>;
  signedQuery(signed: unknown): string;
}
interface Files {
  playerFileParams: { safeParse(value: unknown): { success: boolean } };
}
interface Settings {
  deliverySection: { settings: { signingKeys: { schema: { parse(text: string): unknown[] } } } };
}

const hls = join(dirname(createRequire(import.meta.url).resolve('hls.js')), 'hls.min.js');
const scripts = join(import.meta.dirname, '..', '..', '..', 'clients', 'player');

export interface Asked {
  /** The last part of the path: `playback`, `watch`. */
  readonly what: string;
  readonly body: Record<string, unknown>;
  readonly cookie: string | undefined;
  /** 0 where the connection was cut. */
  readonly status: number;
}

/** What counting meets with: an API that works, one that fails, connections that are cut, all or those of heartbeats, or not even its script. */
export type Counting = 'works' | 'fails' | 'is cut off' | 'loses heartbeats' | 'has no script';

export interface PlayerSite {
  readonly origin: string;
  readonly asked: Asked[];
  readonly books: ViewBooks;
  counting: Counting;
  /** Empties the books, which take no session from before any more, and lets counting work. */
  startOver(): Promise<void>;
  close(): void;
}

/**
 * The player page as the Worker serves it, over an API that signs and counts as the Worker does: `/embed/vid_locked` wants the
 * password, `/embed/vid_film` does not, `/embed/vid_talk` was live and has a chat, the files of `/embed/vid_lost` are gone, and `/blog` has `/embed/vid_film` in a frame.
 */
export async function startPlayerSite(film: {
  readonly cdnUrl: string;
  readonly prefix: string;
  readonly durationSeconds: number;
  readonly signingKeys: string;
  readonly password: string;
}): Promise<PlayerSite> {
  const { embedPage, embedPagePolicy } = (await load('modules/delivery/policy/embed-page.ts')) as Pages;
  const { playerFileParams } = (await load('modules/delivery/pages.schemas.ts')) as Files;
  const { signGrant, signedQuery } = (await load('integrations/aws/cloudfront.ts')) as Signer;
  const { deliverySection } = (await load('config/delivery.config.ts')) as Settings;
  const [key] = deliverySection.settings.signingKeys.schema.parse(film.signingKeys);
  const openBooks = () => openViewBooks(film.durationSeconds * 1_000);
  let books = await openBooks();
  const asked: Asked[] = [];

  const pageOf = (id: string): string =>
    embedPage(
      {
        id,
        title: 'A film </video>',
        description: '',
        width: 320,
        height: 180,
        durationSeconds: film.durationSeconds,
        publishedAt: null,
        ownerName: 'Ada',
        ownerUrl: `${site.origin}/users/ada`,
        watchUrl: `${site.origin}/videos/${id}`,
        embedUrl: `${site.origin}/embed/${id}`,
        oembedUrl: `${site.origin}/oembed`,
        thumbnail: null,
      },
      'bm9uY2U=',
    );

  async function playbackOf(id: string, body: Record<string, unknown>): Promise<[number, object]> {
    if (id === 'vid_locked' && body.unlock_token !== 'token')
      return [403, { code: 'videos.locked', title: 'It has a password.' }];
    const folder = id === 'vid_lost' ? 'media/lost/v1/' : film.prefix;
    const expiresAt = Math.floor(Date.now() / 1_000) + 300;
    const query = signedQuery(await signGrant(key, { resource: `${film.cdnUrl}/${folder}*`, expiresAt }));
    const hls_url = `${film.cdnUrl}/${folder}video.m3u8?${query}`;
    return [200, { hls_url, query, expires_at: new Date(expiresAt * 1_000).toISOString() }];
  }

  const unlock = ({ password }: Record<string, unknown>): [number, object] =>
    password === film.password
      ? [200, { unlock_token: 'token' }]
      : [403, { code: 'videos.wrong_password', title: 'This is not the password of the video.' }];

  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const send = (status: number, type: string, body: string | Buffer, more: Record<string, string> = {}) =>
      void response.writeHead(status, { 'content-type': type, ...more }).end(body);

    async function sendPage(): Promise<void> {
      const script = path.replace('/player/', '');
      const missing = script === 'watching.js' && site.counting === 'has no script';
      if (playerFileParams.safeParse({ script }).success && !missing)
        return send(
          200,
          'text/javascript',
          await readFile(script === 'hls.js' ? hls : join(scripts, script)),
        );
      if (path === '/blog') {
        const frame = `<iframe src="${site.origin}/embed/vid_film" allow="autoplay"></iframe>`;
        return send(200, 'text/html', `<!doctype html><title>A blog</title>${frame}`);
      }
      if (path.startsWith('/v1/videos/vid_talk/chat?from_ms=0&')) {
        const author = { name: 'Bob <b>' };
        const said = [500, 2_500, 5_900].map((offset_ms, index) => ({
          offset_ms,
          seq: index + 1,
          event: {
            type: 'message',
            author,
            fragments: [
              { type: 'text', text: `<i>${index + 1}</i> ` },
              { type: 'emote', text: ':wave:', emoji: '👋' },
            ],
          },
        }));
        return send(
          200,
          'application/json',
          JSON.stringify({ is_recording: true, events: said, next_cursor: null }),
        );
      }
      if (!path.startsWith('/embed/')) return send(404, 'text/plain', '');
      const policy = embedPagePolicy({ nonce: 'bm9uY2U=', cdnOrigin: film.cdnUrl, frameAncestors: '*' });
      send(200, 'text/html', pageOf(path.slice('/embed/'.length)), { 'content-security-policy': policy });
    }

    async function answer(): Promise<void> {
      if (request.method !== 'POST') return sendPage();
      let text = '';
      for await (const chunk of request) text += String(chunk);
      const body = JSON.parse(text) as Record<string, unknown>;
      const [, , , id = '', what = ''] = path.split('/');
      const note = (status: number) => asked.push({ what, body, cookie: request.headers.cookie, status });
      const counts = what.startsWith('watch');
      const cut =
        site.counting === 'is cut off' || (what === 'watch' && site.counting === 'loses heartbeats');
      if (counts && cut) {
        note(0);
        return void response.destroy();
      }
      const [status, value] =
        counts && site.counting === 'fails'
          ? ([500, { code: 'internal', title: 'Something went wrong.' }] as const)
          : what === 'watch-sessions'
            ? await books.start(body, request.headers['user-agent'])
            : what === 'watch'
              ? await books.beat(body)
              : what === 'unlock'
                ? unlock(body)
                : await playbackOf(id, body);
      note(status);
      send(status, 'application/json', JSON.stringify(value));
    }
    answer().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const site: PlayerSite = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    get books() {
      return books;
    },
    counting: 'works',
    async startOver() {
      books = await openBooks();
      asked.length = 0;
      site.counting = 'works';
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return site;
}
