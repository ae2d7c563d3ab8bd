import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, callJson, roundTripsOf, seedUser, signToken, sqlRows } from '../../support/worker/client.ts';
import { password, problemOf, refresh, registerAccount } from '../auth/accounts.ts';
import { seedRefreshToken } from '../auth/sessions.ts';
import { codeOf, enrol, nextCode, passSeconds, restartClock, stopClock, wrongCode } from './enrol.ts';

beforeEach(stopClock);
afterEach(restartClock);

const nowSeconds = () => Math.floor(Date.now() / 1_000);
const stepUp = (token: string, body: unknown) => call('POST', '/v1/auth/step-up', { token, body });
const protectedCall = (token: string) => call('POST', '/v1/me/factors/totp', { token });

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')));

describe('a route that needs a recent login', () => {
  it.each([
    ['a fresh password', false, 0, ['pwd'], 201],
    ['a password of 300 s ago', false, 300, ['pwd'], 201],
    ['a password of 301 s ago', false, 301, ['pwd'], 401],
    ['both of 301 s ago', false, 301, ['pwd', 'otp'], 401],
    ['a fresh password, where a second factor is set up', true, 0, ['pwd'], 401],
    ['password and code, where a second factor is set up', true, 0, ['pwd', 'otp'], 409],
    ['both of 300 s ago, where a second factor is set up', true, 300, ['pwd', 'otp'], 409],
    ['both of 301 s ago, where a second factor is set up', true, 301, ['pwd', 'otp'], 401],
    ['a method nobody knows, where a second factor is set up', true, 0, ['pwd', 'otpx', 'mfa'], 401],
    ['no method, where a second factor is set up', true, 0, [], 401],
  ])('judges %s', async (_, factor, ageSeconds, amr, expected) => {
    const user = await seedUser();
    if (factor) await enrol(user.token);
    const token = await signToken({
      userUuid: user.uuid,
      sessionUuid: user.sessionUuid,
      claims: { amr, auth_time: nowSeconds() - ageSeconds },
    });
    const response = await protectedCall(token);
    expect(response.status).toBe(expected);
    if (expected !== 401) return;
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer realm="social-flow", error="insufficient_user_authentication", max_age="300"',
    );
    expect(await problemOf(response)).toMatchObject({ code: 'auth.step_up_required' });
  });

  it.each([
    [
      'its session has ended',
      "UPDATE sessions SET revoked_at = now(), revoked_reason = 'logout' WHERE user_id = $1",
    ],
    [
      'its session has run out',
      "UPDATE sessions SET expires_at = now() - interval '1 day' WHERE user_id = $1",
    ],
    ['its account is suspended', "UPDATE users SET status = 'suspended' WHERE id = $1"],
    ['its epoch is over', 'UPDATE users SET token_epoch = 1 WHERE id = $1'],
  ])('refuses a token at once when %s', async (_, statement) => {
    const user = await seedUser();
    await sqlRows(statement, [user.uuid]);
    expect(await problemOf(await protectedCall(user.token))).toMatchObject({
      status: 401,
      code: 'auth.unauthenticated',
    });
    expect((await stepUp(user.token, { password: 'x' })).status).toBe(401);
  });
});

describe('stepping up', () => {
  it('by password renews the login of an account without a second factor, in the same session', async () => {
    const { access_token } = await registerAccount();
    passSeconds(1_000);
    expect((await protectedCall(access_token)).status).toBe(401);
    const response = await stepUp(access_token, { password });
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 2 });
    const renewed = (await response.json()) as { access_token: string };
    expect(Object.keys(renewed).toSorted()).toEqual(['access_token', 'expires_in', 'token_type']);
    const [before, after] = [claimsOf(access_token), claimsOf(renewed.access_token)];
    expect(after).toMatchObject({ sub: before.sub, sid: before.sid, amr: ['pwd'], auth_time: nowSeconds() });
    expect((await protectedCall(renewed.access_token)).status).toBe(201);
  });

  it('by code proves a second factor, which refreshed tokens keep', async () => {
    const user = await seedUser();
    const { secret, backupCodes } = await enrol(user.token);
    const refreshToken = await seedRefreshToken(user.sessionUuid);
    const code = await codeOf(secret);
    const { access_token } = await callJson<{ access_token: string }>(200, 'POST', '/v1/auth/step-up', {
      token: user.token,
      body: { code },
    });
    expect(claimsOf(access_token)).toMatchObject({ amr: ['pwd', 'otp'], auth_time: nowSeconds() });
    const renewed = (await (await refresh(refreshToken)).json()) as { access_token: string };
    expect(claimsOf(renewed.access_token)).toMatchObject({ amr: ['pwd', 'otp'], auth_time: nowSeconds() });
    expect(await problemOf(await stepUp(user.token, { code }))).toMatchObject({
      code: 'auth.mfa_code_invalid',
    });
    const [backup_code] = backupCodes;
    expect((await stepUp(user.token, { backup_code })).status).toBe(200);
    expect((await stepUp(user.token, { backup_code })).status).toBe(401);
  });

  it('takes a code once of twenty requests at once', async () => {
    const users = [await seedUser()];
    const [user] = users;
    if (user === undefined) throw new Error('no user');
    const { secret } = await enrol(user.token);
    // Sessions of their own, since failures are limited by session.
    const tokens = [];
    for (let index = 0; index < 20; index += 1) {
      const [row] = await sqlRows<{ id: string }>(
        `INSERT INTO sessions (id, user_id, amr, auth_time, expires_at)
         SELECT gen_random_uuid(), user_id, amr, auth_time, expires_at FROM sessions WHERE id = $1 RETURNING id`,
        [user.sessionUuid],
      );
      tokens.push(await signToken({ userUuid: user.uuid, sessionUuid: row?.id ?? '' }));
    }
    const code = await codeOf(secret);
    const answers = await Promise.all(tokens.map((token) => stepUp(token, { code })));
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, ...Array<number>(19).fill(401)]);
  });

  it('by password alone is not enough where a second factor is set up, and uses no code up when it is wrong', async () => {
    const { access_token } = await registerAccount();
    const { secret } = await enrol(access_token);
    expect(await problemOf(await stepUp(access_token, { password }))).toMatchObject({
      status: 401,
      code: 'auth.second_factor_required',
    });
    const code = await codeOf(secret);
    expect(await problemOf(await stepUp(access_token, { password: 'not it', code }))).toMatchObject({
      code: 'auth.password_wrong',
    });
    expect((await stepUp(access_token, { password, code })).status).toBe(200);
  });

  it('refuses a code of an account that has no second factor', async () => {
    const { access_token } = await registerAccount();
    expect((await stepUp(access_token, { code: '123456' })).status).toBe(401);
    expect((await stepUp(access_token, { password, code: '123456' })).status).toBe(401);
    expect((await stepUp(access_token, { backup_code: 'x' })).status).toBe(401);
  });

  it('is slowed down after five failures of a session, and of that session only', async () => {
    const user = await seedUser();
    const { secret } = await enrol(user.token);
    const code = await wrongCode(secret);
    const statuses = [];
    for (let index = 0; index < 6; index += 1) statuses.push((await stepUp(user.token, { code })).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    const blocked = await stepUp(user.token, { code: await codeOf(secret) });
    expect(blocked.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await problemOf(blocked)).toMatchObject({ status: 429, code: 'auth.too_many_failures' });
    const [other] = await sqlRows<{ id: string }>(
      `INSERT INTO sessions (id, user_id, amr, auth_time, expires_at)
       SELECT gen_random_uuid(), user_id, amr, auth_time, expires_at FROM sessions WHERE id = $1 RETURNING id`,
      [user.sessionUuid],
    );
    const token = await signToken({ userUuid: user.uuid, sessionUuid: other?.id ?? '' });
    expect((await stepUp(token, { code: await codeOf(secret) })).status).toBe(200);
  });

  it('never counts what succeeds', async () => {
    const user = await seedUser();
    const { secret } = await enrol(user.token);
    for (let index = 0; index < 8; index += 1) {
      expect((await stepUp(user.token, { code: await codeOf(secret) })).status).toBe(200);
      nextCode();
    }
  });

  it.each([
    [{}],
    [{ code: '123456', backup_code: 'x' }],
    [{ password: '' }],
    [{ code: '12345a' }],
    [{ password: 'x', amr: ['otp'] }],
  ])('refuses the body %j', async (body) => {
    const user = await seedUser();
    expect(await problemOf(await stepUp(user.token, body))).toMatchObject({
      status: 422,
      code: 'request.invalid',
    });
  });
});
