import { beforeAll, describe, expect, it } from 'vitest';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';

let owner: TestUser;
beforeAll(async () => {
  owner = await seedUser({ displayName: 'Ada <L> & "Co"' });
});

async function makeFilm(columns: Readonly<Record<string, unknown>> = {}, by = owner): Promise<string> {
  const uuid = randomIds.next();
  const prefix = `media/${uuid}/v1/`;
  const row = {
    id: uuid,
    owner_id: by.uuid,
    title: '</title><script>alert(1)</script> "Tom" & \'Jerry\' 🎬',
    description: 'Line one\nLine ]]> two & <b>more</b>',
    state: 'published',
    published_at: '2026-03-01T10:00:00Z',
    hls_key: `${prefix}video.m3u8`,
    dash_key: `${prefix}video.mpd`,
    open_prefix: `open/${uuid}/v1/`,
    duration_ms: 61_500,
    width: 1920,
    height: 1080,
    ...columns,
  };
  const names = Object.keys(row);
  await sqlRows(
    `INSERT INTO videos (${names.join()}) VALUES (${names.map((_, index) => `$${index + 1}`).join()})`,
    Object.values(row),
  );
  await sqlRows(
    "INSERT INTO thumbnails SELECT $1, 1, n, $2 || 'thumbnails/t.' || n || '.jpg' FROM generate_series(0, 1) AS n",
    [uuid, prefix],
  );
  await sqlRows("INSERT INTO renditions VALUES ($1, 1, '720p', 1280, 720, 3000000, 61500)", [uuid]);
  return encodeId('video', uuid);
}

/** `Content-Security-Policy` by directive. */
const policyOf = (response: Response): Record<string, string> =>
  Object.fromEntries(
    (response.headers.get('content-security-policy') ?? '').split('; ').map((directive) => {
      const [name = '', ...sources] = directive.split(' ');
      return [name, sources.join(' ')];
    }),
  );

const codeOf = async (response: Response): Promise<string> =>
  `${response.status} ${((await response.json()) as { code?: string }).code}`;

describe('GET /embed/{id}', () => {
  it('is a page for frames with a strict policy, made anew each time, and no cookies', async () => {
    const id = await makeFilm();
    const response = await call('GET', `/embed/${id}`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(response.headers.get('x-frame-options')).toBeNull();
    const policy = policyOf(response);
    expect(policy).toMatchObject({
      'default-src': "'none'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': '*',
    });
    const nonce = /^'nonce-([A-Za-z0-9+/=]{24})'$/.exec(policy['script-src'] ?? '')?.[1] ?? '';
    const html = await response.text();
    const scripts = [...html.matchAll(/<script[^>]*>/g)].map(([tag]) => tag);
    expect(scripts).toEqual([
      `<script nonce="${nonce}" src="/player/hls.js">`,
      `<script nonce="${nonce}" src="/player/player.js">`,
    ]);
    expect(policyOf(await call('GET', `/embed/${id}`))['script-src']).not.toBe(policy['script-src']);
    // Nothing of the title got out of its quotes.
    expect(html).not.toContain('alert(1)</script>');
    expect(html).toContain('&#60;/title&#62;&#60;script&#62;alert(1)');
    // Other answers stay out of frames.
    expect((await call('GET', `/v1/videos/${id}`)).headers.get('x-frame-options')).toBe('DENY');
  });

  it('tells link previews what they ask for', async () => {
    const id = await makeFilm({ title: 'A film' });
    const html = await (await call('GET', `/embed/${id}`)).text();
    const meta = Object.fromEntries(
      [...html.matchAll(/<meta (?:property|name)="([^"]+)" content="([^"]*)">/g)].map(([, name, content]) => [
        name,
        content,
      ]),
    );
    expect(meta).toMatchObject({
      'og:title': 'A film',
      'og:type': 'video.other',
      'og:url': `https://app.test/videos/${id}`,
      'og:video': `https://api.test/embed/${id}`,
      'og:video:secure_url': `https://api.test/embed/${id}`,
      'og:video:type': 'text/html',
      'og:video:width': '1920',
      'og:video:duration': '62',
      'og:image:width': '1280',
      'twitter:card': 'player',
      'twitter:player': `https://api.test/embed/${id}`,
    });
    expect(meta['og:image']).toMatch(/\/open\/[0-9a-f-]+\/v1\/thumbnails\/t\.1\.jpg$/);
    const discovery =
      /<link rel="alternate" type="application\/json\+oembed" href="([^"]+)"/.exec(html)?.[1] ?? '';
    const path = discovery.replace('https://api.test', '').replaceAll('&#38;', '&');
    expect(await callJson(200, 'GET', path)).toMatchObject({ type: 'video', title: 'A film' });
  });

  it('stands only where the owner lets it', async () => {
    const listed = await makeFilm({ embed_mode: 'listed', embed_domains: '{example.com}' });
    const framed = (id: string, referer: string) =>
      call('GET', `/embed/${id}`, { headers: { 'sec-fetch-dest': 'iframe', referer } });
    const good = await framed(listed, 'https://www.example.com/post');
    expect([good.status, policyOf(good)['frame-ancestors']]).toEqual([
      200,
      "'self' example.com *.example.com",
    ]);
    expect((await framed(listed, 'https://evil.test/')).status).toBe(403);
    expect((await framed(listed, 'https://api.test/docs')).status).toBe(200);
    const nowhere = await makeFilm({ embed_mode: 'nowhere' });
    expect((await framed(nowhere, 'https://example.com/')).status).toBe(403);
    const alone = await call('GET', `/embed/${nowhere}`);
    expect([alone.status, policyOf(alone)['frame-ancestors'], alone.headers.get('x-frame-options')]).toEqual([
      200,
      "'self'",
      null,
    ]);
  });

  it('is there for what strangers may see, whoever asks', async () => {
    for (const columns of [
      { visibility: 'private' },
      { visibility: 'followers' },
      { visibility: 'members' },
      { state: 'transcoding' },
      { publish_at: '2999-01-01T00:00:00Z' },
    ]) {
      const id = await makeFilm(columns);
      const response = await call('GET', `/embed/${id}`, { token: owner.token });
      expect([response.status, response.headers.get('content-type')]).toEqual([
        404,
        'text/html; charset=utf-8',
      ]);
    }
    expect((await call('GET', `/embed/${encodeId('video', randomIds.next())}`)).status).toBe(404);
    expect((await call('GET', '/embed/nonsense')).status).toBe(404);
    expect((await call('GET', '/player/other.js')).status).toBe(404);
  });
});

describe('GET /oembed', () => {
  const oembed = (url: string, more = '') => call('GET', `/oembed?url=${encodeURIComponent(url)}${more}`);

  it('tells how to show a video, within the size there is', async () => {
    const id = await makeFilm();
    const answer = await callJson<{ html: string; width: number; height: number }>(
      200,
      'GET',
      `/oembed?url=${encodeURIComponent(`https://api.test/embed/${id}`)}&format=json`,
    );
    expect(answer).toMatchObject({
      version: '1.0',
      type: 'video',
      author_name: 'Ada <L> & "Co"',
      provider_name: 'Social Flow',
      width: 1920,
      height: 1080,
      thumbnail_width: 1280,
      thumbnail_height: 720,
    });
    expect(answer.html).toContain(`<iframe src="https://api.test/embed/${id}" width="1920" height="1080"`);
    expect(answer.html.match(/<[a-z]/g)).toEqual(['<i']);
    for (const [bounds, size] of [
      ['&maxwidth=640', [640, 360]],
      ['&maxheight=90', [160, 90]],
      ['&maxwidth=640&maxheight=90', [160, 90]],
      ['&maxwidth=4000', [1920, 1080]],
      ['&maxwidth=1', [1, 1]],
    ] as const) {
      const { width, height } = (await (
        await oembed(`https://app.test/videos/${id}?t=3`, bounds)
      ).json()) as typeof answer;
      expect([width, height]).toEqual(size);
    }
  });

  it('refuses what it does not know', async () => {
    const id = await makeFilm();
    const url = `https://api.test/embed/${id}`;
    expect(await codeOf(await oembed(url, '&format=xml'))).toBe('501 oembed.format_not_implemented');
    for (const address of [
      'https://elsewhere.test/embed/x',
      'https://api.test/embed/',
      `https://api.test/embed/${owner.id}`,
      `https://api.test.evil.example/embed/${id}`,
      `https://api.test/embed/${await makeFilm({ visibility: 'private' })}`,
    ])
      expect(await codeOf(await oembed(address))).toBe('404 videos.not_found');
    const nowhere = await makeFilm({ embed_mode: 'nowhere' });
    expect(await codeOf(await oembed(`https://api.test/embed/${nowhere}`))).toBe('403 videos.embed_refused');
    for (const query of [
      '',
      '?url=nonsense',
      `?url=${url}&maxwidth=0`,
      `?url=${url}&maxwidth=x`,
      `?url=${url}&format=yaml`,
    ])
      expect((await call('GET', `/oembed${query}`)).status).toBe(400);
  });
});

describe('GET /v1/users/{id}/feed.rss', () => {
  it('is a feed of what strangers see in lists, with everything escaped', async () => {
    const channel = await seedUser({ displayName: 'Channel & <Co>' });
    const shown = [await makeFilm({}, channel), await makeFilm({ title: 'Second' }, channel)];
    for (const columns of [
      { visibility: 'unlisted' },
      { visibility: 'private' },
      { visibility: 'members' },
      { state: 'transcoding' },
    ])
      await makeFilm(columns, channel);
    const response = await call('GET', `/v1/users/${channel.id}/feed.rss`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'application/rss+xml; charset=utf-8',
    ]);
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
    const xml = await response.text();
    expect([...xml.matchAll(/<guid isPermaLink="false">([^<]+)<\/guid>/g)].map(([, id]) => id)).toEqual(
      shown.toReversed(),
    );
    expect(xml).toContain('<title>Channel &#38; &#60;Co&#62;</title>');
    expect(xml).toContain('<pubDate>Sun, 01 Mar 2026 10:00:00 GMT</pubDate>');
    expect(xml).toMatch(/<media:thumbnail url="[^"]+\/open\/[^"]+t\.1\.jpg" width="1280" height="720"\/>/);
    expect(wellFormed(xml)).toBe(true);
  });

  it('answers 304 to readers that have it, and knows nobody who is not there', async () => {
    const channel = await seedUser();
    await makeFilm({}, channel);
    const path = `/v1/users/${channel.id}/feed.rss`;
    const etag = (await call('GET', path)).headers.get('etag') ?? '';
    const again = await call('GET', path, { headers: { 'if-none-match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    await makeFilm({}, channel);
    expect((await call('GET', path, { headers: { 'if-none-match': etag } })).status).toBe(200);
    expect((await call('GET', `/v1/users/${encodeId('user', randomIds.next())}/feed.rss`)).status).toBe(404);
    const empty = await call('GET', `/v1/users/${(await seedUser()).id}/feed.rss`);
    expect([empty.status, wellFormed(await empty.text())]).toEqual([200, true]);
  });
});

/** Whether tags are nested right, attributes quoted, and no bare markup is left in the text. */
function wellFormed(xml: string): boolean {
  const open: string[] = [];
  const body = xml.replace(/^<\?xml [^?]*\?>\n/, '');
  let rest = body;
  while (rest !== '') {
    const text = /^[^<]+/.exec(rest)?.[0];
    if (text !== undefined) {
      if (/&(?!#\d+;)/.test(text) || text.includes(']]>')) return false;
      rest = rest.slice(text.length);
      continue;
    }
    const tag = /^<(\/?)([a-z:]+)((?: [a-zA-Z:]+="[^"<]*")*)(\/?)>/i.exec(rest);
    if (tag === null) return false;
    const [whole, closing, name = '', , empty] = tag;
    if (closing === '/') {
      if (open.pop() !== name) return false;
    } else if (empty !== '/') open.push(name);
    rest = rest.slice(whole.length);
  }
  return open.length === 0;
}
