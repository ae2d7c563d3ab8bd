import { describe, expect, it } from 'vitest';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { follow, readAll, refusal } from '../posts/actions.ts';
import { act, type CommentBody, comment, film, listOf, readComment, repliesOf, texts } from './actions.ts';

interface Held extends CommentBody {
  readonly held_for: string | null;
  readonly video: { readonly id: string; readonly title: string };
}

const queueOf = (owner: TestUser): Promise<Held[]> => readAll<Held>('/v1/me/held-comments', owner, 2);
const settings = (owner: TestUser, body: object) =>
  callJson<{ blocked_words: string[]; hold_links: string }>(200, 'PUT', '/v1/me/comment-settings', {
    token: owner.token,
    body,
  });

describe('comments that are held', () => {
  it('are seen by their author and the owner until they are approved', async () => {
    const [ada, bob, carol] = [await seedUser(), await seedUser(), await seedUser()];
    const id = await film(ada, { comment_policy: 'approve' });
    takeMessages();
    const held = await comment(bob, id, 'please');
    expect(held.state).toBe('held');
    expect(takeMessages().map(({ body }) => [body.type, body.data.state])).toEqual([
      ['comment.created', 'held'],
    ]);
    expect([texts(await listOf(id)), texts(await listOf(id, carol)), texts(await listOf(id, bob))]).toEqual([
      [],
      [],
      ['please'],
    ]);
    expect((await call('GET', `/v1/comments/${held.id}`, { token: carol.token })).status).toBe(404);
    expect(await readComment(held.id, ada)).toMatchObject({ state: 'held', text: 'please' });
    expect(await queueOf(ada)).toMatchObject([
      { id: held.id, held_for: 'approval', video: { id, title: 'A film' } },
    ]);
    expect(await queueOf(bob)).toEqual([]);
    expect((await comment(ada, id, 'mine')).state).toBe('visible');

    const approved = await call('POST', `/v1/comments/${held.id}/approve`, { token: ada.token });
    expect([approved.status, await approved.json()]).toMatchObject([200, { state: 'visible' }]);
    expect((await roundTripsOf(approved)).roundTrips).toBe(1);
    await act('POST', ada, held, '/approve');
    expect(
      takeMessages()
        .map(({ body }) => body.type)
        .filter((type) => type !== 'comment.created')
        .toSorted(),
    ).toEqual(['comment.approved', 'comment.shown', 'comment.shown']);
    expect(texts(await listOf(id, carol))).toEqual(['mine', 'please']);
    expect(await queueOf(ada)).toEqual([]);
  });

  it('and rejected are gone for others, and known to their author, who may only delete them', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    const made = await comment(bob, id, 'rude');
    const answer = await comment(ada, id, 'answer', made);
    await deliverEvents();
    expect(await act('POST', ada, made, '/reject')).toMatchObject({ state: 'rejected' });
    await deliverEvents();
    expect(await listOf(id)).toMatchObject([{ id: made.id, state: 'unavailable', text: '' }]);
    expect(texts(await repliesOf(made))).toEqual(['answer']);
    expect(await readComment(made.id, bob)).toMatchObject({ state: 'rejected', text: 'rude' });
    expect(await callJson(200, 'GET', `/v1/videos/${id}`)).toMatchObject({ comment_count: 1 });
    expect(
      await refusal('PATCH', `/v1/comments/${made.id}`, { token: bob.token, body: { text: 'nice' } }),
    ).toMatchObject({
      status: 409,
      code: 'comments.not_editable',
    });
    expect(await act('POST', ada, made, '/approve')).toMatchObject({ state: 'visible' });
    await act('POST', ada, made, '/reject');
    await act('DELETE', bob, made);
    expect((await readComment(answer.id)).text).toBe('answer');
    expect((await call('POST', `/v1/comments/${made.id}/approve`, { token: ada.token })).status).toBe(404);
  });

  it('come to be held, or seen, when they are changed', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    await settings(ada, { blocked_words: ['spam'], hold_links: 'nobody' });
    const made = await comment(bob, id, 'nice');
    await act('PUT', ada, made, '/pin');
    await act('PUT', ada, made, '/heart');
    const edit = (text: string) =>
      callJson<CommentBody>(200, 'PATCH', `/v1/comments/${made.id}`, { token: bob.token, body: { text } });
    expect(await edit('buy my S.P.A.M')).toMatchObject({ state: 'held', pinned: false, hearted: false });
    expect(await listOf(id)).toEqual([]);
    expect(await edit('nice again')).toMatchObject({ state: 'visible' });
    await deliverEvents({ times: 2 });
    expect(await callJson(200, 'GET', `/v1/videos/${id}`)).toMatchObject({ comment_count: 1 });
    await sqlRows("UPDATE videos SET comment_policy = 'approve' WHERE owner_id = $1", [ada.uuid]);
    expect(await edit('nice still')).toMatchObject({ state: 'held' });
  });

  it('are not let out by changing them once comments are off', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada, { comment_policy: 'approve' });
    const held = await comment(bob, id, 'let me in');
    await sqlRows("UPDATE videos SET comment_policy = 'off' WHERE owner_id = $1", [ada.uuid]);
    expect(
      await callJson(200, 'PATCH', `/v1/comments/${held.id}`, { token: bob.token, body: { text: 'again' } }),
    ).toMatchObject({ state: 'held' });
    expect(await listOf(id)).toEqual([]);
    expect(await queueOf(ada)).toMatchObject([{ id: held.id, held_for: 'approval', text: 'again' }]);
  });
});

describe('the settings of an owner', () => {
  it('are empty at first, and say what was set, each word once', async () => {
    const ada = await seedUser();
    expect(await callJson(200, 'GET', '/v1/me/comment-settings', { token: ada.token })).toEqual({
      blocked_words: [],
      hold_links: 'nobody',
    });
    const wanted = {
      blocked_words: ['Spam', 'SPAM', 'spám', 'free "money" {}', 'fol*'],
      hold_links: 'strangers',
    };
    const set = { blocked_words: ['Spam', 'free "money" {}', 'fol*'], hold_links: 'strangers' };
    expect(await settings(ada, wanted)).toEqual(set);
    expect(await callJson(200, 'GET', '/v1/me/comment-settings', { token: ada.token })).toEqual(set);
  });

  it('hold comments with blocked words, of strangers’ links, but never the owner’s own', async () => {
    const [ada, bob, friend] = [await seedUser(), await seedUser(), await seedUser()];
    const id = await film(ada);
    await follow(ada, friend);
    await settings(ada, { blocked_words: ['spam', 'free money'], hold_links: 'strangers' });
    const stateOf = async (author: TestUser, text: string) => (await comment(author, id, text)).state;
    expect(await stateOf(bob, 'Free   MONEY here')).toBe('held');
    expect(await stateOf(bob, 'freedom and money')).toBe('visible');
    expect(await stateOf(bob, 'see https://example.com')).toBe('held');
    expect(await stateOf(friend, 'see https://example.com')).toBe('visible');
    expect(await stateOf(friend, 'ѕраm')).toBe('held');
    expect(await stateOf(ada, 'spam https://example.com')).toBe('visible');
    await settings(ada, { blocked_words: [], hold_links: 'everybody' });
    expect(await stateOf(friend, 'see https://example.com')).toBe('held');
    expect(await stateOf(bob, 'spam')).toBe('visible');
    expect((await queueOf(ada)).map(({ held_for }) => held_for)).toEqual([
      'link',
      'blocked_word',
      'link',
      'blocked_word',
    ]);
  });

  it.each([
    [{}],
    [{ blocked_words: [] }],
    [{ blocked_words: ['!!!'], hold_links: 'nobody' }],
    [{ blocked_words: ['x'.repeat(101)], hold_links: 'nobody' }],
    [{ blocked_words: Array.from({ length: 501 }, (_, index) => `w${index}`), hold_links: 'nobody' }],
    [{ blocked_words: ['a\u0000'], hold_links: 'nobody' }],
    [{ blocked_words: [], hold_links: 'friends' }],
    [{ blocked_words: [], hold_links: 'nobody', owner_id: 'usr_1' }],
  ])('are refused as %j', async (body) => {
    const ada = await seedUser();
    expect((await refusal('PUT', '/v1/me/comment-settings', { token: ada.token, body })).status).toBe(422);
  });
});

describe('pins and hearts', () => {
  it('are the owner’s to give, to what others see', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    const top = await comment(bob, id, 'top');
    const answer = await comment(bob, id, 'answer', top);
    for (const word of ['/pin', '/heart', '/approve', '/reject'])
      expect(
        (
          await refusal(word.length > 6 ? 'POST' : 'PUT', `/v1/comments/${top.id}${word}`, {
            token: bob.token,
          })
        ).status,
      ).toBe(404);
    expect(await refusal('PUT', `/v1/comments/${answer.id}/pin`, { token: ada.token })).toMatchObject({
      status: 409,
      code: 'comments.not_top_level',
    });
    takeMessages();
    expect(await act('PUT', ada, answer, '/heart')).toMatchObject({ hearted: true });
    await act('PUT', ada, answer, '/heart');
    expect(takeMessages().map(({ body }) => body.type)).toEqual(['comment.hearted']);
    expect(await readComment(answer.id)).toMatchObject({ hearted: true });
    expect(await act('DELETE', ada, answer, '/heart')).toMatchObject({ hearted: false });
    await act('POST', ada, top, '/reject');
    for (const word of ['pin', 'heart'])
      expect(await refusal('PUT', `/v1/comments/${top.id}/${word}`, { token: ada.token })).toMatchObject({
        status: 409,
        code: 'comments.not_shown',
      });
  });

  it('leave one comment pinned when several are at once', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const id = await film(ada);
    const made: CommentBody[] = [];
    for (let index = 0; index < 6; index += 1) made.push(await comment(bob, id, String(index)));
    const responses = await Promise.all(
      made.map(({ id: each }) => call('PUT', `/v1/comments/${each}/pin`, { token: ada.token })),
    );
    expect(responses.map(({ status }) => status)).toEqual(made.map(() => 200));
    expect((await listOf(id)).filter(({ pinned }) => pinned)).toHaveLength(1);
  });
});
