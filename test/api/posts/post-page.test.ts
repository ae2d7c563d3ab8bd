import { describe, expect, it } from 'vitest';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, roundTripsOf, seedUser, sqlRows } from '../../support/worker/client.ts';
import { takeMessages } from '../../support/worker/queues.ts';
import { block, getPost, like, post, readAll, readPage, refusal, unblock } from './actions.ts';

const notFound = { status: 404, code: 'posts.not_found' };

describe('the page of a post', () => {
  it('takes one round trip, signed in or not', async () => {
    const ada = await seedUser();
    const { id } = await post(ada, 'x');
    for (const token of [ada.token, undefined]) {
      const response = await call('GET', `/v1/posts/${id}`, { token });
      expect(response.status).toBe(200);
      expect((await roundTripsOf(response)).roundTrips).toBe(1);
    }
  });

  it('is not sent again to whoever has it, until it changes', async () => {
    const ada = await seedUser();
    const { id } = await post(ada, 'x');
    const read = (etag = '') =>
      call('GET', `/v1/posts/${id}`, { token: ada.token, headers: { 'if-none-match': etag } });
    const first = await read();
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\/"/);
    const second = await read(etag);
    expect([second.status, await second.text()]).toEqual([304, '']);
    await like(ada, id);
    expect((await read(etag)).status).toBe(200);
  });

  it('is not found for posts that never were, and for ids of another kind', async () => {
    const ada = await seedUser();
    const { id } = await post(ada, 'x');
    expect(await refusal('GET', `/v1/posts/${encodeId('post', randomIds.next())}`)).toMatchObject(notFound);
    for (const wrong of [
      id.replace('post_', 'vid_'),
      id.replace('post_', ''),
      `${id}0`,
      id.toUpperCase(),
      'post_',
      `post_${'z'.repeat(26)}`,
      `post_${"'".repeat(26)}`,
      randomIds.next(),
    ])
      expect([wrong, (await refusal('GET', `/v1/posts/${encodeURIComponent(wrong)}`)).status]).toEqual([
        wrong,
        404,
      ]);
  });

  it('refuses a token that is not ours instead of ignoring it', async () => {
    const { id } = await post(await seedUser(), 'x');
    expect(await refusal('GET', `/v1/posts/${id}`, { token: 'a.b.c' })).toMatchObject({ status: 401 });
  });

  it('is closed between people of whom one blocks the other, and open again after', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const { id } = await post(ada, 'x');
    for (const [blocker, blocked] of [
      [ada, bob],
      [bob, ada],
    ] as const) {
      await block(blocker, blocked);
      expect(await refusal('GET', `/v1/posts/${id}`, { token: bob.token })).toMatchObject(notFound);
      expect((await getPost(id, ada)).id).toBe(id);
      await unblock(blocker, blocked);
      expect((await getPost(id, bob)).id).toBe(id);
    }
  });

  it('goes with the account of its author', async () => {
    const ada = await seedUser();
    const { id } = await post(ada, 'x');
    await sqlRows(`UPDATE users SET status = 'suspended' WHERE id = $1`, [ada.uuid]);
    expect(await refusal('GET', `/v1/posts/${id}`)).toMatchObject(notFound);
  });
});

describe('deleting a post', () => {
  it('removes it, once, and says so once', async () => {
    const ada = await seedUser();
    const { id } = await post(ada, 'x');
    takeMessages();
    const first = await call('DELETE', `/v1/posts/${id}`, { token: ada.token });
    expect(first.status).toBe(204);
    expect(await first.text()).toBe('');
    expect((await roundTripsOf(first)).roundTrips).toBe(1);
    expect((await call('DELETE', `/v1/posts/${id}`, { token: ada.token })).status).toBe(204);
    expect(takeMessages().map(({ body }) => body.type)).toEqual(['post.deleted']);
    expect(await refusal('GET', `/v1/posts/${id}`, { token: ada.token })).toMatchObject(notFound);
    expect((await readPage(`/v1/users/${ada.id}/posts`, ada)).data).toEqual([]);
    const audit = await sqlRows(
      `SELECT action FROM audit_log WHERE actor_id = $1 AND action = 'post.delete'`,
      [ada.uuid],
    );
    expect(audit).toHaveLength(1);
  });

  it('is only for its author: to anyone else it is not there', async () => {
    const [ada, eve] = [await seedUser(), await seedUser()];
    const { id } = await post(ada, 'mine');
    expect(await refusal('DELETE', `/v1/posts/${id}`, { token: eve.token })).toMatchObject(notFound);
    expect(await refusal('DELETE', `/v1/posts/${id}`)).toMatchObject({ status: 401 });
    expect((await getPost(id)).text).toBe('mine');
  });
});

describe('the profile timeline', () => {
  it('lists an author’s posts newest first in one round trip a page, completely', async () => {
    const ada = await seedUser();
    const texts: string[] = [];
    for (let index = 0; index < 7; index += 1) texts.unshift((await post(ada, `post ${index}`)).text);
    const response = await call('GET', `/v1/users/${ada.id}/posts?limit=3`);
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    for (const limit of [1, 2, 3, 7, 100]) {
      const read = await readAll(`/v1/users/${ada.id}/posts`, ada, limit);
      expect(read.map(({ text }) => text)).toEqual(texts);
    }
  });

  it('goes on where it stopped when posts come and go between pages', async () => {
    const ada = await seedUser();
    const ids: string[] = [];
    for (let index = 0; index < 6; index += 1) ids.unshift((await post(ada, `post ${index}`)).id);
    const first = await readPage(`/v1/users/${ada.id}/posts?limit=2`);
    await post(ada, 'newer');
    await call('DELETE', `/v1/posts/${ids[1]}`, { token: ada.token });
    await call('DELETE', `/v1/posts/${ids[3]}`, { token: ada.token });
    const second = await readPage(`/v1/users/${ada.id}/posts?limit=2&cursor=${first.next_cursor}`);
    expect(second.data.map(({ id }) => id)).toEqual([ids[2], ids[4]]);
  });

  it('is empty for someone who has not posted, and not found for nobody', async () => {
    const ada = await seedUser();
    expect(await readPage(`/v1/users/${ada.id}/posts`)).toEqual({ data: [], next_cursor: null });
    for (const id of [encodeId('user', randomIds.next()), ada.id.replace('usr_', 'post_'), 'me'])
      expect([id, (await refusal('GET', `/v1/users/${id}/posts`)).status]).toEqual([id, 404]);
  });

  it('is not found for whom the author blocks, and shows nothing to whoever blocks the author', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    await post(ada, 'x');
    await block(ada, bob);
    expect(await refusal('GET', `/v1/users/${ada.id}/posts`, { token: bob.token })).toMatchObject({
      status: 404,
      code: 'users.not_found',
    });
    await unblock(ada, bob);
    await block(bob, ada);
    expect((await readPage(`/v1/users/${ada.id}/posts`, bob)).data).toEqual([]);
  });

  it('takes only its own cursors and parameters', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    for (const text of ['1', '2', '3']) {
      await post(ada, text);
      await post(bob, text);
    }
    const { next_cursor: cursor } = await readPage(`/v1/users/${ada.id}/posts?limit=1`);
    expect(cursor).not.toBeNull();
    const bad = { status: 400, code: 'request.invalid_cursor' };
    expect(await refusal('GET', `/v1/users/${bob.id}/posts?cursor=${cursor}`)).toMatchObject(bad);
    expect(await refusal('GET', `/v1/feeds/home?cursor=${cursor}`, { token: ada.token })).toMatchObject(bad);
    for (const forged of [`${cursor}A`, `A${cursor}`, 'AAAA', '%00', 'x'.repeat(600), "';--"])
      expect([forged, (await refusal('GET', `/v1/users/${ada.id}/posts?cursor=${forged}`)).code]).toEqual([
        forged,
        'request.invalid_cursor',
      ]);
    for (const query of [
      'limit=0',
      'limit=101',
      'limit=-1',
      'limit=1.5',
      'limit=x',
      'limit=',
      'offset=3',
      'cursor=',
    ])
      expect([query, await refusal('GET', `/v1/users/${ada.id}/posts?${query}`)]).toEqual([
        query,
        expect.objectContaining({ status: 400, code: 'request.invalid_parameters' }),
      ]);
    expect(await refusal('GET', `/v1/users/${ada.id}/posts?limit=1&limit=2`)).toMatchObject({
      status: 400,
      code: 'request.duplicate_parameter',
    });
  });
});
