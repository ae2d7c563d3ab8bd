import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, callJson, sqlRows } from '../../support/worker/client.ts';
import { logIn, password, problemOf, refresh, registerAccount, type SignedInBody } from '../auth/accounts.ts';
import { askForFactor, codeOf, enrol, passSeconds, restartClock, stopClock } from './enrol.ts';

beforeEach(stopClock);
afterEach(restartClock);

const next = 'eleven herons in the reeds';
const change = (token: string, current_password: string, new_password: string) =>
  call('POST', '/v1/me/password', { token, body: { current_password, new_password } });

describe('changing the password', () => {
  it('takes the new one from then on, keeps this session and ends all others', async () => {
    const mine = await registerAccount();
    const { username } = mine.user;
    const other = (await (await logIn(username)).json()) as SignedInBody;
    const stranger = await registerAccount();
    expect((await change(mine.access_token, password, next)).status).toBe(204);
    expect((await refresh(other.refresh_token)).status).toBe(401);
    expect((await refresh(mine.refresh_token)).status).toBe(200);
    expect((await refresh(stranger.refresh_token)).status).toBe(200);
    expect((await logIn(username)).status).toBe(401);
    expect((await logIn(username, next)).status).toBe(200);
    const rows = await sqlRows(
      `SELECT revoked_reason AS reason FROM sessions JOIN users ON users.id = user_id
       WHERE username = $1 AND revoked_at IS NOT NULL`,
      [username],
    );
    expect(rows).toEqual([{ reason: 'password_change' }]);
    const audit = await sqlRows<{ text: string }>(
      "SELECT audit_log::text AS text FROM audit_log WHERE action = 'auth.password_changed'",
    );
    expect(audit).toHaveLength(1);
    expect(audit[0]?.text).not.toMatch(/herons|ravens/);
  });

  it('needs the current one, and counts failures', async () => {
    const { access_token, user } = await registerAccount();
    const statuses = [];
    for (let index = 0; index < 6; index += 1)
      statuses.push((await change(access_token, `wrong guess ${index}`, next)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await logIn(user.username)).status).toBe(200);
    const failures = await sqlRows(
      `SELECT detail->>'reason' AS reason FROM audit_log JOIN users ON users.id::text = target_id
       WHERE username = $1 AND action = 'auth.reauthentication' AND outcome = 'failure'`,
      [user.username],
    );
    expect(failures).toHaveLength(5);
  });

  it.each([
    ['a short one', 'short', 'too_short'],
    ['a common one', 'password123', 'too_common'],
    ['the one it is', password, 'unchanged'],
  ])('refuses %s by the rules of registration', async (_, attempt, code) => {
    const { access_token } = await registerAccount();
    expect(await problemOf(await change(access_token, password, attempt))).toMatchObject({
      status: 422,
      code: 'auth.password_refused',
      errors: [{ pointer: '/new_password', code }],
    });
  });

  it('refuses the account name as password', async () => {
    const { access_token, user } = await registerAccount();
    expect(await problemOf(await change(access_token, password, `${user.username}1`))).toMatchObject({
      code: 'auth.password_refused',
      errors: [{ code: 'contains_account_name' }],
    });
  });

  it('happens once of five changes at once', async () => {
    const { access_token, user } = await registerAccount();
    const answers = await Promise.all(
      Array.from({ length: 3 }, (_, index) => change(access_token, password, `${next} ${index}`)),
    );
    expect(answers.filter((answer) => answer.status === 204)).toHaveLength(1);
    const winner = answers.findIndex((answer) => answer.status === 204);
    expect((await logIn(user.username, `${next} ${winner}`)).status).toBe(200);
  });

  it('needs a recent login, and a second factor where one is set up', async () => {
    const { access_token } = await registerAccount();
    const { secret } = await enrol(access_token);
    expect(await problemOf(await change(access_token, password, next))).toMatchObject({
      code: 'auth.step_up_required',
    });
    const stepped = await callJson<{ access_token: string }>(200, 'POST', '/v1/auth/step-up', {
      token: access_token,
      body: { code: await codeOf(secret) },
    });
    passSeconds(301);
    expect((await change(stepped.access_token, password, next)).status).toBe(401);
  });

  it('ends logins that still owe their second factor', async () => {
    const { access_token, user } = await registerAccount();
    const { secret } = await enrol(access_token);
    const options = { ip: '198.51.100.7' };
    const { mfa_token } = await askForFactor(user.username, password, options);
    const stepped = await callJson<{ access_token: string }>(200, 'POST', '/v1/auth/step-up', {
      token: access_token,
      body: { code: await codeOf(secret) },
    });
    expect((await change(stepped.access_token, password, next)).status).toBe(204);
    passSeconds(30);
    const body = { mfa_token, code: await codeOf(secret) };
    expect((await call('POST', '/v1/auth/mfa', { ...options, body })).status).toBe(401);
  });
});
