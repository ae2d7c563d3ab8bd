import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeSigningKeys, trustedKeysOf } from '../../local-cloud/cdn/keys.ts';
import { type CdnServer, startCdnServer } from '../../local-cloud/cdn/server.ts';
import { locateFfmpeg } from '../../local-cloud/ffmpeg/index.ts';
import { type S3Server, startS3Server } from '../../local-cloud/s3/server.ts';
import { type BrowserPage, chromiumPath, openBrowser } from '../support/node/chromium.ts';
import { type PlayerSite, startPlayerSite } from '../support/node/player-site.ts';
import { makeTemporaryDir } from '../support/node/temporary.ts';

const bucket = 'social-flow-media';
const prefix = 'media/film/v1/';
const password = 'open sesame';
const signingKeys = makeSigningKeys();
// Headless Chromium says so in its own, and programs count no views.
const userAgent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

type Evaluate = (expression: string) => Promise<unknown>;

if (chromiumPath === undefined)
  console.warn('NOT TESTED: the player in a real browser. Install Chromium or set CHROMIUM_PATH to one.');

describe.skipIf(chromiumPath === undefined)('the player page in Chromium', () => {
  let folder: string;
  let s3: S3Server;
  let cdn: CdnServer;
  let site: PlayerSite;
  let browser: BrowserPage;

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
    site = await startPlayerSite({ cdnUrl: cdn.url, prefix, durationSeconds: 6, signingKeys, password });
    browser = await openBrowser([
      '--autoplay-policy=no-user-gesture-required',
      '--disable-back-forward-cache',
      `--user-agent=${userAgent}`,
    ]);
    await browser.send('Page.enable');
    await browser.send('Page.addScriptToEvaluateOnNewDocument', {
      source: `window.refused = [];
        addEventListener('securitypolicyviolation', (event) => window.refused.push(event.violatedDirective + ' ' + event.blockedURI));
        addEventListener('unhandledrejection', (event) => window.refused.push(String(event.reason)));
        addEventListener('error', (event) => window.refused.push(event.message));`,
    });
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
    await cdn?.close();
    await s3?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await browser.open('about:blank');
    await site.startOver();
  });

  async function until<T>(look: () => T | Promise<T>, what: string): Promise<NonNullable<T>> {
    for (let looks = 0; looks < 1_200; looks += 1) {
      const value = await look();
      if (value !== false && value !== null && value !== undefined) return value as NonNullable<T>;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`never: ${what}`);
  }
  const see = (expression: string, evaluate: Evaluate = browser.evaluate): Promise<unknown> =>
    until(() => evaluate(expression), expression);

  async function press(evaluate: Evaluate = browser.evaluate): Promise<void> {
    await see("document.getElementById('player')?.readyState >= 2", evaluate);
    await evaluate(
      "(() => { const v = document.getElementById('player'); v.muted = true; return v.play(); })()",
    );
  }
  const pause = (evaluate: Evaluate = browser.evaluate) =>
    evaluate("document.getElementById('player').pause()");
  const played = (seconds: number, evaluate?: Evaluate) =>
    see(`document.getElementById('player').currentTime > ${seconds}`, evaluate);
  const sessions = () => site.asked.filter(({ what }) => what === 'watch-sessions');
  const heartbeats = () => site.asked.filter(({ what }) => what === 'watch');
  const told = () => heartbeats().some(({ status }) => status === 200);

  /** Plays the film of a frame in another page until the time since the session began allows for a view. */
  async function watchIn(page: string): Promise<Evaluate> {
    await browser.open(page);
    const evaluate = await browser.frame(`${site.origin}/embed/vid_film`);
    await press(evaluate);
    await until(() => sessions().length > 0, 'a session');
    await played(3.2, evaluate);
    await until(() => Date.now() - site.books.lastStartMs() > 3_200, 'three seconds of a session');
    return evaluate;
  }

  it('asks for the password, plays signed CMAF under its policy, and keeps no cookies', async () => {
    await browser.open(`${site.origin}/embed/vid_locked`);
    await see("document.getElementById('unlock').hidden === false");
    const give = (word: string) =>
      browser.evaluate(
        `document.querySelector('[name=password]').value = ${JSON.stringify(word)}; document.querySelector('#unlock button').click()`,
      );
    await give('wrong');
    await see("document.getElementById('text').textContent.includes('not the password')");
    await give(password);
    await see("document.getElementById('message').hidden");
    await press();
    await played(4.5);
    await pause();
    await until(told, 'a heartbeat');
    expect(await browser.evaluate("document.getElementById('player').videoWidth")).toBe(320);
    expect(await browser.evaluate("document.getElementById('player').duration")).toBeCloseTo(6, 0);
    expect(await browser.evaluate('window.refused')).toEqual([]);
    expect(await browser.evaluate('document.cookie')).toBe('');
    expect(site.asked.map(({ what }) => what).filter((what) => what !== 'watch')).toEqual([
      'playback',
      'unlock',
      'unlock',
      'playback',
      'watch-sessions',
    ]);
    expect(sessions()[0]?.body).toEqual({
      unlock_token: 'token',
      source: { kind: 'direct' },
    });
    expect(site.asked.every(({ cookie }) => cookie === undefined)).toBe(true);
    const fetched = (await browser.evaluate(
      "performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => name.includes('/media/'))",
    )) as string[];
    expect(fetched.length).toBeGreaterThanOrEqual(6);
    for (const url of fetched) expect(url.split('?')).toHaveLength(2);
  });

  it('shows the chat of a recording in step with the film, as text, and no chat of other films', async () => {
    const lines = () =>
      browser.evaluate("[...document.querySelectorAll('#chat li')].map((line) => line.textContent).join()");
    await browser.open(`${site.origin}/embed/vid_talk`);
    await press();
    await played(1);
    await pause();
    await see("document.querySelectorAll('#chat li').length > 0");
    expect(await lines()).toMatch(/^Bob <b> <i>1<\/i> 👋/);
    await browser.evaluate("document.getElementById('player').currentTime = 5");
    await see("document.querySelectorAll('#chat li').length === 2");
    await browser.evaluate("document.getElementById('player').currentTime = 0.1");
    await see("document.querySelectorAll('#chat li').length === 0");
    expect(await browser.evaluate("document.getElementById('chat').hidden")).toBe(false);
    await browser.evaluate("document.getElementById('chat-button').click()");
    expect(await browser.evaluate("document.getElementById('chat').hidden")).toBe(true);
    expect(await browser.evaluate('window.refused')).toEqual([]);

    await browser.open(`${site.origin}/embed/vid_film`);
    await press();
    await played(1);
    expect(await browser.evaluate("document.getElementById('chat-button').hidden")).toBe(true);
    expect(await browser.evaluate('window.refused')).toEqual([]);
  });

  it('counts a view of three seconds in a page of another site, told while that page goes, and none more after a reload', async () => {
    const blog = site.origin.replace('127.0.0.1', 'localhost');
    await watchIn(`${blog}/blog`);
    await browser.open('about:blank');
    await until(told, 'a heartbeat');
    const first = await until(() => site.books.flush(), 'something counted');
    expect(first.views).toBe(1);
    expect(sessions()[0]?.body).toEqual({
      embed_origin: blog,
      source: { kind: 'embed', referrer: 'localhost' },
    });
    expect(first.parts).toContainEqual(
      expect.objectContaining({ dimension: 'source', value: 'embed', views: 1, plays: 1 }),
    );
    expect(first.parts).toContainEqual(
      expect.objectContaining({ dimension: 'referrer', value: 'localhost', views: 1 }),
    );
    expect(first.days).toEqual([expect.objectContaining({ plays: 1, startups: 1, errors: 0 })]);
    expect(first.days[0]?.watchMs).toBeGreaterThanOrEqual(3_000);

    site.asked.length = 0;
    const evaluate = await watchIn(`${blog}/blog`);
    await pause(evaluate);
    await until(told, 'a heartbeat after the reload');
    const second = await until(() => site.books.flush(), 'something counted after the reload');
    expect(second).toMatchObject({ views: 0, days: [{ plays: 1 }] });
    expect(second.days[0]?.watchMs).toBeGreaterThanOrEqual(3_000);
  });

  it.each(['fails', 'is cut off', 'has no script'] as const)(
    'plays to the end when counting %s',
    async (counting) => {
      site.counting = counting;
      await browser.open(`${site.origin}/embed/vid_film`);
      await press();
      await see("document.getElementById('player').ended");
      expect(await browser.evaluate("document.getElementById('message').hidden")).toBe(true);
      expect(await browser.evaluate('window.refused')).toEqual([]);
      expect(sessions().length > 0).toBe(counting !== 'has no script');
      expect(site.books.flush()).toBeUndefined();
    },
  );

  it('repeats a heartbeat that was not answered under its number, word for word', async () => {
    site.counting = 'loses heartbeats';
    await browser.open(`${site.origin}/embed/vid_film`);
    await press();
    await played(1);
    await pause();
    await until(() => heartbeats().length > 0, 'a heartbeat');
    site.counting = 'works';
    await until(told, 'a heartbeat that is answered');
    // Chromium repeats what was cut by itself, too.
    const [first, ...others] = heartbeats();
    expect([first?.status, first?.body.seq]).toEqual([0, 1]);
    expect(others.length).toBeGreaterThan(0);
    for (const { body } of others) expect(body).toEqual(first?.body);
    expect(site.books.flush()).toMatchObject({ days: [{ plays: 1, startups: 1 }] });
  });

  it('reports what it cannot play', async () => {
    await browser.open(`${site.origin}/embed/vid_lost`);
    await see("document.getElementById('message').hidden === false");
    await until(told, 'a heartbeat');
    const flushed = await until(() => site.books.flush(), 'something counted');
    expect(flushed).toMatchObject({ views: 0, days: [{ plays: 0, errors: 1 }] });
    expect(flushed.parts).toEqual([
      expect.objectContaining({ dimension: 'error', value: 'HLS_MANIFEST_LOAD_ERROR', errors: 1 }),
    ]);
  });
});
