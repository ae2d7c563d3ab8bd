import { describe, expect, it } from 'vitest';
import { passwordHashesStarted } from '../../../src/modules/auth/index.ts';
import { call, callJson, roundTripsOf, sqlRows } from '../../support/worker/client.ts';
import { freshUsername, logIn, password, problemOf, registerAccount, type SignedInBody } from './accounts.ts';
import { weakerHashOf } from './weaker-hash.ts';

const hashesOf = async <T>(work: () => Promise<T>): Promise<{ result: T; hashes: number }> => {
  const before = passwordHashesStarted();
  const result = await work();
  return { result, hashes: passwordHashesStarted() - before };
};

describe('logging in', () => {
  it('opens another session with the same account, in two round trips', async () => {
    const first = await registerAccount();
    const response = await logIn(first.user.username.toUpperCase());
    expect(response.status).toBe(200);
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 2 });
    const second = (await response.json()) as SignedInBody;
    expect(Object.keys(second).toSorted()).toEqual(Object.keys(first).toSorted());
    expect(second.user).toEqual(first.user);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    const sessions = await sqlRows<{ amr: string[] }>(
      'SELECT amr FROM sessions JOIN users ON users.id = user_id WHERE username = $1',
      [first.user.username],
    );
    expect(sessions.map((session) => session.amr)).toEqual([['pwd'], ['pwd']]);
    expect((await callJson<{ id: string }>(200, 'GET', '/v1/me', { token: second.access_token })).id).toBe(
      first.user.id,
    );
  });

  it('remembers the device and place of the session', async () => {
    const { user } = await registerAccount();
    const options = { ip: '2001:db8::7', headers: { 'user-agent': 'Probe/1.0 (test)' } };
    expect((await logIn(user.username, password, options)).status).toBe(200);
    const [session] = await sqlRows(
      `SELECT user_agent, host(ip) AS ip FROM sessions JOIN users ON users.id = user_id WHERE username = $1
       ORDER BY sessions.id DESC LIMIT 1`,
      [user.username],
    );
    expect(session).toEqual({ user_agent: 'Probe/1.0 (test)', ip: '2001:db8::7' });
  });

  it('takes an e-mail address once it is verified, and not before', async () => {
    const { user } = await registerAccount();
    const email = String(user.email);
    expect((await logIn(email)).status).toBe(401);
    await sqlRows('UPDATE users SET email_verified_at = now() WHERE username = $1', [user.username]);
    expect((await logIn(email.toUpperCase())).status).toBe(200);
  });

  it('by a shared address reaches the account that verified it, never one that only claims it', async () => {
    const owner = await registerAccount();
    const email = String(owner.user.email);
    await sqlRows('UPDATE users SET email_verified_at = now() WHERE username = $1', [owner.user.username]);
    await registerAccount({ email, password: 'another password altogether' });
    expect((await logIn(email, 'another password altogether')).status).toBe(401);
    const response = (await (await logIn(email)).json()) as SignedInBody;
    expect(response.user.id).toBe(owner.user.id);
  });

  it('answers a wrong password and an unknown account alike: same body, same work', async () => {
    const { user } = await registerAccount();
    await sqlRows('UPDATE users SET password_hash = NULL WHERE username = $1', [
      (await registerAccount({ username: 'passwordless_1' })).user.username,
    ]);
    await sqlRows("UPDATE users SET status = 'deleted' WHERE username = $1", [
      (await registerAccount({ username: 'removed_1' })).user.username,
    ]);
    const attempts = [
      [user.username, 'not the password'],
      [freshUsername(), password],
      ['nobody@example.com', password],
      [String(user.email), password],
      ['passwordless_1', password],
      ['removed_1', password],
    ] as const;
    for (const [identifier, attempt] of attempts) {
      const { result, hashes } = await hashesOf(() => logIn(identifier, attempt));
      expect(hashes, identifier).toBe(1);
      expect(await roundTripsOf(result), identifier).toMatchObject({ roundTrips: 1, background: 1 });
      const { request_id: _, ...problem } = (await result.json()) as Record<string, unknown>;
      expect(problem, identifier).toEqual({
        type: 'about:blank',
        title: expect.any(String),
        status: 401,
        code: 'auth.invalid_credentials',
      });
    }
  });

  it.each(["' OR 1=1 --", 'a\u0000b', 'ada lovelace', '🦉🦉🦉', 'x@y\u0000.com', '@', '\ud800\ud800\ud800'])(
    'does the same work for %j, which can be no account',
    async (identifier) => {
      const { result, hashes } = await hashesOf(() => logIn(identifier));
      expect(await problemOf(result)).toMatchObject({ status: 401, code: 'auth.invalid_credentials' });
      expect(hashes).toBe(1);
    },
  );

  it.each([
    ['suspended', 'auth.account_suspended'],
    ['deactivated', 'auth.account_deactivated'],
  ])('tells that an account is %s only to who knows the password', async (status, code) => {
    const { user } = await registerAccount();
    await sqlRows('UPDATE users SET status = $2 WHERE username = $1', [user.username, status]);
    expect(await problemOf(await logIn(user.username))).toMatchObject({ status: 403, code });
    expect(await problemOf(await logIn(user.username, 'not the password'))).toMatchObject({
      status: 401,
      code: 'auth.invalid_credentials',
    });
  });

  it('replaces a hash with older parameters, once, and only for the right password', async () => {
    const { user } = await registerAccount();
    const stored = async () =>
      (
        await sqlRows<{ password_hash: string }>('SELECT password_hash FROM users WHERE username = $1', [
          user.username,
        ])
      )[0]?.password_hash ?? '';
    await sqlRows('UPDATE users SET password_hash = $2 WHERE username = $1', [
      user.username,
      await weakerHashOf(password),
    ]);
    const weak = await stored();
    expect((await logIn(user.username, 'not the password')).status).toBe(401);
    expect(await stored()).toBe(weak);
    const { result, hashes } = await hashesOf(() => logIn(user.username));
    expect(result.status).toBe(200);
    expect(hashes).toBe(2);
    expect(await roundTripsOf(result)).toMatchObject({ roundTrips: 2 });
    expect(await stored()).toMatch(/^\$scrypt\$ln=15,r=8,p=3,pv=1\$/);
    expect((await hashesOf(() => logIn(user.username))).hashes).toBe(1);
  });

  it('writes every attempt to the audit log without what was typed', async () => {
    const { user } = await registerAccount();
    await logIn(user.username, 'hunter2 hunter2');
    await logIn('typed-my-password-here', 'hunter2 hunter2');
    await logIn(user.username);
    const rows = await sqlRows<{
      outcome: string;
      reason: string | null;
      target_id: string | null;
      text: string;
    }>(
      `SELECT outcome, detail->>'reason' AS reason, target_id, audit_log::text AS text FROM audit_log
       WHERE action = 'auth.login' ORDER BY id DESC LIMIT 3`,
    );
    expect(rows.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['success', null],
      ['failure', 'unknown_account'],
      ['failure', 'wrong_password'],
    ]);
    expect(rows[1]?.target_id).toBeNull();
    expect(rows[2]?.target_id).toBe(rows[0]?.target_id);
    for (const row of rows) expect(row.text).not.toMatch(/hunter2|typed-my-password/);
  });

  it.each([
    ['no password', { identifier: 'ada' }],
    ['an unknown field', { identifier: 'ada', password: 'x', otp: '123456' }],
    ['a list for a password', { identifier: 'ada', password: ['x'] }],
    ['a huge password', { identifier: 'ada', password: 'x'.repeat(2_000) }],
  ])('refuses %s', async (_, body) => {
    expect(await problemOf(await call('POST', '/v1/auth/login', { body }))).toMatchObject({ status: 422 });
  });
});
