import { encode } from 'uqr';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { problemOf } from '../auth/accounts.ts';
import { codeOf, enrol, nextCode, passSeconds, restartClock, stopClock, wrongCode } from './enrol.ts';

beforeEach(stopClock);
afterEach(restartClock);

interface Started {
  readonly secret: string;
  readonly otpauth_uri: string;
  readonly qr_svg: string;
  readonly expires_in: number;
}

const start = (user: TestUser) =>
  callJson<Started>(201, 'POST', '/v1/me/factors/totp', { token: user.token });
const confirm = (user: TestUser, code: string) =>
  call('POST', '/v1/me/factors/totp/confirm', { token: user.token, body: { code } });
const factors = (user: TestUser) =>
  callJson<{ totp: unknown; backup_codes_left: number }>(200, 'GET', '/v1/me/factors', { token: user.token });
const steppedUp = async (user: TestUser, secret: string) => {
  const { access_token } = await callJson<{ access_token: string }>(200, 'POST', '/v1/auth/step-up', {
    token: user.token,
    body: { code: await codeOf(secret) },
  });
  nextCode();
  return access_token;
};

describe('setting up an authenticator', () => {
  it('counts only once a code confirmed it, and then shows ten different backup codes once', async () => {
    const user = await seedUser();
    expect(await factors(user)).toEqual({ totp: null, phone: null, backup_codes_left: 0 });
    const started = await start(user);
    expect(started.secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(started.otpauth_uri).toContain(`secret=${started.secret}&`);
    expect(started.otpauth_uri).toContain(`Social%20Flow:${user.username}`);
    expect(await factors(user)).toEqual({ totp: null, phone: null, backup_codes_left: 0 });
    const response = await confirm(user, await codeOf(started.secret));
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toContain('no-store');
    const { backup_codes } = (await response.json()) as { backup_codes: string[] };
    expect(new Set(backup_codes).size).toBe(10);
    for (const code of backup_codes)
      expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){5}[0-9a-hjkmnp-tv-z]{4}$/);
    expect(await factors(user)).toEqual({
      totp: { confirmed_at: new Date().toISOString() },
      phone: null,
      backup_codes_left: 10,
    });
  });

  it('shows the address as a QR code that holds squares only', async () => {
    const user = await seedUser();
    const { otpauth_uri, qr_svg, secret } = await start(user);
    const { data, size } = encode(otpauth_uri, { ecc: 'M', border: 4 });
    const dark = new Set([...qr_svg.matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map(([, x, y]) => `${x},${y}`));
    expect(qr_svg).toContain(`viewBox="0 0 ${size} ${size}"`);
    for (const [y, row] of data.entries())
      for (const [x, module] of row.entries()) expect(dark.has(`${x},${y}`), `${x},${y}`).toBe(module);
    expect(qr_svg).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="[\d ]+" shape-rendering="crispEdges">(<path [^<>&]+\/>){2}<\/svg>$/,
    );
    expect(qr_svg).not.toContain(user.username);
    expect(qr_svg).not.toContain(secret);
    expect(qr_svg).not.toMatch(/script|onload|href/i);
  });

  it('keeps neither seed nor codes in readable form', async () => {
    const user = await seedUser();
    const { secret, backupCodes } = await enrol(user.token);
    const [row] = await sqlRows<{ text: string }>(
      `SELECT (SELECT totp_factors::text FROM totp_factors WHERE user_id = $1) ||
        (SELECT string_agg(backup_codes::text, '') FROM backup_codes WHERE user_id = $1) ||
        (SELECT string_agg(audit_log::text, '') FROM audit_log WHERE target_id = $1::text) AS text`,
      [user.uuid],
    );
    expect(row?.text.length).toBeGreaterThan(500);
    for (const told of [secret, ...backupCodes, ...backupCodes.map((code) => code.replaceAll('-', ''))])
      expect(row?.text).not.toContain(told);
  });

  it('binds the seed to its account: moved to another row it opens nothing', async () => {
    const [ada, eve] = [await seedUser(), await seedUser()];
    const [adas] = [await enrol(ada.token), await enrol(eve.token)];
    await sqlRows(
      'UPDATE totp_factors SET sealed_secret = (SELECT sealed_secret FROM totp_factors WHERE user_id = $1) WHERE user_id = $2',
      [ada.uuid, eve.uuid],
    );
    const response = await call('POST', '/v1/auth/step-up', {
      token: eve.token,
      body: { code: await codeOf(adas.secret) },
    });
    expect(await problemOf(response)).toMatchObject({ code: 'auth.mfa_code_invalid' });
  });

  it('refuses a wrong code and leaves the seed waiting', async () => {
    const user = await seedUser();
    const { secret } = await start(user);
    expect(await problemOf(await confirm(user, await wrongCode(secret)))).toMatchObject({
      status: 422,
      code: 'factors.code_invalid',
    });
    expect((await confirm(user, await codeOf(secret))).status).toBe(200);
  });

  it('starts over with a new seed, and the old one no longer confirms', async () => {
    const user = await seedUser();
    const first = await start(user);
    const second = await start(user);
    expect(second.secret).not.toBe(first.secret);
    expect((await confirm(user, await codeOf(first.secret))).status).toBe(422);
    expect((await confirm(user, await codeOf(second.secret))).status).toBe(200);
  });

  it('forgets a seed that waited for more than a quarter of an hour', async () => {
    const user = await seedUser();
    const { secret, expires_in } = await start(user);
    await sqlRows(
      "UPDATE totp_factors SET created_at = created_at - interval '901 seconds' WHERE user_id = $1",
      [user.uuid],
    );
    expect(expires_in).toBe(900);
    expect(await problemOf(await confirm(user, await codeOf(secret)))).toMatchObject({
      status: 409,
      code: 'factors.totp_not_pending',
    });
  });

  it('confirms once of twenty confirmations at once, with one set of codes', async () => {
    const user = await seedUser();
    const { secret } = await start(user);
    const code = await codeOf(secret);
    const answers = await Promise.all(Array.from({ length: 20 }, () => confirm(user, code)));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    // Who comes after the confirmation already meets an account with a second factor.
    for (const answer of answers)
      if (answer.status !== 200)
        expect(['factors.totp_not_pending', 'auth.step_up_required']).toContain(
          (await problemOf(answer)).code,
        );
    expect(await factors(user)).toMatchObject({ backup_codes_left: 10 });
  });

  it('is refused while one is set up: a thief cannot put another in its place', async () => {
    const user = await seedUser();
    const { secret } = await enrol(user.token);
    const response = await call('POST', '/v1/me/factors/totp', { token: await steppedUp(user, secret) });
    expect(await problemOf(response)).toMatchObject({ status: 409, code: 'factors.totp_exists' });
  });

  it.each([[{}], [{ code: '12345' }], [{ code: '1234567' }], [{ code: 123456 }], [{ code: '123456', x: 1 }]])(
    'refuses the body %j',
    async (body) => {
      const user = await seedUser();
      const response = await call('POST', '/v1/me/factors/totp/confirm', { token: user.token, body });
      expect(await problemOf(response)).toMatchObject({ status: 422, code: 'request.invalid' });
    },
  );
});

describe('an authenticator that is set up', () => {
  it('is removed with its backup codes, leaves an audit trail, and can be set up anew', async () => {
    const user = await seedUser();
    const { secret } = await enrol(user.token);
    const token = await steppedUp(user, secret);
    await callJson(204, 'DELETE', '/v1/me/factors/totp', { token });
    expect(await factors(user)).toEqual({ totp: null, phone: null, backup_codes_left: 0 });
    expect((await call('DELETE', '/v1/me/factors/totp', { token })).status).toBe(404);
    await enrol(token);
    const actions = await sqlRows<{ action: string }>(
      "SELECT action FROM audit_log WHERE target_id = $1 AND action LIKE 'factors.%' ORDER BY created_at",
      [user.uuid],
    );
    expect(actions.map(({ action }) => action)).toEqual([
      'factors.totp_started',
      'factors.totp_confirmed',
      'factors.totp_removed',
      'factors.totp_started',
      'factors.totp_confirmed',
    ]);
  });

  it('gets ten new backup codes; the old ones stop working', async () => {
    const user = await seedUser();
    const { secret, backupCodes } = await enrol(user.token);
    const token = await steppedUp(user, secret);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () =>
        callJson<{ backup_codes: string[] }>(200, 'POST', '/v1/me/factors/backup-codes', { token }),
      ),
    );
    expect(await factors(user)).toMatchObject({ backup_codes_left: 10 });
    const use = (code: string | undefined) =>
      call('POST', '/v1/auth/step-up', { token: user.token, body: { backup_code: code } });
    expect((await use(backupCodes[0])).status).toBe(401);
    const statuses = [];
    for (const answer of answers.slice(0, 3)) statuses.push((await use(answer.backup_codes[0])).status);
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(1);
  });

  it('has no backup codes to renew when it is not there', async () => {
    const user = await seedUser();
    const response = await call('POST', '/v1/me/factors/backup-codes', { token: user.token });
    expect(await problemOf(response)).toMatchObject({ status: 404, code: 'factors.totp_not_found' });
  });

  it('asks for a new login once five minutes have passed', async () => {
    const user = await seedUser();
    const { secret } = await enrol(user.token);
    const token = await steppedUp(user, secret);
    passSeconds(271);
    const response = await call('DELETE', '/v1/me/factors/totp', { token });
    expect(response.headers.get('www-authenticate')).toContain('insufficient_user_authentication');
    expect(await problemOf(response)).toMatchObject({ status: 401, code: 'auth.step_up_required' });
  });
});
