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
import { startUpload } from '../../support/worker/films.ts';
import { refusal, seedVideo } from '../posts/actions.ts';

const idOf = (uuid: string): string => encodeId('video', uuid);

interface Details {
  readonly tags: readonly string[];
  readonly category: string | null;
  readonly language: string | null;
  readonly licence: string;
  readonly chapters: readonly { start_ms: number; title: string }[];
  readonly end_screens: readonly Record<string, unknown>[];
  readonly comment_policy: string;
}

const pageOf = (id: string, viewer?: TestUser) =>
  callJson<Details>(200, 'GET', `/v1/videos/${id}`, { token: viewer?.token });
const patch = (user: TestUser, id: string, body: unknown) =>
  call('PATCH', `/v1/videos/${id}`, { token: user.token, body });

const chapters = [
  { start_ms: 0, title: 'Intro' },
  { start_ms: 20_000, title: 'Middle' },
  { start_ms: 40_000, title: 'End' },
];
const place = { start_ms: 45_000, end_ms: 55_000, x: 0.1, y: 0.2, width: 0.3 };

let owner: TestUser;
let viewer: TestUser;
beforeAll(async () => {
  owner = await seedUser();
  viewer = await seedUser();
});

describe('what an owner says about a video', () => {
  it('is plain at first, and shown to everybody once set, in one trip', async () => {
    const id = idOf(await seedVideo(owner, { duration_ms: 61_000 }));
    expect(await pageOf(id)).toMatchObject({
      tags: [],
      category: null,
      language: null,
      licence: 'standard',
      chapters: [],
      end_screens: [],
      comment_policy: 'open',
    });
    const playlistId = encodeId('playlist', randomIds.next());
    const endScreens = [
      { kind: 'video', video_id: id, ...place },
      { kind: 'playlist', playlist_id: playlistId, ...place },
      { kind: 'channel', user_id: owner.id, ...place },
      { kind: 'link', url: 'https://example.com/shop', title: 'Shop', ...place },
    ];
    const response = await patch(owner, id, {
      tags: ['#Cats', 'ｃａｔｓ', 'two  words', 'Ünïcode 🐈'],
      category: 'nature',
      language: 'PT-br',
      licence: 'cc-by-sa',
      chapters,
      end_screens: endScreens,
      comment_policy: 'approve',
    });
    const shown = {
      tags: ['Cats', 'two words', 'Ünïcode 🐈'],
      category: 'nature',
      language: 'pt-BR',
      licence: 'cc-by-sa',
      chapters,
      end_screens: endScreens,
      comment_policy: 'approve',
    };
    expect([response.status, await response.json()]).toMatchObject([200, shown]);
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    expect(await pageOf(id, viewer)).toMatchObject(shown);
    expect(await sqlRows('SELECT tag_keys FROM videos WHERE tags[1] = $1', ['Cats'])).toEqual([
      { tag_keys: ['cats', 'two words', 'ünïcode 🐈'] },
    ]);
    await patch(owner, id, { category: null, language: null, tags: [], chapters: [], end_screens: [] });
    expect(await pageOf(id)).toMatchObject({
      tags: [],
      category: null,
      language: null,
      chapters: [],
      licence: 'cc-by-sa',
    });
  });

  it('can be said when the upload starts', async () => {
    const upload = await startUpload(owner, {
      tags: ['a "quoted", {brace} \\ slash'],
      category: 'music',
      language: 'de',
      licence: 'cc0',
      chapters,
      comment_policy: 'off',
    });
    expect(await pageOf(upload.video_id, owner)).toMatchObject({
      tags: ['a "quoted", {brace} \\ slash'],
      category: 'music',
      language: 'de',
      licence: 'cc0',
      chapters,
      comment_policy: 'off',
    });
  });

  it.each([
    ['/tags', { tags: Array.from({ length: 31 }, (_, index) => `t${index}`) }],
    ['/tags/0', { tags: ['x'.repeat(51)] }],
    ['/tags/0', { tags: ['###'] }],
    ['/tags/1', { tags: ['ok', 'nul\u0000'] }],
    ['/tags/0', { tags: ['\ud800'] }],
    ['/tags/0', { tags: [7] }],
    ['/category', { category: 'films-about-cats' }],
    ['/category', { category: 'toString' }],
    ['/language', { language: 'klingon please' }],
    ['/language', { language: 'de-u-co-phonebk' }],
    ['/licence', { licence: 'mit' }],
    ['/licence', { licence: null }],
    ['/chapters', { chapters: chapters.slice(0, 2) }],
    ['/chapters', { chapters: chapters.toReversed() }],
    ['/chapters/0/start_ms', { chapters: [{ start_ms: 0.5, title: 'x' }] }],
    ['/chapters/0/start_ms', { chapters: [{ start_ms: 1e15, title: 'x' }] }],
    ['/chapters/0/title', { chapters: [{ start_ms: 0, title: 'two\nlines' }] }],
    [
      '/end_screens',
      { end_screens: Array.from({ length: 5 }, () => ({ kind: 'channel', user_id: '', ...place })) },
    ],
    [
      '/end_screens/0/end_ms',
      { end_screens: [{ kind: 'link', url: 'https://a.example', title: 'x', ...place, end_ms: 46_000 }] },
    ],
    [
      '/end_screens/0/width',
      { end_screens: [{ kind: 'link', url: 'https://a.example', title: 'x', ...place, x: 0.9 }] },
    ],
    [
      '/end_screens/0/url',
      { end_screens: [{ kind: 'link', url: 'http://a.example', title: 'x', ...place }] },
    ],
    [
      '/end_screens/0/url',
      { end_screens: [{ kind: 'link', url: 'javascript:alert(1)', title: 'x', ...place }] },
    ],
    [
      '/end_screens/0/url',
      { end_screens: [{ kind: 'link', url: 'https://a:b@a.example', title: 'x', ...place }] },
    ],
    ['/end_screens/0/kind', { end_screens: [{ kind: 'poll', ...place }] }],
    ['/end_screens/0/video_id', { end_screens: [{ kind: 'video', video_id: 'usr_1', ...place }] }],
    ['/comment_policy', { comment_policy: 'closed' }],
  ])('is refused at %s: %j', async (pointer, body) => {
    const id = idOf(await seedVideo(owner));
    const before = await pageOf(id, owner);
    const refused = await refusal('PATCH', `/v1/videos/${id}`, { token: owner.token, body });
    expect([refused.status, refused.code]).toEqual([422, 'request.invalid']);
    expect(refused.pointers).toContain(pointer);
    expect(await pageOf(id, owner)).toEqual(before);
  });

  it('may not lie beyond the end of the film, which may not be known yet', async () => {
    const short = idOf(await seedVideo(owner, { duration_ms: 49_999 }));
    const beyond = { status: 422, code: 'videos.details_beyond_end' };
    expect(
      await refusal('PATCH', `/v1/videos/${short}`, { token: owner.token, body: { chapters } }),
    ).toMatchObject(beyond);
    const link = { kind: 'link', url: 'https://a.example/', title: 'x', ...place };
    expect(
      await refusal('PATCH', `/v1/videos/${short}`, {
        token: owner.token,
        body: { title: 'New', end_screens: [link] },
      }),
    ).toMatchObject(beyond);
    expect(await callJson(200, 'GET', `/v1/videos/${short}`)).toMatchObject({
      title: 'A film',
      end_screens: [],
    });

    const uuid = await seedVideo(owner, { state: 'transcoding', duration_ms: null });
    expect((await patch(owner, idOf(uuid), { chapters, end_screens: [link] })).status).toBe(200);
    await sqlRows("UPDATE videos SET duration_ms = 35000, state = 'published' WHERE id = $1", [uuid]);
    expect(await pageOf(idOf(uuid))).toMatchObject({ chapters: [], end_screens: [] });
  });

  it('is nobody else’s to change', async () => {
    const id = idOf(await seedVideo(owner));
    expect((await patch(viewer, id, { tags: ['mine'] })).status).toBe(404);
    expect((await call('PATCH', `/v1/videos/${id}`, { body: { tags: ['mine'] } })).status).toBe(401);
    expect((await pageOf(id)).tags).toEqual([]);
  });
});

describe('chapters as a file', () => {
  const file = (id: string, viewer?: TestUser) =>
    call('GET', `/v1/videos/${id}/chapters.vtt`, { token: viewer?.token });

  it('are those of the page, set or found in the description', async () => {
    const id = idOf(await seedVideo(owner, { duration_ms: 61_000 }));
    const none = await file(id);
    expect([none.status, none.headers.get('content-type'), await none.text()]).toEqual([
      200,
      'text/vtt; charset=utf-8',
      'WEBVTT\n',
    ]);
    await patch(owner, id, { description: 'A film\n0:00 One\n0:15 Two\n0:40 Three <3' });
    const found = await file(id);
    expect((await roundTripsOf(found)).roundTrips).toBe(1);
    const text = await found.text();
    expect(text).toContain('00:00:40.000 --> 00:01:01.000\nThree &lt;3');
    expect((await pageOf(id)).chapters).toHaveLength(3);
    await patch(owner, id, { chapters });
    expect(await (await file(id)).text()).toContain('00:00:00.000 --> 00:00:20.000\nIntro');
    const etag = (await file(id)).headers.get('etag') ?? '';
    const again = await call('GET', `/v1/videos/${id}/chapters.vtt`, { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
  });

  it('are seen by those who see the video', async () => {
    const id = idOf(await seedVideo(owner, { visibility: 'private' }));
    expect([
      (await file(id)).status,
      (await file(id, viewer)).status,
      (await file(id, owner)).status,
    ]).toEqual([404, 404, 200]);
  });
});

describe('the registries', () => {
  it('of categories and licences are open to everybody', async () => {
    const { data } = await callJson<{ data: { id: string; title: string }[] }>(
      200,
      'GET',
      '/v1/videos/categories',
    );
    expect(data.length).toBeGreaterThanOrEqual(20);
    expect(data).toContainEqual({ id: 'music', title: 'Music' });
    const licences = await callJson<{ data: { id: string; url: string | null }[] }>(
      200,
      'GET',
      '/v1/videos/licences',
    );
    expect(licences.data[0]).toEqual({ id: 'standard', title: 'All rights reserved', url: null });
  });
});
