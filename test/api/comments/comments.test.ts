import { describe, expect, it } from 'vitest';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, roundTripsOf, seedUser, sqlRows } from '../../support/worker/client.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { block, readAll, refusal } from '../posts/actions.ts';
import { act, type CommentBody, comment, film, listOf, readComment, repliesOf, texts } from './actions.ts';

const inTrips = async (method: string, path: string, token?: string, body?: unknown): Promise<number> => {
  const response = await call(method, path, { token, body });
  expect(response.status, await response.clone().text()).toBeLessThan(300);
  return (await roundTripsOf(response)).roundTrips;
};

describe('commenting on a video', () => {
  it('takes one trip, finds mentions and links, and tells of it once', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    takeMessages();
    const response = await call('POST', `/v1/videos/${id}/comments`, {
      token: bob.token,
      body: { text: `Great, @${ada.username}! #wow https://example.com/x` },
    });
    const made = (await response.json()) as CommentBody;
    expect([response.status, made]).toMatchObject([
      201,
      {
        video_id: id,
        state: 'visible',
        author: { id: bob.id },
        depth: 0,
        parent_id: null,
        thread_id: null,
        reply_count: 0,
      },
    ]);
    expect(made.facets.map(({ type }) => type)).toEqual(['mention', 'hashtag', 'link']);
    expect(made.facets[0]).toMatchObject({ user_id: ada.id });
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    expect(
      takeMessages()
        .map(({ body }) => body.type)
        .toSorted(),
    ).toEqual(['comment.created', 'comment.shown']);
    expect(await readComment(made.id)).toEqual(made);
  });

  it('makes one comment of a request that is repeated', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    const send = () =>
      call('POST', `/v1/videos/${id}/comments`, {
        token: bob.token,
        body: { text: 'once' },
        headers: { 'idempotency-key': '"same"' },
      });
    const [first, second] = [await send(), await send()];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(await second.json()).toEqual(await first.json());
    expect(texts(await listOf(id))).toEqual(['once']);
  });

  it('is counted on the page of the video', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    const top = await comment(bob, id, 'top');
    await comment(ada, id, 'answer', top);
    await deliverEvents({ times: 2 });
    const page = () => callJson(200, 'GET', `/v1/videos/${id}`, { token: ada.token });
    expect(await page()).toMatchObject({ comment_count: 2 });
    expect(await readComment(top.id)).toMatchObject({ reply_count: 1 });
    await act('DELETE', bob, top);
    await deliverEvents();
    expect(await page()).toMatchObject({ comment_count: 1 });
  });

  it.each([
    [{}],
    [{ text: '' }],
    [{ text: ' \u200b ' }],
    [{ text: 'x'.repeat(2_001) }],
    [{ text: 'a\u0000b' }],
    [{ text: '\udfff' }],
    [{ text: 7 }],
    [{ text: 'x', state: 'visible' }],
    [{ text: 'x', parent_id: 'post_1' }],
    [[]],
  ])('is refused with %j', async (body) => {
    const ada = await seedUser();
    const id = await film(ada);
    const refused = await refusal('POST', `/v1/videos/${id}/comments`, { token: ada.token, body });
    expect(refused.status).toBe(422);
    expect(await listOf(id)).toEqual([]);
  });

  it('is refused where the owner takes none, where one may not look, and to a comment that is not there', async () => {
    const [ada, bob, carol, dave] = [await seedUser(), await seedUser(), await seedUser(), await seedUser()];
    const [open, off, closed] = [
      await film(ada),
      await film(ada, { comment_policy: 'off' }),
      await film(ada, { visibility: 'private' }),
    ];
    const send = (videoId: string, token: string | undefined, body: object = { text: 'x' }) =>
      refusal('POST', `/v1/videos/${videoId}/comments`, { token, body });
    expect(await send(off, bob.token)).toMatchObject({ status: 403, code: 'comments.off' });
    expect(await send(off, ada.token)).toMatchObject({ status: 403, code: 'comments.off' });
    expect(await send(closed, bob.token)).toMatchObject({ status: 404, code: 'videos.not_found' });
    expect(await send(encodeId('video', randomIds.next()), bob.token)).toMatchObject({ status: 404 });
    expect((await send(open, undefined)).status).toBe(401);
    const elsewhere = await comment(ada, closed, 'elsewhere');
    const gone = await comment(ada, open, 'gone');
    await act('DELETE', ada, gone);
    const byCarol = await comment(carol, open, 'by carol');
    await block(carol, bob);
    const byDave = await comment(dave, open, 'by dave');
    await block(ada, dave);
    for (const parent of [
      elsewhere.id,
      gone.id,
      byCarol.id,
      byDave.id,
      encodeId('comment', randomIds.next()),
    ])
      expect(await send(open, bob.token, { text: 'x', parent_id: parent })).toMatchObject({
        status: 422,
        code: 'comments.parent_not_available',
        pointers: ['/parent_id'],
      });
    await block(ada, bob);
    expect(await send(open, bob.token)).toMatchObject({ status: 404, code: 'videos.not_found' });
  });
});

describe('threads', () => {
  it('keep who answers whom, to a depth that has an end', async () => {
    const ada = await seedUser();
    const id = await film(ada);
    const top = await comment(ada, id, '0');
    let parent = top;
    for (let depth = 1; depth <= 7; depth += 1) {
      const answer = await comment(ada, id, String(depth), parent);
      expect(answer).toMatchObject({ parent_id: parent.id, thread_id: top.id, depth: Math.min(depth, 5) });
      parent = answer;
    }
    await comment(ada, id, 'again', top);
    expect(texts(await repliesOf(top))).toEqual(['1', '2', '3', '4', '5', '6', '7', 'again']);
    expect(texts(await listOf(id))).toEqual(['0']);
    expect(await repliesOf(parent)).toEqual([]);
    const pages = await readAll<CommentBody>(`/v1/comments/${top.id}/replies`, ada, 3);
    expect(texts(pages)).toEqual(['1', '2', '3', '4', '5', '6', '7', 'again']);
    expect(await inTrips('GET', `/v1/comments/${top.id}/replies`)).toBe(1);
  });

  it('stay readable when what was answered is deleted, and vanish when nothing is left', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    const top = await comment(bob, id, 'secret words');
    const middle = await comment(bob, id, 'middle', top);
    const leaf = await comment(ada, id, 'leaf', middle);
    await act('DELETE', bob, top);
    await act('DELETE', ada, middle);
    expect(await listOf(id)).toMatchObject([
      { id: top.id, state: 'deleted', deleted_by: 'author', author: null, text: '', facets: [] },
    ]);
    expect(await repliesOf(top)).toMatchObject([
      { id: middle.id, state: 'deleted', deleted_by: 'owner', text: '' },
      { id: leaf.id, state: 'visible', text: 'leaf' },
    ]);
    expect(await sqlRows("SELECT FROM comments WHERE text LIKE '%secret words%'")).toEqual([]);
    await act('DELETE', ada, leaf);
    expect(await listOf(id)).toEqual([]);
    expect((await call('GET', `/v1/comments/${top.id}`)).status).toBe(404);
    expect((await call('DELETE', `/v1/comments/${top.id}`, { token: bob.token })).status).toBe(204);
  });
});

describe('the list of comments', () => {
  it('goes by likes or by time, page by page, in one trip', async () => {
    const ada = await seedUser();
    const id = await film(ada);
    const likes = [3, 0, 2, 2, 7, 0];
    for (const [index, count] of likes.entries()) {
      const { id: made } = await comment(ada, id, String(index));
      await sqlRows(
        'UPDATE comments SET likes = $2 WHERE text = $1 AND video_id = (SELECT id FROM videos WHERE owner_id = $3)',
        [String(index), count, ada.uuid],
      );
      expect(made).toMatch(/^cmt_/);
    }
    for (const limit of [1, 2, 4, 100]) {
      const path = `/v1/videos/${id}/comments`;
      expect(texts(await readAll<CommentBody>(`${path}?order=top`, ada, limit))).toEqual([
        '4',
        '0',
        '3',
        '2',
        '5',
        '1',
      ]);
      expect(texts(await readAll<CommentBody>(`${path}?order=newest`, ada, limit))).toEqual([
        '5',
        '4',
        '3',
        '2',
        '1',
        '0',
      ]);
    }
    expect(texts(await listOf(id))).toEqual(['4', '0', '3', '2', '5', '1']);
    expect(await inTrips('GET', `/v1/videos/${id}/comments`, ada.token)).toBe(1);
    expect(await inTrips('GET', `/v1/videos/${id}/comments`)).toBe(1);
  });

  it('begins with the pinned comment, once, in both orders', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    const made: CommentBody[] = [];
    for (const text of ['a', 'b', 'c', 'd']) made.push(await comment(bob, id, text));
    await act('PUT', ada, made[1] as CommentBody, '/pin');
    for (const order of ['top', 'newest'])
      for (const limit of [1, 2, 3, 4, 5])
        expect(
          texts(await readAll<CommentBody>(`/v1/videos/${id}/comments?order=${order}`, bob, limit)),
        ).toEqual(['b', 'd', 'c', 'a']);
    await act('PUT', ada, made[0] as CommentBody, '/pin');
    expect((await listOf(id)).map(({ text, pinned }) => [text, pinned])).toEqual([
      ['a', true],
      ['d', false],
      ['c', false],
      ['b', false],
    ]);
    await act('DELETE', ada, made[0] as CommentBody, '/pin');
    expect(texts(await listOf(id))).toEqual(['d', 'c', 'b', 'a']);
  });

  it('refuses cursors of another list or order, and bad queries', async () => {
    const ada = await seedUser();
    const [id, other] = [await film(ada), await film(ada)];
    await comment(ada, id, 'a');
    await comment(ada, id, 'b');
    const page = await callJson<{ next_cursor: string }>(200, 'GET', `/v1/videos/${id}/comments?limit=1`);
    for (const path of [`${other}/comments?cursor=`, `${id}/comments?order=newest&cursor=`])
      expect((await refusal('GET', `/v1/videos/${path}${page.next_cursor}`)).code).toBe(
        'request.invalid_cursor',
      );
    for (const query of ['order=worst', 'limit=0', 'sort=top', 'order=top&order=top'])
      expect((await call('GET', `/v1/videos/${id}/comments?${query}`)).status).toBe(400);
    expect(
      (await call('GET', `/v1/videos/${await film(ada, { visibility: 'private' })}/comments`)).status,
    ).toBe(404);
  });

  it('leaves out people between whom and the reader, or the owner, there is a block', async () => {
    const [ada, bob, carol, dave] = [await seedUser(), await seedUser(), await seedUser(), await seedUser()];
    const id = await film(ada);
    const byBob = await comment(bob, id, 'by bob');
    await comment(carol, id, 'answer by carol', byBob);
    await comment(carol, id, 'by carol');
    await block(dave, bob);
    await block(carol, dave);
    expect(texts(await listOf(id, dave))).toEqual([]);
    expect((await call('GET', `/v1/comments/${byBob.id}`, { token: dave.token })).status).toBe(404);
    expect((await call('GET', `/v1/comments/${byBob.id}/replies`, { token: dave.token })).status).toBe(404);
    expect(texts(await listOf(id))).toEqual(['by carol', 'by bob']);
    await block(ada, carol);
    expect(texts(await listOf(id))).toEqual(['by bob']);
    expect(await repliesOf(byBob)).toEqual([]);
  });

  it('keeps the place, but not the words, of people who are gone for now', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    const byBob = await comment(bob, id, 'by bob');
    await comment(bob, id, 'unanswered');
    await comment(ada, id, 'answer', byBob);
    await sqlRows("UPDATE users SET status = 'deactivated' WHERE id = $1", [bob.uuid]);
    expect(await listOf(id)).toMatchObject([
      { id: byBob.id, state: 'unavailable', text: '', author: null, like_count: 0 },
    ]);
    await sqlRows("UPDATE users SET status = 'active' WHERE id = $1", [bob.uuid]);
    expect(texts(await listOf(id))).toEqual(['unanswered', 'by bob']);
  });
});

describe('changing and deleting a comment', () => {
  it('is its author’s to do, and says that it was changed', async () => {
    const [ada, bob, carol] = [await seedUser(), await seedUser(), await seedUser()];
    const id = await film(ada);
    const made = await comment(bob, id, 'first');
    const patch = (token: string, body: unknown) => call('PATCH', `/v1/comments/${made.id}`, { token, body });
    const response = await patch(bob.token, { text: 'second #tag' });
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { text: 'second #tag', edited_at: expect.any(String) },
    ]);
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    expect(await readComment(made.id)).toMatchObject({ text: 'second #tag', facets: [{ type: 'hashtag' }] });
    for (const stranger of [carol, ada])
      expect((await patch(stranger.token, { text: 'mine' })).status).toBe(404);
    for (const body of [{}, { text: '' }, { text: 'x', pinned: true }])
      expect((await patch(bob.token, body)).status).toBe(422);
    expect((await call('DELETE', `/v1/comments/${made.id}`, { token: carol.token })).status).toBe(404);
    expect(await inTrips('DELETE', `/v1/comments/${made.id}`, bob.token)).toBe(1);
    expect((await patch(bob.token, { text: 'back' })).status).toBe(404);
  });
});

describe('liking a comment', () => {
  it('takes one trip, counts once, and can be taken back', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    const made = await comment(ada, id, 'x');
    const path = `/v1/comments/${made.id}/like`;
    await deliverEvents();
    expect(await inTrips('PUT', path, bob.token)).toBe(1);
    expect(await callJson(200, 'PUT', path, { token: bob.token })).toEqual({ liked: true, like_count: 1 });
    expect(await readComment(made.id, bob)).toMatchObject({ liked: true, like_count: 1 });
    await deliverEvents({ times: 2 });
    expect(await readComment(made.id)).toMatchObject({ liked: false, like_count: 1 });
    expect(await callJson(200, 'DELETE', path, { token: bob.token })).toEqual({
      liked: false,
      like_count: 0,
    });
    await deliverEvents();
    expect(await readComment(made.id, bob)).toMatchObject({ liked: false, like_count: 0 });
  });

  it('is refused for what others do not see', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada, { comment_policy: 'approve' });
    const held = await comment(bob, id, 'x');
    const path = `/v1/comments/${held.id}/like`;
    expect(await refusal('PUT', path, { token: bob.token })).toMatchObject({
      status: 409,
      code: 'comments.not_shown',
    });
    expect(await refusal('PUT', path, { token: (await seedUser()).token })).toMatchObject({ status: 404 });
    expect(await refusal('PUT', path)).toMatchObject({ status: 401 });
  });
});
