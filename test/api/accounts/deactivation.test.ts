import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, seedUser, sqlRows } from '../../support/worker/client.ts';
import { deliver, deliverEvents } from '../../support/worker/queues.ts';
import { createKey } from '../api-keys/keys.ts';
import { logIn, password, problemOf, refresh, registerAccount, type SignedInBody } from '../auth/accounts.ts';
import { codeOf, enrol, nextCode, restartClock, stopClock } from '../factors/enrol.ts';

const uuidOf = (account: SignedInBody): string => decodeId('user', account.user.id) ?? '';

const reactivate = (account: SignedInBody, changes: Record<string, unknown> = {}) =>
  call('POST', '/v1/auth/reactivate', {
    body: { identifier: account.user.username, password, ...changes },
  });

const statusOf = async (account: SignedInBody) =>
  (await sqlRows('SELECT status, deletion_due_at FROM users WHERE id = $1', [uuidOf(account)]))[0];

async function publishedVideo(ownerId: string): Promise<string> {
  const id = randomIds.next();
  await sqlRows(
    `INSERT INTO videos (id, owner_id, title, state, published_at, hls_key, dash_key) VALUES ($1, $2, 'Mine', 'published', now(), 'media/x.m3u8', 'media/x.mpd')`,
    [id, ownerId],
  );
  return id;
}

describe('deactivating an account', () => {
  it('ends every session and refuses the next login until it is reactivated', async () => {
    const account = await registerAccount();
    const other = (await (await logIn(account.user.username)).json()) as SignedInBody;
    const { secret } = await createKey({ token: account.access_token }, ['profile:read']);
    const { id: anybody } = await seedUser();
    const byKey = async () => (await call('GET', `/v1/users/${anybody}`, { token: secret })).status;
    expect(await byKey()).toBe(200);
    await callJson(204, 'POST', '/v1/me/deactivation', { token: account.access_token });
    expect(await byKey()).toBe(401);
    for (const { access_token, refresh_token } of [account, other]) {
      expect((await call('GET', '/v1/me', { token: access_token })).status).toBe(401);
      expect((await refresh(refresh_token)).status).toBe(401);
    }
    const refused = await logIn(account.user.username);
    expect(await problemOf(refused)).toMatchObject({ status: 403, code: 'auth.account_deactivated' });
    expect((await logIn(account.user.username, 'a wrong password here')).status).toBe(401);

    const reopened = await reactivate(account);
    expect(reopened.status).toBe(200);
    expect(await reopened.json()).toEqual({ status: 'active', deletion_cancelled: false });
    expect((await logIn(account.user.username)).status).toBe(200);
    expect((await reactivate(account)).status).toBe(200);
    const audit = await sqlRows(
      `SELECT action FROM audit_log WHERE target_id = $1 AND action LIKE 'account.%' ORDER BY created_at`,
      [uuidOf(account)],
    );
    expect(audit.map(({ action }) => action)).toEqual(['account.deactivated', 'account.reactivated']);
  });

  it('is refused where nothing could open the account again, deleting it is not', async () => {
    const user = await seedUser();
    await sqlRows('UPDATE users SET password_hash = NULL, email_verified_at = NULL WHERE id = $1', [
      user.uuid,
    ]);
    const status = async () =>
      (await sqlRows<{ status: string }>('SELECT status FROM users WHERE id = $1', [user.uuid]))[0]?.status;
    const audit = () =>
      sqlRows(`SELECT 1 FROM audit_log WHERE target_id = $1 AND action LIKE 'account.%'`, [user.uuid]);
    const deactivate = () => call('POST', '/v1/me/deactivation', { token: user.token });
    expect(await problemOf(await deactivate())).toMatchObject({ status: 409, code: 'accounts.no_way_back' });
    expect(await status()).toBe('active');
    expect(await audit()).toEqual([]);
    expect((await call('GET', '/v1/me', { token: user.token })).status).toBe(200);
    await callJson(202, 'POST', '/v1/me/deletion', { token: user.token });
    expect(await status()).toBe('deactivated');
    const mailed = await seedUser();
    await sqlRows('UPDATE users SET password_hash = NULL, email_verified_at = now() WHERE id = $1', [
      mailed.uuid,
    ]);
    await callJson(204, 'POST', '/v1/me/deactivation', { token: mailed.token });
  });

  it('hides the account and what it published on every route', async () => {
    const account = await registerAccount();
    const viewer = await seedUser();
    const { token } = viewer;
    const ownToken = account.access_token;
    const post = await callJson<{ id: string }>(201, 'POST', '/v1/posts', {
      token: ownToken,
      body: { text: 'soon gone' },
    });
    await callJson(200, 'PUT', `/v1/users/${account.user.id}/follow`, { token });
    await callJson(200, 'PUT', `/v1/users/${viewer.id}/follow`, { token: ownToken });
    await deliverEvents();
    const videoUuid = await publishedVideo(uuidOf(account));
    const videos = await callJson<{ data: { id: string }[] }>(
      200,
      'GET',
      `/v1/users/${account.user.id}/videos`,
    );
    const video = videos.data[0]?.id ?? '';
    expect((await call('GET', `/v1/videos/${video}`)).status).toBe(200);

    await callJson(204, 'POST', '/v1/me/deactivation', { token: ownToken });
    for (const options of [{}, { token }]) {
      for (const path of [
        `/v1/users/${account.user.id}`,
        `/v1/users/${account.user.username}`,
        `/v1/users/${account.user.id}/posts`,
        `/v1/users/${account.user.id}/videos`,
        `/v1/users/${account.user.id}/followers`,
        `/v1/users/${account.user.id}/following`,
        `/v1/posts/${post.id}`,
        `/v1/videos/${video}`,
      ])
        expect((await call('GET', path, options)).status, path).toBe(404);
      for (const list of ['followers', 'following'])
        expect((await callJson(200, 'GET', `/v1/users/${viewer.id}/${list}`, options)).data).toEqual([]);
    }
    expect((await callJson(200, 'GET', '/v1/feeds/home', { token })).data).toEqual([]);
    expect((await call('PUT', `/v1/posts/${post.id}/like`, { token })).status).toBe(404);

    await reactivate(account);
    expect((await call('GET', `/v1/users/${account.user.username}`)).status).toBe(200);
    expect((await callJson(200, 'GET', '/v1/feeds/home', { token })).data).toHaveLength(1);
    expect((await callJson(200, 'GET', `/v1/users/${viewer.id}/followers`)).data).toHaveLength(1);
    await sqlRows('DELETE FROM videos WHERE id = $1', [videoUuid]);
  });

  it('ends access a crash left open, by its event', async () => {
    const user = await seedUser();
    await sqlRows(`UPDATE users SET status = 'deactivated' WHERE id = $1`, [user.uuid]);
    const message = {
      id: randomIds.next(),
      type: 'account.closed',
      occurred_at: new Date().toISOString(),
      data: { user_id: user.uuid },
    };
    for (let time = 0; time < 2; time += 1) await deliver([{ queue: 'social-flow-events', body: message }]);
    expect(
      await sqlRows('SELECT 1 FROM sessions WHERE user_id = $1 AND revoked_at IS NULL', [user.uuid]),
    ).toEqual([]);
  });

  it('works once, also for two at once', async () => {
    const account = await registerAccount();
    const both = await Promise.all(
      [1, 2].map(() => call('POST', '/v1/me/deactivation', { token: account.access_token })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([204, 401]);
  });
});

describe('deleting an account', () => {
  it('closes it, says until when it can be saved, and reactivation calls it off', async () => {
    const account = await registerAccount();
    const answer = await callJson<{ deletion_due_at: string }>(202, 'POST', '/v1/me/deletion', {
      token: account.access_token,
    });
    const days = (Date.parse(answer.deletion_due_at) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(30);
    expect(await statusOf(account)).toMatchObject({ status: 'deactivated' });
    expect((await call('GET', `/v1/users/${account.user.id}`)).status).toBe(404);
    const reopened = await reactivate(account);
    expect(await reopened.json()).toEqual({ status: 'active', deletion_cancelled: true });
    expect(await statusOf(account)).toEqual({ status: 'active', deletion_due_at: null });
  });
});

describe('reactivating', () => {
  beforeEach(stopClock);
  afterEach(restartClock);

  it('answers guesses as a login does', async () => {
    const account = await registerAccount();
    await callJson(204, 'POST', '/v1/me/deactivation', { token: account.access_token });
    const wrong = await reactivate(account, { password: 'a wrong password here' });
    const unknown = await reactivate(account, { identifier: 'nobody_of_this_name' });
    expect(await problemOf(wrong)).toMatchObject({ status: 401, code: 'auth.invalid_credentials' });
    expect(await problemOf(unknown)).toMatchObject({ status: 401, code: 'auth.invalid_credentials' });
    expect(await statusOf(account)).toMatchObject({ status: 'deactivated' });
  });

  it('writes every attempt into the history of the account, also of one that is open', async () => {
    const account = await registerAccount();
    expect((await reactivate(account, { password: 'a wrong password here' })).status).toBe(401);
    expect((await reactivate(account)).status).toBe(200);
    const { data } = await callJson<{ data: { type: string }[] }>(200, 'GET', '/v1/me/security-events', {
      token: account.access_token,
    });
    expect(data.map(({ type }) => type)).toEqual(['sign_in_failed', 'sign_in_failed', 'account_created']);
  });

  it('needs the second factor of an account that has one, and each code works once', async () => {
    const account = await registerAccount();
    const { secret, backupCodes } = await enrol(account.access_token);
    const { access_token: token } = await callJson<{ access_token: string }>(
      200,
      'POST',
      '/v1/auth/step-up',
      {
        token: account.access_token,
        body: { code: await codeOf(secret) },
      },
    );
    nextCode();
    await callJson(204, 'POST', '/v1/me/deactivation', { token });
    expect(await problemOf(await reactivate(account))).toMatchObject({ code: 'auth.second_factor_required' });
    expect(await problemOf(await reactivate(account, { code: '000000' }))).toMatchObject({
      code: 'auth.mfa_code_invalid',
    });
    expect(await statusOf(account)).toMatchObject({ status: 'deactivated' });
    const [backup] = backupCodes;
    expect((await reactivate(account, { backup_code: backup })).status).toBe(200);
    expect((await logIn(account.user.username)).status).toBe(200);
    await sqlRows(`UPDATE users SET status = 'deactivated' WHERE id = $1`, [uuidOf(account)]);
    expect((await reactivate(account, { backup_code: backup })).status).toBe(401);
    expect((await reactivate(account, { code: await codeOf(secret) })).status).toBe(200);
  });

  it('does not open suspended accounts', async () => {
    const account = await registerAccount();
    await sqlRows(`UPDATE users SET status = 'suspended' WHERE id = $1`, [uuidOf(account)]);
    expect(await problemOf(await reactivate(account))).toMatchObject({ code: 'auth.account_suspended' });
  });
});
