import { expect, it } from 'vitest';
import { exportSections } from '../../../src/modules/accounts/personal-data.policy.ts';
import { listExportedRows } from '../../../src/modules/accounts/personal-data.repository.ts';
import { eraseStep } from '../../../src/modules/accounts/usecases/erase-account.ts';
import { act, comment, film, listOf, repliesOf } from '../../api/comments/actions.ts';
import { add, playlist } from '../../api/playlists/actions.ts';
import { callJson, seedUser } from '../../support/worker/client.ts';
import { deliverEvents } from '../../support/worker/queues.ts';
import { contextAt, freshWord, publishAll, rowsWith } from './lives.ts';

/** What a user says about, keeps and watches of other people's videos. */
async function useTheLibrary() {
  const [user, friend, word] = [await seedUser(), await seedUser(), freshWord()];
  const id = await film(friend);
  const send = (method: string, path: string, body?: unknown) =>
    callJson(
      method === 'PUT' && !path.includes('rating') && !path.includes('settings') ? 204 : 200,
      method,
      path,
      {
        token: user.token,
        body,
      },
    );
  await send('PUT', `/v1/videos/${id}/rating`, { rating: 'dislike' });
  const question = await comment(user, id, `what is ${word}?`);
  const answer = await comment(friend, id, 'an answer', question);
  await comment(user, id, `thanks, ${word}`, answer);
  await act('PUT', user, answer, '/like');
  await send('PUT', '/v1/me/comment-settings', { blocked_words: [word], hold_links: 'strangers' });
  await add(user, await playlist(user, { title: word, visibility: 'public' }), id);
  await send('PUT', `/v1/me/watch-later/${id}`);
  await send('PUT', `/v1/videos/${id}/position`, { position_ms: 1_000 });
  await callJson(200, 'PUT', '/v1/me/history/settings', { token: user.token, body: { paused: true } });
  await deliverEvents();
  return { user, friend, word, id, question };
}

it('an export has what somebody said about, kept and watched of other people’s videos', async () => {
  const { user, word, id } = await useTheLibrary();
  const ctx = contextAt(Date.now());
  const linesOf = async (file: string): Promise<Record<string, unknown>[]> => {
    const section = exportSections.find((each) => each.file === file);
    if (section === undefined) throw new Error(`no section ${file}`);
    const db = section.database === 'primary' ? ctx.databases.primary : ctx.databases.shardOf(user.uuid);
    const rows = await listExportedRows(db, section, user.uuid, { after: undefined, limit: 10 });
    return rows.map(({ line }) => JSON.parse(line));
  };
  expect(await linesOf('video_ratings')).toMatchObject([{ rating: 'dislike' }]);
  expect((await linesOf('comments')).map(({ text }) => text)).toEqual([
    `what is ${word}?`,
    `thanks, ${word}`,
  ]);
  expect(await linesOf('comment_likes')).toHaveLength(1);
  expect(await linesOf('comment_settings')).toMatchObject([
    { blocked_words: [word], hold_links: 'strangers' },
  ]);
  expect((await linesOf('playlists')).map(({ title }) => title)).toEqual([word, 'Watch later']);
  expect(await linesOf('playlist_items')).toHaveLength(2);
  expect(await linesOf('watch_history')).toMatchObject([{ position_ms: 1_000 }]);
  expect(await linesOf('watch_history_settings')).toMatchObject([{ paused: true }]);
  expect(id).toMatch(/^vid_/);
});

it('an erasure leaves of it only the places of comments that others answered, and true counts', async () => {
  const { user, friend, word, id, question } = await useTheLibrary();
  const ctx = contextAt(Date.now());
  const page = () =>
    callJson<Record<string, unknown>>(200, 'GET', `/v1/videos/${id}`, { token: friend.token });
  expect(await page()).toMatchObject({ dislike_count: 1, comment_count: 3 });
  for (const step of ['ratings', 'comments', 'comment_likes', 'rows'] as const) {
    while ((await eraseStep[step](ctx, user.uuid)) === 'more');
    expect(await eraseStep[step](ctx, user.uuid)).toBe('done');
  }
  await publishAll();
  await deliverEvents({ times: 2 });
  expect(await rowsWith([word])).toEqual([]);
  expect(
    (await rowsWith([user.uuid])).filter((found) => /comment|playlist|rating|watch/.test(found)),
  ).toEqual([]);
  expect(await page()).toMatchObject({ dislike_count: 0, comment_count: 1 });
  expect(await listOf(id)).toMatchObject([{ id: question.id, state: 'deleted', author: null, text: '' }]);
  expect(await repliesOf(question)).toMatchObject([{ text: 'an answer', like_count: 0 }]);
});
