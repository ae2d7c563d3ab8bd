import { describe, expect, it } from 'vitest';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { film } from '../comments/actions.ts';
import { block, readAll, refusal } from '../posts/actions.ts';
import { add, type ItemBody, itemsOf, type PlaylistBody, playlist, remove } from './actions.ts';

const statusFor = async (path: string, viewer?: TestUser): Promise<number> =>
  (await call('GET', path, { token: viewer?.token })).status;

describe('a playlist', () => {
  it('is made private unless said otherwise, changed and deleted by its owner, in one trip each', async () => {
    const ada = await seedUser();
    const response = await call('POST', '/v1/playlists', { token: ada.token, body: { title: ' Mine ' } });
    const made = (await response.json()) as PlaylistBody;
    expect([response.status, made]).toMatchObject([
      201,
      {
        title: 'Mine',
        kind: 'custom',
        visibility: 'private',
        item_count: 0,
        cover_url: null,
        allow_duplicates: false,
        owner: { id: ada.id },
      },
    ]);
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    const patched = await call('PATCH', `/v1/playlists/${made.id}`, {
      token: ada.token,
      body: { description: 'Two\nlines', visibility: 'public' },
    });
    expect(await patched.json()).toMatchObject({
      title: 'Mine',
      description: 'Two\nlines',
      visibility: 'public',
    });
    expect((await roundTripsOf(patched)).roundTrips).toBe(1);
    const read = await call('GET', `/v1/playlists/${made.id}`);
    expect((await roundTripsOf(read)).roundTrips).toBe(1);
    expect((await call('DELETE', `/v1/playlists/${made.id}`, { token: ada.token })).status).toBe(204);
    expect(await statusFor(`/v1/playlists/${made.id}`, ada)).toBe(404);
  });

  it.each([
    [{}],
    [{ title: '' }],
    [{ title: 'x'.repeat(151) }],
    [{ title: 'two\nlines' }],
    [{ title: 'a\u0000' }],
    [{ title: 'x', visibility: 'members' }],
    [{ title: 'x', allow_duplicates: 'yes' }],
    [{ title: 'x', kind: 'watch_later' }],
    [{ title: 'x', description: 'x'.repeat(5_001) }],
  ])('is refused as %j', async (body) => {
    const ada = await seedUser();
    expect((await refusal('POST', '/v1/playlists', { token: ada.token, body })).status).toBe(422);
    expect(await readAll('/v1/me/playlists', ada, 10)).toEqual([]);
  });

  it('is seen by whom its owner lets: listed if public, by its id if unlisted, not across blocks', async () => {
    const [ada, bob, carol] = [await seedUser(), await seedUser(), await seedUser()];
    const lists = [];
    for (const visibility of ['public', 'unlisted', 'private'])
      lists.push(await playlist(ada, { visibility, title: visibility }));
    await block(ada, carol);
    for (const { id, visibility } of lists)
      for (const path of [`/v1/playlists/${id}`, `/v1/playlists/${id}/items`]) {
        const open = visibility === 'private' ? 404 : 200;
        expect([
          await statusFor(path),
          await statusFor(path, bob),
          await statusFor(path, carol),
          await statusFor(path, ada),
        ]).toEqual([open, open, 404, 200]);
      }
    expect((await readAll<PlaylistBody>('/v1/me/playlists', ada, 2)).map(({ title }) => title)).toEqual([
      'private',
      'unlisted',
      'public',
    ]);
    expect(
      (await readAll<PlaylistBody>(`/v1/users/${ada.id}/playlists`, bob, 1)).map(({ title }) => title),
    ).toEqual(['public']);
    expect(await statusFor(`/v1/users/${ada.id}/playlists`, carol)).toBe(404);
    expect(await statusFor('/v1/me/playlists')).toBe(401);
    const change = { token: bob.token, body: { title: 'mine now' } };
    expect((await refusal('PATCH', `/v1/playlists/${lists[0]?.id}`, change)).status).toBe(404);
    expect((await refusal('DELETE', `/v1/playlists/${lists[0]?.id}`, { token: bob.token })).status).toBe(404);
  });

  it('is one of a thousand at most', async () => {
    const ada = await seedUser();
    await sqlRows(
      "INSERT INTO playlists (id, owner_id, title) SELECT gen_random_uuid(), $1, 'x' FROM generate_series(1, 999)",
      [ada.uuid],
    );
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        call('POST', '/v1/playlists', { token: ada.token, body: { title: 'last' } }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409]);
    expect(
      await refusal('POST', '/v1/playlists', { token: ada.token, body: { title: 'more' } }),
    ).toMatchObject({
      status: 409,
      code: 'playlists.too_many',
    });
  });
});

describe('the items of a playlist', () => {
  it('are put in one trip, each video once unless the list says otherwise', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const list = await playlist(ada);
    const id = await film(bob);
    const response = await call('POST', `/v1/playlists/${list.id}/items`, {
      token: ada.token,
      body: { video_id: id },
    });
    expect([response.status, await response.json()]).toMatchObject([
      201,
      { video: { id }, channel: { id: bob.id } },
    ]);
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    const again = { token: ada.token, body: { video_id: id } };
    expect(await refusal('POST', `/v1/playlists/${list.id}/items`, again)).toMatchObject({
      status: 409,
      code: 'playlists.already_in_list',
    });
    await callJson(200, 'PATCH', `/v1/playlists/${list.id}`, {
      token: ada.token,
      body: { allow_duplicates: true },
    });
    await add(ada, list, id);
    expect((await itemsOf(list, ada)).map(({ video }) => video?.id)).toEqual([id, id]);
    expect(await callJson(200, 'GET', `/v1/playlists/${list.id}`, { token: ada.token })).toMatchObject({
      item_count: 2,
    });
    const read = await call('GET', `/v1/playlists/${list.id}/items`, { token: ada.token });
    expect((await roundTripsOf(read)).roundTrips).toBe(1);
  });

  it('hide videos the viewer may not see, and tell the owner that something is there', async () => {
    const [ada, bob, eve] = [await seedUser(), await seedUser(), await seedUser()];
    const list = await playlist(ada, { visibility: 'public' });
    const [shown, hidden, own] = [
      await film(bob),
      await film(eve),
      await film(ada, { visibility: 'private' }),
    ];
    for (const id of [hidden, shown, own]) await add(ada, list, id);
    await sqlRows("UPDATE videos SET visibility = 'private' WHERE owner_id = $1", [eve.uuid]);
    const seen = async (viewer: TestUser) => (await itemsOf(list, viewer, 1)).map(({ video }) => video?.id);
    expect(await seen(ada)).toEqual([undefined, shown, own]);
    expect(await seen(bob)).toEqual([shown]);
    expect(await seen(eve)).toEqual([hidden, shown]);
    expect((await itemsOf(list, ada))[0]).toMatchObject({ video: null, channel: null });
  });

  it('have as their cover the first thumbnail that anybody may see', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const list = await playlist(ada, { visibility: 'public' });
    const [bare, own, open] = [await film(ada), await film(ada, { visibility: 'private' }), await film(ada)];
    for (const id of [bare, own, open]) await add(ada, list, id);
    await sqlRows(
      `INSERT INTO thumbnails (video_id, revision, position, object_key)
       SELECT video_id, 1, 1, 'media/' || visibility || '/t.jpg' FROM playlist_items JOIN videos ON videos.id = video_id
       WHERE playlist_items.owner_id = $1 AND rank > (SELECT min(rank) FROM playlist_items WHERE owner_id = $1)`,
      [ada.uuid],
    );
    const coverFor = async (viewer: TestUser) =>
      (await callJson<PlaylistBody>(200, 'GET', `/v1/playlists/${list.id}`, { token: viewer.token }))
        .cover_url;
    expect(await coverFor(bob)).toBeNull();
    await sqlRows(
      `UPDATE videos SET open_prefix = 'open/' || id || '/v1/' WHERE owner_id = $1 AND visibility = 'public'`,
      [ada.uuid],
    );
    for (const viewer of [bob, ada]) expect(await coverFor(viewer)).toMatch(/open\/public\/t\.jpg/);
  });

  it('are refused for videos and places that are not there, and for lists of others', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const [list, other] = [await playlist(ada, { visibility: 'public' }), await playlist(ada)];
    const [id, second] = [await film(bob), await film(bob)];
    const elsewhere = await add(ada, other, id);
    const send = (body: object, token = ada.token) =>
      refusal('POST', `/v1/playlists/${list.id}/items`, { token, body });
    for (const missing of [await film(bob, { visibility: 'private' }), encodeId('video', randomIds.next())])
      expect(await send({ video_id: missing })).toMatchObject({
        status: 422,
        code: 'playlists.video_not_available',
        pointers: ['/video_id'],
      });
    for (const after of [elsewhere.id, encodeId('playlistItem', randomIds.next())])
      expect(await send({ video_id: id, after_item_id: after })).toMatchObject({
        status: 422,
        code: 'playlists.anchor_not_available',
        pointers: ['/after_item_id'],
      });
    for (const body of [{}, { video_id: 7 }, { video_id: id, rank: 1 }, { video_id: id, after_item_id: 'x' }])
      expect((await send(body)).status).toBe(422);
    expect(await send({ video_id: id }, bob.token)).toMatchObject({
      status: 404,
      code: 'playlists.not_found',
    });
    const item = await add(ada, list, second);
    const patch = (body: object, token = ada.token) =>
      refusal('PATCH', `/v1/playlist-items/${item.id}`, { token, body });
    expect(await patch({ after_item_id: item.id })).toMatchObject({
      status: 422,
      code: 'playlists.anchor_not_available',
    });
    expect(await patch({ after_item_id: elsewhere.id })).toMatchObject({ status: 422 });
    expect(await patch({})).toMatchObject({ status: 422 });
    expect(await patch({ after_item_id: null }, bob.token)).toMatchObject({ status: 404 });
    expect((await refusal('DELETE', `/v1/playlist-items/${item.id}`, { token: bob.token })).status).toBe(404);
    await remove(ada, item.id);
    expect((await refusal('DELETE', `/v1/playlist-items/${item.id}`, { token: ada.token })).status).toBe(404);
  });

  it('are five thousand at most, also when many come at once', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const list = await playlist(ada, { allow_duplicates: true });
    const id = await film(bob);
    await add(ada, list, id);
    await sqlRows(
      `INSERT INTO playlist_items (id, playlist_id, owner_id, video_id, rank)
       SELECT gen_random_uuid(), playlist_id, owner_id, video_id, rank + n FROM playlist_items, generate_series(1, 4998) AS n
       WHERE owner_id = $1`,
      [ada.uuid],
    );
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        call('POST', `/v1/playlists/${list.id}/items`, { token: ada.token, body: { video_id: id } }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409]);
  });
});

describe('watch later', () => {
  const later = (user: TestUser, method: string, id: string) =>
    call(method, `/v1/me/watch-later/${id}`, { token: user.token });

  it('is a private list that comes into being with its first video', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const [first, second] = [await film(bob), await film(bob)];
    expect(await readAll('/v1/me/watch-later', ada, 10)).toEqual([]);
    const kept = await later(ada, 'PUT', first);
    expect([kept.status, (await roundTripsOf(kept)).roundTrips]).toEqual([204, 1]);
    const answers = await Promise.all(Array.from({ length: 6 }, () => later(ada, 'PUT', second)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 204));
    const items = await readAll<ItemBody>('/v1/me/watch-later', ada, 1);
    expect(items.map(({ video }) => video?.id)).toEqual([first, second]);
    const [list] = await readAll<PlaylistBody>('/v1/me/playlists', ada, 10);
    expect(list).toMatchObject({ kind: 'watch_later', visibility: 'private', item_count: 2 });
    expect(await statusFor(`/v1/playlists/${list?.id}`, bob)).toBe(404);
    const builtIn = { status: 409, code: 'playlists.built_in' };
    const options = { token: ada.token, body: { visibility: 'public' } };
    expect(await refusal('PATCH', `/v1/playlists/${list?.id}`, options)).toMatchObject(builtIn);
    expect(await refusal('DELETE', `/v1/playlists/${list?.id}`, { token: ada.token })).toMatchObject(builtIn);
    expect((await later(ada, 'DELETE', first)).status).toBe(204);
    expect((await later(ada, 'DELETE', first)).status).toBe(204);
    expect((await readAll<ItemBody>('/v1/me/watch-later', ada, 10)).map(({ video }) => video?.id)).toEqual([
      second,
    ]);
  });

  it('takes no video the caller may not see, and lets go of one that was hidden since', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(bob);
    await later(ada, 'PUT', id);
    await sqlRows("UPDATE videos SET visibility = 'private' WHERE owner_id = $1", [bob.uuid]);
    expect((await later(ada, 'PUT', await film(bob, { visibility: 'private' }))).status).toBe(404);
    expect((await later(ada, 'DELETE', id)).status).toBe(204);
    expect((await later(ada, 'DELETE', id)).status).toBe(404);
    expect((await call('PUT', `/v1/me/watch-later/${id}`)).status).toBe(401);
    expect(await readAll('/v1/me/playlists', bob, 10)).toEqual([]);
  });
});
