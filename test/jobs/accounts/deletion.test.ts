import { describe, expect, inject, it } from 'vitest';
import { listObjects } from '../../../src/integrations/aws/index.ts';
import { open, seal } from '../../../src/shared/crypto/envelope.ts';
import { fromHex, fromUtf8, hex, utf8 } from '../../../src/shared/encoding.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { logIn, password, registerAccount } from '../../api/auth/accounts.ts';
import { freshPerson, link } from '../../api/identities/flow.ts';
import { getPost, profile } from '../../api/posts/actions.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { breakDatabase } from '../../support/worker/faults.ts';
import { film, uploadFilm } from '../../support/worker/films.ts';
import { deliverEvents } from '../../support/worker/queues.ts';
import {
  breakService,
  breakStorage,
  contextAt,
  dayMs,
  eraseAt,
  type Life,
  liveALife,
  publishAll,
  remindAt,
  rowsWith,
} from './lives.ts';

const requestDeletion = (user: TestUser) => callJson(202, 'POST', '/v1/me/deletion', { token: user.token });

const afterGrace = () => Date.now() + 31 * dayMs;

const statusOf = async (user: TestUser) =>
  (await sqlRows<{ status: string }>('SELECT status FROM users WHERE id = $1', [user.uuid]))[0]?.status;

const deletionOf = async (user: TestUser) =>
  (
    await sqlRows<{ step: string; failure_code: string | null; finished: boolean }>(
      'SELECT step, failure_code, finished_at IS NOT NULL AS finished FROM account_deletions WHERE user_id = $1',
      [user.uuid],
    )
  )[0];

async function expectErased({ user, friend, word, ip, friendsPostId }: Life): Promise<void> {
  await publishAll();
  await deliverEvents();
  expect(await deletionOf(user)).toMatchObject({ step: 'identity', finished: true, failure_code: null });
  expect(await rowsWith([word, ip])).toEqual([]);
  const [row] = await sqlRows('SELECT username, email, display_name, status FROM users WHERE id = $1', [
    user.uuid,
  ]);
  expect(row).toEqual({
    username: expect.stringMatching(/^deleted_[0-9a-f]{20}$/),
    email: expect.stringMatching(/@deleted\.invalid$/),
    display_name: 'Deleted account',
    status: 'deleted',
  });
  expect((await profile(friend)).counters).toEqual({ followers: 0, following: 0, posts: 1 });
  expect((await getPost(friendsPostId)).like_count).toBe(0);
  const erased = await sqlRows(`SELECT 1 FROM audit_log WHERE action = 'account.erased' AND target_id = $1`, [
    user.uuid,
  ]);
  expect(erased).toHaveLength(1);
  for (const table of [
    'sessions',
    'passkeys',
    'login_networks',
    'videos WHERE owner_id',
    'posts WHERE author_id',
  ])
    expect(
      await sqlRows(
        table.includes('WHERE') ? `SELECT 1 FROM ${table} = $1` : `SELECT 1 FROM ${table} WHERE user_id = $1`,
        [user.uuid],
      ),
      table,
    ).toEqual([]);
}

describe('an account whose deletion was asked for', () => {
  it('loses nothing before the grace is over', async () => {
    const life = await liveALife();
    await deliverEvents();
    await requestDeletion(life.user);
    await deliverEvents();
    await eraseAt(Date.now() + 29 * dayMs);
    expect(await statusOf(life.user)).toBe('deactivated');
    expect(await deletionOf(life.user)).toBeUndefined();
    await sqlRows(
      `UPDATE users SET status = 'active', deletion_due_at = NULL, deactivated_at = NULL WHERE id = $1`,
      [life.user.uuid],
    );
    await eraseAt(afterGrace());
    expect(await statusOf(life.user)).toBe('active');
    expect((await profile(life.user)).counters).toEqual({ followers: 1, following: 1, posts: 1 });
    expect((await getPost(life.postId)).like_count).toBe(1);
  });

  it('is called off by its owner over HTTP, and finds everything as it was', async () => {
    const life = await liveALife();
    const model = await registerAccount();
    await sqlRows(
      `UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE username = $2) WHERE id = $1`,
      [life.user.uuid, model.user.username],
    );
    await deliverEvents();
    const tablesOf = async () =>
      new Set((await rowsWith([life.word])).filter((row) => !row.startsWith('audit')));
    const before = await tablesOf();
    expect(before.size).toBeGreaterThan(8);
    await requestDeletion(life.user);
    await deliverEvents();
    await eraseAt(Date.now() + 29 * dayMs);
    // Its passkey would be a second factor that nobody here holds.
    await sqlRows('DELETE FROM passkeys WHERE user_id = $1', [life.user.uuid]);
    before.delete(`passkeys: ${life.word}`);
    const reopened = await callJson(200, 'POST', '/v1/auth/reactivate', {
      body: { identifier: life.word, password },
    });
    expect(reopened).toEqual({ status: 'active', deletion_cancelled: true });
    await deliverEvents();
    await eraseAt(afterGrace());
    expect(await deletionOf(life.user)).toBeUndefined();
    const after = await tablesOf();
    for (const table of before) expect(after, table).toContain(table);
    expect((await profile(life.user)).counters).toEqual({ followers: 1, following: 1, posts: 1 });
    expect((await getPost(life.postId)).like_count).toBe(1);
    expect((await logIn(life.word)).status).toBe(200);
  });

  it('leaves no trace after it, and the counters of others right', async () => {
    const life = await liveALife();
    await deliverEvents();
    expect(await rowsWith([life.word])).not.toEqual([]);
    await requestDeletion(life.user);
    await deliverEvents();
    await eraseAt(afterGrace());
    await expectErased(life);
    expect((await call('GET', `/v1/users/${life.user.id}`)).status).toBe(404);
    expect((await call('GET', `/v1/posts/${life.postId}`)).status).toBe(404);
  });

  it('is erased under whatever address it was registered', async () => {
    const user = await seedUser();
    await sqlRows(`UPDATE users SET email = 'mallory@deleted.invalid', bio = 'still here' WHERE id = $1`, [
      user.uuid,
    ]);
    await requestDeletion(user);
    await eraseAt(afterGrace());
    const [row] = await sqlRows('SELECT username, email, bio, password_hash FROM users WHERE id = $1', [
      user.uuid,
    ]);
    expect(row).toEqual({
      username: expect.stringMatching(/^deleted_[0-9a-f]{20}$/),
      email: expect.stringMatching(/^deleted_[0-9a-f]{20}@deleted\.invalid$/),
      bio: '',
      password_hash: null,
    });
    await deliverEvents();
  });

  it('removes the files of videos', async () => {
    const user = await seedUser();
    const { videoUuid } = await uploadFilm(user, await film('film.mp4'), { title: 'Mine' });
    const { aws } = contextAt(Date.now()).config;
    const files = () =>
      listObjects(aws, { bucket: aws.uploadsBucket, prefix: `originals/${videoUuid}/` }).then(
        ({ keys }) => keys,
      );
    expect(await files()).toHaveLength(1);
    await requestDeletion(user);
    await eraseAt(afterGrace());
    expect(await files()).toEqual([]);
    expect(await deletionOf(user)).toMatchObject({ finished: true });
    await deliverEvents();
  });

  it('frees its address and keeps its name from others for a while', async () => {
    const life = await liveALife();
    const email = `${life.word}@example.com`;
    await sqlRows('UPDATE users SET email_verified_at = now() WHERE id = $1', [life.user.uuid]);
    await requestDeletion(life.user);
    await eraseAt(afterGrace());
    await deliverEvents();
    const stranger = await seedUser();
    const renamed = await call('PUT', '/v1/me/username', {
      token: stranger.token,
      body: { username: life.word },
    });
    expect(renamed.status).toBe(409);
    const anew = await registerAccount({ email });
    await sqlRows('UPDATE users SET email_verified_at = now() WHERE username = $1', [anew.user.username]);
    expect((await logIn(email)).status).toBe(200);
    await sqlRows(
      `UPDATE username_reservations SET reserved_until = now() - interval '1 minute' WHERE user_id = $1`,
      [life.user.uuid],
    );
    await eraseAt(Date.now());
    expect(await sqlRows('SELECT 1 FROM username_reservations WHERE user_id = $1', [life.user.uuid])).toEqual(
      [],
    );
  });

  it('may be erased by several runs at once, and again', async () => {
    const life = await liveALife();
    await deliverEvents();
    await requestDeletion(life.user);
    await Promise.all([eraseAt(afterGrace()), eraseAt(afterGrace()), eraseAt(afterGrace())]);
    await eraseAt(afterGrace() + dayMs);
    await sqlRows(
      `UPDATE account_deletions SET step = 'access', finished_at = NULL, next_attempt_at = now() WHERE user_id = $1`,
      [life.user.uuid],
    );
    await eraseAt(afterGrace() + 2 * dayMs);
    await expectErased(life);
  });

  it('survives a database that fails before or after any statement', { timeout: 120_000 }, async () => {
    const life = await liveALife();
    await deliverEvents();
    await requestDeletion(life.user);
    await deliverEvents();
    let nowMs = afterGrace();
    for (let run = 0; run < 320; run += 1) {
      nowMs += dayMs;
      await breakDatabase({
        mode: 'error',
        sqlstate: 'XX000',
        // More than the statements of any step, so that each can end.
        skip: run % 83,
        when: run % 2 === 0 ? 'after' : 'before',
      });
      await eraseAt(nowMs).catch(() => undefined);
      await breakDatabase({ mode: 'none' });
      if ((await deletionOf(life.user))?.finished === true) break;
    }
    await expectErased(life);
  });

  it('waits for storage that fails, says so, and holds up nobody else', async () => {
    const [first, second] = [await liveALife(), await seedUser()];
    await deliverEvents();
    await requestDeletion(first.user);
    await requestDeletion(second);
    const nowMs = afterGrace();
    const repair = breakStorage(0);
    await eraseAt(nowMs);
    repair();
    expect(await deletionOf(first.user)).toMatchObject({
      step: 'videos',
      finished: false,
      failure_code: 'storage_unavailable',
    });
    expect(await statusOf(first.user)).toBe('deleted');
    await eraseAt(nowMs + dayMs);
    await expectErased(first);
    expect(await deletionOf(second)).toMatchObject({ finished: true });
  });

  it('is announced once, three days before, and not once it was cancelled', async () => {
    const [user, saved] = [await seedUser(), await seedUser()];
    await requestDeletion(user);
    await requestDeletion(saved);
    await deliverEvents();
    const reminded = async () =>
      (
        await sqlRows<{ user_id: string }>(
          `SELECT payload->>'user_id' AS user_id FROM outbox
           WHERE type = 'account.security_notice' AND payload->>'notice' = 'deletion_reminder'`,
        )
      ).map((row) => row.user_id);
    await remindAt(Date.now() + 26 * dayMs);
    expect(await reminded()).toEqual([]);
    await sqlRows(
      `UPDATE users SET status = 'active', deletion_due_at = NULL, deactivated_at = NULL WHERE id = $1`,
      [saved.uuid],
    );
    await Promise.all([1, 2, 3].map(() => remindAt(Date.now() + 28 * dayMs)));
    await remindAt(Date.now() + 29 * dayMs);
    expect(await reminded()).toEqual([user.uuid]);
  });

  it('takes back the token of its provider', async () => {
    const user = await seedUser();
    await sqlRows(`UPDATE users SET password_hash = 'a hash nobody can make' WHERE id = $1`, [user.uuid]);
    expect((await link('apple', freshPerson(), user.token)).status).toBe(200);
    const [linked] = await sqlRows<{ id: string; sealed: string }>(
      `SELECT id, encode(sealed_refresh_token, 'hex') AS sealed FROM identities WHERE user_id = $1`,
      [user.uuid],
    );
    const place = { table: 'identities', column: 'sealed_refresh_token', rowId: linked?.id ?? '' };
    const kept = await open(contextAt(Date.now()).config.encryption, fromHex(linked?.sealed ?? ''), place);
    const token = fromUtf8(kept ?? new Uint8Array());
    expect(token).toMatch(/\S/);
    const revoked = async () =>
      (await (await fetch(`${inject('oauthSettings').OAUTH_STAND_IN_URL}/test/revoked`)).json()) as string[];
    await requestDeletion(user);
    await eraseAt(Date.now() + 29 * dayMs);
    expect(await revoked()).not.toContain(token);
    await eraseAt(afterGrace());
    expect(await revoked()).toContain(token);
    expect(await deletionOf(user)).toMatchObject({ finished: true, failure_code: null });
    expect(await sqlRows('SELECT 1 FROM identities WHERE user_id = $1', [user.uuid])).toEqual([]);
    await deliverEvents();
  });

  it('does not wait for ever for a provider that takes no token back', async () => {
    const user = await seedUser();
    const identityId = randomIds.next();
    const place = { table: 'identities', column: 'sealed_refresh_token', rowId: identityId };
    const sealed = await seal(contextAt(Date.now()).config.encryption, utf8('r.apple'), place);
    await sqlRows(
      `INSERT INTO identities (id, user_id, provider, subject, sealed_refresh_token, created_at)
       VALUES ($2::uuid, $1::uuid, 'apple', 'reluctant', decode($3, 'hex'), now())`,
      [user.uuid, identityId, hex(sealed)],
    );
    await requestDeletion(user);
    const repair = breakService(String(inject('oauthSettings').OAUTH_STAND_IN_URL));
    let nowMs = afterGrace();
    await eraseAt(nowMs);
    expect(await deletionOf(user)).toMatchObject({ step: 'providers', finished: false });
    for (let run = 0; run < 40 && (await deletionOf(user))?.finished === false; run += 1) {
      nowMs += dayMs / 4 + 60_000;
      await eraseAt(nowMs);
    }
    repair();
    expect(await deletionOf(user)).toMatchObject({ finished: true });
    expect(await sqlRows('SELECT 1 FROM identities WHERE user_id = $1', [user.uuid])).toEqual([]);
    expect(
      await sqlRows(
        `SELECT outcome FROM audit_log WHERE action = 'account.erasure_step_given_up' AND target_id = $1`,
        [user.uuid],
      ),
    ).toEqual([{ outcome: 'failure' }]);
  });
});
