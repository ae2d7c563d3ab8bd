import { readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeSigningKeys, trustedKeysOf } from '../../local-cloud/cdn/keys.ts';
import { type CdnServer, startCdnServer } from '../../local-cloud/cdn/server.ts';
import { locateFfmpeg } from '../../local-cloud/ffmpeg/index.ts';
import { type S3Server, startS3Server } from '../../local-cloud/s3/server.ts';
import { type BrowserPage, chromiumPath, openBrowser } from '../support/node/chromium.ts';
import { makeTemporaryDir } from '../support/node/temporary.ts';

// By address, since the Worker's sources are type-checked against workerd's types and this test against Node's.
const load = (path: string): Promise<unknown> => import(new URL(`../../src/${path}`, import.meta.url).href);

interface Pages {
  embedPage(video: Record<string, unknown>, nonce: string): string;
  embedPagePolicy(options: Record<string, string>): string;
}
interface Signer {
  signGrant(key: unknown, grant: { resource: string; expiresAt: number }): Promise<unknown>;
  signedQuery(signed: unknown): string;
}
interface Settings {
  deliverySection: { settings: { signingKeys: { schema: { parse(text: string): unknown[] } } } };
}

const { embedPage, embedPagePolicy } = (await load('modules/delivery/policy/embed-page.ts')) as Pages;
const { signGrant, signedQuery } = (await load('integrations/aws/cloudfront.ts')) as Signer;
const { deliverySection } = (await load('config/delivery.config.ts')) as Settings;

const bucket = 'social-flow-media';
const prefix = 'media/film/v1/';
const password = 'open sesame';
const signingKeys = makeSigningKeys();
const hls = join(dirname(createRequire(import.meta.url).resolve('hls.js')), 'hls.min.js');
const player = new URL('../../clients/player/player.js', import.meta.url);

if (chromiumPath === undefined)
  console.warn('NOT TESTED: the player in a real browser. Install Chromium or set CHROMIUM_PATH to one.');

describe.skipIf(chromiumPath === undefined)('the player page in Chromium', () => {
  let folder: string;
  let s3: S3Server;
  let cdn: CdnServer;
  let api: Server;
  let browser: BrowserPage;
  let origin: string;
  const asked: { path: string; body: Record<string, unknown>; cookie: string | undefined }[] = [];
  const fetched: string[] = [];

  beforeAll(async () => {
    folder = await makeTemporaryDir();
    s3 = await startS3Server({
      port: 0,
      dataDir: join(folder, 's3'),
      region: 'us-east-1',
      credentials: [{ accessKeyId: 'TEST', secretAccessKey: 'a secret of the tests' }],
      buckets: [{ name: bucket }],
    });
    cdn = await startCdnServer({
      port: 0,
      originBucket: bucket,
      s3,
      signed: { prefixes: ['media/'], keys: trustedKeysOf(signingKeys) },
    });
    const ffmpeg = await locateFfmpeg();
    const make =
      '-f lavfi -i testsrc2=s=320x180:r=25:d=6 -f lavfi -i sine=d=6 -c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac';
    await ffmpeg.run(
      [
        ...make.split(' '),
        ...'-f hls -hls_time 2 -hls_playlist_type vod -hls_segment_type fmp4 -master_pl_name video.m3u8 track.m3u8'.split(
          ' ',
        ),
      ],
      { cwd: folder },
    );
    for (const name of ['video.m3u8', 'track.m3u8', 'init.mp4', 'track0.m4s', 'track1.m4s', 'track2.m4s'])
      await s3.putFile(bucket, prefix + name, join(folder, name), {
        contentType: 'application/octet-stream',
      });
    api = await startApi();
    origin = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    browser = await openBrowser(['--autoplay-policy=no-user-gesture-required']);
  });
  afterAll(async () => {
    await browser?.close();
    api?.close();
    await cdn?.close();
    await s3?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The page as the Worker serves it, over an API that wants the password and signs as the Worker does. */
  async function startApi(): Promise<Server> {
    const [key] = deliverySection.settings.signingKeys.schema.parse(signingKeys);
    const server = createServer((request, response) => {
      const path = request.url ?? '';
      const send = (status: number, type: string, body: string | Buffer, more: Record<string, string> = {}) =>
        void response.writeHead(status, { 'content-type': type, ...more }).end(body);
      const answer = async () => {
        if (path === '/embed/vid_film') {
          const video = {
            id: 'vid_film',
            title: 'A film </video>',
            description: '',
            width: 320,
            height: 180,
            durationSeconds: 6,
            publishedAt: null,
            ownerName: 'Ada',
            ownerUrl: `${origin}/users/ada`,
            watchUrl: `${origin}/videos/vid_film`,
            embedUrl: `${origin}/embed/vid_film`,
            oembedUrl: `${origin}/oembed`,
            thumbnail: null,
          };
          const policy = embedPagePolicy({ nonce: 'bm9uY2U=', cdnOrigin: cdn.url, frameAncestors: '*' });
          return send(200, 'text/html', embedPage(video, 'bm9uY2U='), { 'content-security-policy': policy });
        }
        if (path === '/player/hls.js') return send(200, 'text/javascript', await readFile(hls));
        if (path === '/player/player.js') return send(200, 'text/javascript', await readFile(player));
        if (request.method !== 'POST') return send(404, 'text/plain', '');
        let text = '';
        for await (const chunk of request) text += String(chunk);
        const body = JSON.parse(text) as Record<string, unknown>;
        asked.push({ path, body, cookie: request.headers.cookie });
        const json = (status: number, value: unknown) =>
          send(status, 'application/json', JSON.stringify(value));
        if (path.endsWith('/unlock'))
          return body.password === password
            ? json(200, { unlock_token: 'token' })
            : json(403, { code: 'videos.wrong_password', title: 'This is not the password of the video.' });
        if (body.unlock_token !== 'token')
          return json(403, { code: 'videos.locked', title: 'It has a password.' });
        const expiresAt = Math.floor(Date.now() / 1000) + 300;
        const query = signedQuery(await signGrant(key, { resource: `${cdn.url}/${prefix}*`, expiresAt }));
        json(200, {
          hls_url: `${cdn.url}/${prefix}video.m3u8?${query}`,
          query,
          expires_at: new Date(expiresAt * 1000).toISOString(),
        });
      };
      answer().catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  async function until(expression: string): Promise<unknown> {
    for (let look = 0; look < 1_200; look += 1) {
      const value = await browser.evaluate(expression);
      if (value !== false && value !== null && value !== undefined) return value;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`never: ${expression}`);
  }

  it('asks for the password, plays signed CMAF under its policy, and keeps no cookies', async () => {
    await browser.send('Page.enable');
    await browser.send('Page.addScriptToEvaluateOnNewDocument', {
      source:
        "window.refused = []; addEventListener('securitypolicyviolation', (event) => window.refused.push(event.violatedDirective + ' ' + event.blockedURI));",
    });
    await browser.open(`${origin}/embed/vid_film`);
    await until("document.getElementById('unlock').hidden === false");
    const give = (word: string) =>
      browser.evaluate(
        `document.querySelector('[name=password]').value = ${JSON.stringify(word)}; document.querySelector('#unlock button').click()`,
      );
    await give('wrong');
    await until("document.getElementById('text').textContent.includes('not the password')");
    await give(password);
    await until("document.getElementById('message').hidden");
    await until("document.getElementById('player').readyState >= 2");
    await browser.evaluate(
      "(() => { const v = document.getElementById('player'); v.muted = true; return v.play(); })()",
    );
    expect(
      await until("document.getElementById('player').currentTime > 4.5 && 'played into the last segment'"),
    ).toBe('played into the last segment');
    expect(await browser.evaluate("document.getElementById('player').videoWidth")).toBe(320);
    expect(await browser.evaluate("document.getElementById('player').duration")).toBeCloseTo(6, 0);
    expect(await browser.evaluate('window.refused')).toEqual([]);
    expect(await browser.evaluate('document.cookie')).toBe('');
    expect(asked.map(({ path }) => path.split('/').pop())).toEqual([
      'playback',
      'unlock',
      'unlock',
      'playback',
    ]);
    expect(asked.every(({ cookie }) => cookie === undefined)).toBe(true);
    fetched.push(
      ...((await browser.evaluate(
        "performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => name.includes('/media/'))",
      )) as string[]),
    );
    expect(fetched.length).toBeGreaterThanOrEqual(6);
    for (const url of fetched) expect(url.split('?')).toHaveLength(2);
  });
});
