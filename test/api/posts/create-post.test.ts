import { describe, expect, it } from 'vitest';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, roundTripsOf, seedUser, sqlRows } from '../../support/worker/client.ts';
import { breakDatabase } from '../../support/worker/faults.ts';
import { takeMessages } from '../../support/worker/queues.ts';
import { block, getPost, type PostBody, post, readPage, refusal, seedVideo } from './actions.ts';

const hostile = [
  "'; DROP TABLE posts; --",
  '$1 %s {0} {{7*7}} $(id) `id` %00',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  '"quoted" \\"escaped\\" \\u0041 \\n {"json": [null]}',
  '👩‍👩‍👧‍👦 🇩🇪 🏴󠁧󠁢󠁥󠁮󠁧󠁿 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈 𠜎',
  'שלום עולם مرحبا بالعالم \u200f\u200e mixed',
  'ไทย हिन्दी 日本語 한국어',
  'line one\nline two\n\n\ttabbed',
  'z̷̢̛a̴͓l̸͚g̵̰o̶͎',
  '\u{1f4a9}'.repeat(2_000),
];

describe('posting', () => {
  it('gives back the post with its author, and anyone can read it from then on', async () => {
    const ada = await seedUser({ displayName: 'Ada 💫' });
    const made = await post(ada, 'Hello, world');
    expect(made).toMatchObject({
      author: { id: ada.id, username: ada.username, display_name: 'Ada 💫', avatar_url: null },
      text: 'Hello, world',
      facets: [],
      video: null,
      like_count: 0,
      liked: false,
    });
    expect(made.id).toMatch(/^post_[0-9a-z]{26}$/);
    expect(Math.abs(Date.parse(made.created_at) - Date.now())).toBeLessThan(60_000);
    expect(await getPost(made.id)).toEqual(made);
    expect(await getPost(made.id, ada)).toEqual(made);
  });

  it('takes one round trip to the database and tells the queues afterwards', async () => {
    const ada = await seedUser();
    takeMessages();
    const response = await call('POST', '/v1/posts', {
      token: ada.token,
      body: { text: `#one @${ada.username} https://example.com` },
    });
    expect(response.status).toBe(201);
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    const { id } = (await response.json()) as PostBody;
    const [message, ...others] = takeMessages();
    expect(others).toEqual([]);
    expect(message?.body).toMatchObject({ type: 'post.created', data: { author_id: ada.uuid } });
    expect(encodeId('post', String(message?.body.data.post_id))).toBe(id);
    const audit = await sqlRows('SELECT action, outcome FROM audit_log WHERE actor_id = $1', [ada.uuid]);
    expect(audit).toEqual([{ action: 'post.create', outcome: 'success' }]);
  });

  it('returns every text byte for byte', async () => {
    const ada = await seedUser();
    for (const text of hostile) {
      const normal = text.normalize('NFC');
      const made = await post(ada, normal);
      expect(made.text).toBe(normal);
      expect((await getPost(made.id)).text).toBe(normal);
    }
    const { data } = await readPage(`/v1/users/${ada.id}/posts?limit=100`);
    expect(data.map(({ text }) => text)).toEqual(hostile.map((text) => text.normalize('NFC')).reverse());
  });

  it('is done once for an Idempotency-Key, however often it is asked for', async () => {
    const ada = await seedUser();
    takeMessages();
    const ask = () =>
      callJson<PostBody>(201, 'POST', '/v1/posts', {
        token: ada.token,
        body: { text: 'once' },
        headers: { 'idempotency-key': 'key-1' },
      });
    const first = await ask();
    expect(await ask()).toEqual(first);
    expect((await readPage(`/v1/users/${ada.id}/posts`)).data).toHaveLength(1);
    expect(takeMessages()).toHaveLength(1);
  });

  it('is done once when the answer of the database is lost and the client asks again with its key', async () => {
    const ada = await seedUser();
    takeMessages();
    const ask = () =>
      call('POST', '/v1/posts', {
        token: ada.token,
        body: { text: 'once', video_id: null },
        headers: { 'idempotency-key': 'key-2' },
      });
    await breakDatabase({ mode: 'down', when: 'after', count: 1 });
    expect((await ask()).status).toBe(503);
    const second = await ask();
    expect(second.status).toBe(201);
    const { id, text } = (await second.json()) as PostBody;
    expect(text).toBe('once');
    expect((await readPage(`/v1/users/${ada.id}/posts`)).data.map((item) => item.id)).toEqual([id]);
    const events = await sqlRows(`SELECT 1 FROM outbox WHERE payload ->> 'author_id' = $1`, [ada.uuid]);
    expect(events.length + takeMessages().length).toBe(1);
  });

  it('is refused without a token, and for an account that is no longer active', async () => {
    expect(await refusal('POST', '/v1/posts', { body: { text: 'x' } })).toMatchObject({
      status: 401,
      code: 'auth.unauthenticated',
    });
    const gone = await seedUser();
    await sqlRows(`UPDATE users SET status = 'suspended' WHERE id = $1`, [gone.uuid]);
    expect(await refusal('POST', '/v1/posts', { token: gone.token, body: { text: 'x' } })).toMatchObject({
      status: 403,
      code: 'auth.forbidden',
    });
  });

  it('is refused with a pointer to what is wrong, and writes nothing', async () => {
    const ada = await seedUser();
    const cases: [unknown, number, string, string[]][] = [
      ['{"text": "x"', 400, 'request.malformed_json', []],
      ['[]', 422, 'request.invalid', ['']],
      ['"text"', 422, 'request.invalid', ['']],
      [{}, 422, 'request.invalid', ['/text']],
      [{ text: '' }, 422, 'request.invalid', ['/text']],
      [{ text: ' \n\t ' }, 422, 'request.invalid', ['/text']],
      [{ text: '\u200b\u2060' }, 422, 'request.invalid', ['/text']],
      [{ text: '', video_id: null }, 422, 'request.invalid', ['/text']],
      [{ text: 7 }, 422, 'request.invalid', ['/text']],
      [{ text: null }, 422, 'request.invalid', ['/text']],
      [{ text: ['a'] }, 422, 'request.invalid', ['/text']],
      [{ text: 'x'.repeat(2_001) }, 422, 'request.invalid', ['/text']],
      [{ text: '👍'.repeat(2_001) }, 422, 'request.invalid', ['/text']],
      [{ text: 'a\u0000b' }, 422, 'request.invalid', ['/text']],
      [{ text: 'evil \u202e txt' }, 422, 'request.invalid', ['/text']],
      ['{"text": "\\ud800"}', 422, 'request.invalid', ['/text']],
      [{ text: 'x', unknown: 1 }, 422, 'request.invalid', ['/unknown']],
      [{ text: 'x', author_id: ada.id }, 422, 'request.invalid', ['/author_id']],
      [{ text: 'x', video_id: 'nonsense' }, 422, 'request.invalid', ['/video_id']],
      [{ text: 'x', video_id: ada.id }, 422, 'request.invalid', ['/video_id']],
      [{ text: 'x', video_id: randomIds.next() }, 422, 'request.invalid', ['/video_id']],
    ];
    for (const [body, status, code, pointers] of cases) {
      const answer = await refusal('POST', '/v1/posts', { token: ada.token, body });
      expect([body, answer]).toEqual([body, { status, code, pointers }]);
    }
    expect(
      await refusal('POST', '/v1/posts', {
        token: ada.token,
        body: 'text=x',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }),
    ).toMatchObject({ status: 415 });
    expect((await readPage(`/v1/users/${ada.id}/posts`)).data).toEqual([]);
  });

  it('accepts a text of exactly the longest length', async () => {
    const ada = await seedUser();
    expect((await post(ada, 'é'.repeat(2_000))).text).toHaveLength(2_000);
  });
});

describe('facets', () => {
  it('name the people mentioned, whatever the case their name was typed in', async () => {
    const ada = await seedUser();
    const bob = await seedUser({ username: `Bob_${randomIds.next().slice(-6)}` });
    const made = await post(ada, `👋 @${bob.username.toUpperCase()} and @nobody_here_x #Grüße`);
    const end = 5 + 1 + bob.username.length;
    expect(made.facets).toEqual([
      { type: 'mention', byte_start: 5, byte_end: end, user_id: bob.id },
      { type: 'hashtag', byte_start: end + 20, byte_end: end + 20 + 8, tag: 'grüsse' },
    ]);
    expect((await getPost(made.id)).facets).toEqual(made.facets);
  });

  it('leave people as plain text who block the author, are blocked by them, or are gone', async () => {
    const ada = await seedUser();
    const [blocker, blocked, suspended, friend] = await Promise.all([
      seedUser(),
      seedUser(),
      seedUser(),
      seedUser(),
    ]);
    await block(blocker, ada);
    await block(ada, blocked);
    await sqlRows(`UPDATE users SET status = 'suspended' WHERE id = $1`, [suspended.uuid]);
    const text = [blocker, blocked, suspended, friend].map(({ username }) => `@${username}`).join(' ');
    const made = await post(ada, text);
    expect(made.text).toBe(text);
    expect(made.facets.map(({ user_id }) => user_id)).toEqual([friend.id]);
  });
});

describe('attaching a video', () => {
  it('shows the video with the post, which then needs no words', async () => {
    const ada = await seedUser();
    const video = await seedVideo(ada, { title: '<b>Film</b> 🎬' });
    const made = await post(ada, '', { video_id: encodeId('video', video) });
    expect(made.text).toBe('');
    expect(made.video).toMatchObject({
      id: encodeId('video', video),
      title: '<b>Film</b> 🎬',
      state: 'published',
      duration_seconds: 12.5,
      width: 1280,
      height: 720,
      thumbnail_url: null,
    });
    expect(String(made.video?.hls_url)).toMatch(/\/v\/1\/master\.m3u8$/);
    expect(await getPost(made.id)).toEqual(made);
  });

  it('is refused for a video that is not there, not the caller’s, not published, private or deleted', async () => {
    const ada = await seedUser();
    const eve = await seedUser();
    const videos = [
      randomIds.next(),
      await seedVideo(eve),
      await seedVideo(ada, { state: 'transcoding', published_at: null }),
      await seedVideo(ada, { visibility: 'private' }),
      await seedVideo(ada, { deleted_at: new Date().toISOString() }),
    ];
    for (const video of videos)
      expect(
        await refusal('POST', '/v1/posts', {
          token: ada.token,
          body: { text: 'look', video_id: encodeId('video', video) },
        }),
      ).toMatchObject({ status: 422, code: 'posts.video_not_available' });
    expect((await readPage(`/v1/users/${ada.id}/posts`)).data).toEqual([]);
  });

  it('stops showing a video that goes private or away, and then hides posts with nothing else to show', async () => {
    const ada = await seedUser();
    const viewer = await seedUser();
    const video = await seedVideo(ada);
    const video_id = encodeId('video', video);
    const words = await post(ada, 'with words', { video_id });
    const silent = await post(ada, '', { video_id });
    const seen = async (user: typeof viewer | undefined) =>
      (await readPage(`/v1/users/${ada.id}/posts`, user)).data.map((item) => [item.id, item.video !== null]);

    await sqlRows(`UPDATE videos SET visibility = 'private' WHERE id = $1`, [video]);
    expect(await seen(viewer)).toEqual([[words.id, false]]);
    expect(await seen(undefined)).toEqual([[words.id, false]]);
    expect(await seen(ada)).toEqual([
      [silent.id, true],
      [words.id, true],
    ]);
    expect(await refusal('GET', `/v1/posts/${silent.id}`, { token: viewer.token })).toMatchObject({
      status: 404,
    });

    await sqlRows(`UPDATE videos SET visibility = 'unlisted' WHERE id = $1`, [video]);
    expect(await seen(viewer)).toEqual([
      [silent.id, true],
      [words.id, true],
    ]);

    await sqlRows(`UPDATE videos SET deleted_at = now() WHERE id = $1`, [video]);
    expect(await seen(viewer)).toEqual([[words.id, false]]);
    expect(await seen(ada)).toEqual([
      [silent.id, false],
      [words.id, false],
    ]);
  });
});
