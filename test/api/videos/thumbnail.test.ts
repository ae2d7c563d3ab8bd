import { beforeAll, describe, expect, it } from 'vitest';
import { headObject } from '../../../src/integrations/aws/index.ts';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { contextOf } from '../../support/worker/films.ts';

const be = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
const text = (value: string) => [...value].map((letter) => letter.charCodeAt(0));
const png = (width: number, height: number): Uint8Array =>
  Uint8Array.from([
    0x89,
    ...text('PNG'),
    13,
    10,
    26,
    10,
    ...be(13),
    ...text('IHDR'),
    ...be(width),
    ...be(height),
    8,
    2,
    0,
    0,
    0,
    ...be(0),
    ...be(0),
    ...text('IEND'),
    ...be(0xae426082),
  ]);

interface Started {
  readonly thumbnail_id: string;
  readonly url: string;
  readonly headers: Record<string, string>;
}

let owner: TestUser;
let videoId: string;
let videoUuid: string;
beforeAll(async () => {
  owner = await seedUser();
  videoUuid = randomIds.next();
  videoId = encodeId('video', videoUuid);
  await sqlRows(
    `INSERT INTO videos (id, owner_id, title, state, published_at, hls_key, dash_key)
     VALUES ($1, $2, 'a film', 'published', now(), 'media/x.m3u8', 'media/x.mpd')`,
    [videoUuid, owner.uuid],
  );
  await sqlRows(
    `INSERT INTO thumbnails SELECT $1, 1, position, 'media/stills/' || position || '.jpg' FROM generate_series(0, 4) AS position`,
    [videoUuid],
  );
});

const start = (bytes: Uint8Array, type = 'image/png') =>
  callJson<Started>(201, 'POST', `/v1/videos/${videoId}/thumbnails`, {
    token: owner.token,
    body: { content_type: type, size_bytes: bytes.length },
  });
const send = (started: Started, bytes: Uint8Array, headers: Record<string, string> = {}) =>
  fetch(started.url, { method: 'PUT', headers: { ...started.headers, ...headers }, body: bytes });
const set = (body: unknown, who = owner) =>
  call('PUT', `/v1/videos/${videoId}/thumbnail`, { token: who.token, body });
const shownKey = async (): Promise<unknown> => {
  const [row] = await sqlRows<{ key: string | null; position: number | null }>(
    'SELECT custom_thumbnail_key AS key, thumbnail_position AS position FROM videos WHERE id = $1',
    [videoUuid],
  );
  return row;
};

describe('the picture of a video', () => {
  it('is what its owner sends, looked at first, and a still when they choose one', async () => {
    const picture = png(1280, 720);
    const started = await start(picture);
    expect((await send(started, picture)).status).toBe(200);
    expect((await set({ thumbnail_id: started.thumbnail_id })).status).toBe(200);
    const first = (await shownKey()) as { key: string };
    expect(first.key).toMatch(new RegExp(`^media/${videoUuid}/thumbnails/.*\\.png$`));
    const { aws } = contextOf().config;
    expect(await headObject(aws, { bucket: aws.mediaBucket, key: first.key })).toMatchObject({
      sizeBytes: picture.length,
    });
    expect((await set({ thumbnail_id: started.thumbnail_id })).status).toBe(200);

    expect((await set({ position: 3 })).status).toBe(200);
    expect(await shownKey()).toEqual({ key: first.key, position: 3 });
    expect((await set({ position: null })).status).toBe(200);
    expect(await shownKey()).toEqual({ key: first.key, position: null });
    expect((await set({ position: 9 })).status).toBe(409);

    const removed = await call('DELETE', `/v1/videos/${videoId}/thumbnail`, { token: owner.token });
    expect(removed.status).toBe(204);
    expect(await shownKey()).toEqual({ key: null, position: null });
  });

  it('can be sent in the announced size and type only', async () => {
    const picture = png(640, 360);
    const started = await start(picture);
    expect((await send(started, Uint8Array.from([...picture, 0]))).status).toBe(403);
    expect((await send(started, picture, { 'content-type': 'text/html' })).status).toBe(403);
  });

  it('is refused when it is no picture, of a bad size, or was never sent', async () => {
    const page = Uint8Array.from(text('<html><script>alert(1)</script></html>'.padEnd(200)));
    const started = await start(page);
    await send(started, page);
    const refused = await set({ thumbnail_id: started.thumbnail_id });
    expect([refused.status, await refused.json()]).toMatchObject([
      422,
      { code: 'videos.thumbnail_refused', errors: [{ code: 'not_an_image', pointer: '/thumbnail_id' }] },
    ]);
    const huge = png(10_000, 10_000);
    const large = await start(huge);
    await send(large, huge);
    expect(await (await set({ thumbnail_id: large.thumbnail_id })).json()).toMatchObject({
      errors: [{ code: 'too_large' }],
    });
    const never = await start(page);
    expect((await set({ thumbnail_id: never.thumbnail_id })).status).toBe(409);
    for (const body of [
      {},
      { position: 1, thumbnail_id: started.thumbnail_id },
      { position: -1 },
      { thumbnail_id: 'x' },
    ])
      expect((await set(body)).status).toBe(422);
    const tooMuch = await call('POST', `/v1/videos/${videoId}/thumbnails`, {
      token: owner.token,
      body: { content_type: 'image/png', size_bytes: 2_097_153 },
    });
    expect(tooMuch.status).toBe(422);
  });

  it('is nobody else’s to change', async () => {
    const stranger = await seedUser();
    const body = { content_type: 'image/png', size_bytes: 10 };
    expect(
      (await call('POST', `/v1/videos/${videoId}/thumbnails`, { token: stranger.token, body })).status,
    ).toBe(404);
    expect((await set({ position: 1 }, stranger)).status).toBe(404);
    expect((await call('DELETE', `/v1/videos/${videoId}/thumbnail`, { token: stranger.token })).status).toBe(
      404,
    );
  });
});
