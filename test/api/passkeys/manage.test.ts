import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, callJson, seedUser, sqlRows } from '../../support/worker/client.ts';
import { takeMessages } from '../../support/worker/recording-queue.ts';
import { logIn, password, problemOf, registerAccount } from '../auth/accounts.ts';
import { codeOf, enrol, nextCode, restartClock, stopClock } from '../factors/enrol.ts';
import {
  answerLogin,
  countOf,
  logInWith,
  passkeyRows,
  postLogin,
  register,
  steppedUpWith,
  uuidOf,
} from './passkeys.ts';

beforeEach(stopClock);
afterEach(restartClock);

const factors = (token: string) =>
  callJson<{ totp: unknown; backup_codes_left: number }>(200, 'GET', '/v1/me/factors', { token });
const remove = (token: string, id: string) => call('DELETE', `/v1/me/passkeys/${id}`, { token });
const noticesOf = (userUuid: string) =>
  takeMessages()
    .filter(({ body }) => body.type === 'account.security_notice' && body.data.user_id === userUuid)
    .map(({ body }) => body.data.notice);

describe('my passkeys', () => {
  it('are renamed', async () => {
    const user = await seedUser();
    const { id } = await register(user.token, { name: 'Old' });
    const body = { name: '  Blue key ' };
    const renamed = await callJson(200, 'PATCH', `/v1/me/passkeys/${id}`, { token: user.token, body });
    expect(renamed).toMatchObject({ id, name: 'Blue key' });
    expect(await passkeyRows(user.uuid)).toMatchObject([{ name: 'Blue key' }]);
    for (const bad of [
      {},
      { name: '' },
      { name: ' ' },
      { name: 'x'.repeat(65) },
      { name: 1 },
      { name: 'a', x: 1 },
    ]) {
      const response = await call('PATCH', `/v1/me/passkeys/${id}`, { token: user.token, body: bad });
      expect(response.status, JSON.stringify(bad)).toBe(422);
    }
  });

  it('cannot be seen, renamed or removed by anybody else', async () => {
    const [ada, eve] = [await seedUser(), await seedUser()];
    const { id } = await register(ada.token, { name: 'Mine' });
    expect(await callJson(200, 'GET', '/v1/me/passkeys', { token: eve.token })).toMatchObject({ data: [] });
    for (const response of [
      await call('PATCH', `/v1/me/passkeys/${id}`, { token: eve.token, body: { name: 'Hers' } }),
      await remove(eve.token, id),
      await remove(eve.token, 'usr_00000000000000000000000000'),
      await remove(eve.token, 'pky_00000000000000000000000000'),
    ])
      expect(response.status).toBe(404);
    expect(await passkeyRows(ada.uuid)).toMatchObject([{ name: 'Mine' }]);
  });

  it('are told of when added, removed or copied', async () => {
    const { access_token, user } = await registerAccount();
    const uuid = await uuidOf(user.username);
    takeMessages();
    const { passkey, id } = await register(access_token, { signCount: 5 });
    expect(noticesOf(uuid)).toEqual(['factor_added']);
    await postLogin(await answerLogin(passkey, { signCount: 2 }));
    expect(noticesOf(uuid)).toEqual(['passkey_cloned']);
    passkey.signCount = 50;
    expect((await remove(await steppedUpWith(access_token, passkey), id)).status).toBe(204);
    expect(noticesOf(uuid)).toContain('factor_removed');
  });
});

describe('removing a passkey', () => {
  it('makes it useless; with the last factor go the backup codes, and the password alone logs in again', async () => {
    const { access_token, user } = await registerAccount();
    const { passkey, id } = await register(access_token);
    const token = await steppedUpWith(access_token, passkey);
    expect((await remove(token, id)).status).toBe(204);
    expect(await factors(token)).toMatchObject({ totp: null, backup_codes_left: 0 });
    expect((await postLogin(await answerLogin(passkey))).status).toBe(401);
    const response = await logIn(user.username, password);
    expect(await response.json()).toHaveProperty('access_token');
    expect((await remove(token, id)).status).toBe(404);
    const actions = await sqlRows<{ action: string }>(
      "SELECT action FROM audit_log WHERE target_id = $1 AND action LIKE 'passkeys.%' ORDER BY created_at",
      [await uuidOf(user.username)],
    );
    expect(actions.map(({ action }) => action)).toEqual(['passkeys.registered', 'passkeys.removed']);
  });

  it('is refused for the last way into an account without a password', async () => {
    const user = await seedUser();
    const first = await register(user.token);
    const { access_token } = await logInWith(first.passkey);
    expect(await problemOf(await remove(access_token, first.id))).toMatchObject({
      status: 409,
      code: 'passkeys.last_way_in',
    });
    expect(await factors(access_token)).toMatchObject({ backup_codes_left: 10 });
    const second = await register(access_token);
    expect((await remove(access_token, first.id)).status).toBe(204);
    expect((await remove(access_token, second.id)).status).toBe(409);
    expect(await countOf('passkeys WHERE user_id = $1', [user.uuid])).toBe(1);
  });

  it('is possible without a password where an identity at a provider opens the account', async () => {
    const user = await seedUser();
    const { passkey, id } = await register(user.token);
    await sqlRows(
      `INSERT INTO identities (id, user_id, provider, subject, created_at)
       VALUES (gen_random_uuid(), $1, 'github', $1::uuid::text, now())`,
      [user.uuid],
    );
    expect((await remove((await logInWith(passkey)).access_token, id)).status).toBe(204);
    expect(await countOf('passkeys WHERE user_id = $1', [user.uuid])).toBe(0);
  });

  it('leaves one of two that are removed at once', async () => {
    const user = await seedUser();
    const first = await register(user.token);
    const { access_token } = await logInWith(first.passkey);
    const second = await register(access_token);
    const answers = await Promise.all([remove(access_token, first.id), remove(access_token, second.id)]);
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([204, 409]);
    expect(await countOf('passkeys WHERE user_id = $1', [user.uuid])).toBe(1);
  });

  it('keeps the backup codes while an app remains, as removing the app does while a passkey remains', async () => {
    const registered = await registerAccount();
    const { secret } = await enrol(registered.access_token);
    const stepUp = async () => {
      const body = { code: await codeOf(secret) };
      const { access_token } = await callJson<{ access_token: string }>(200, 'POST', '/v1/auth/step-up', {
        token: registered.access_token,
        body,
      });
      nextCode();
      return access_token;
    };
    const token = await stepUp();
    const { id, backupCodes } = await register(token);
    expect(backupCodes).toBeNull();
    expect((await remove(token, id)).status).toBe(204);
    expect(await factors(token)).toMatchObject({ backup_codes_left: 10 });
    const again = await register(token);
    await callJson(204, 'DELETE', '/v1/me/factors/totp', { token });
    expect(await factors(token)).toMatchObject({ totp: null, backup_codes_left: 10 });
    const renewed = await callJson<{ backup_codes: string[] }>(200, 'POST', '/v1/me/factors/backup-codes', {
      token,
    });
    expect(renewed.backup_codes).toHaveLength(10);
    expect((await remove(token, again.id)).status).toBe(204);
    expect(await factors(token)).toMatchObject({ backup_codes_left: 0 });
  });
});
