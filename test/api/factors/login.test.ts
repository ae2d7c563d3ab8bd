import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signMfaToken } from '../../../src/modules/auth/usecases/mfa-token.ts';
import { finishLogin } from '../../../src/modules/auth/usecases/second-factor.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { call, freshAddress, roundTripsOf, signToken, sqlRows } from '../../support/worker/client.ts';
import { breakDatabase } from '../../support/worker/faults.ts';
import { contextOf } from '../../support/worker/films.ts';
import { logIn, password, problemOf, refresh, registerAccount, type SignedInBody } from '../auth/accounts.ts';
import {
  askForFactor,
  codeOf,
  enrol,
  nextCode,
  passSeconds,
  restartClock,
  stopClock,
  wrongCode,
} from './enrol.ts';

beforeEach(stopClock);
afterEach(restartClock);

const statusesOf = (answers: readonly Response[]) => answers.map((answer) => answer.status).toSorted();

/** An account with an authenticator, and the ways to log into it from one address. */
async function protectedAccount() {
  const registered = await registerAccount();
  const { secret, backupCodes } = await enrol(registered.access_token);
  const ip = freshAddress();
  const { username, id } = registered.user;
  const [row] = await sqlRows<{ id: string }>('SELECT id FROM users WHERE username = $1', [username]);
  return {
    username,
    id,
    uuid: row?.id ?? '',
    secret,
    backupCodes,
    ip,
    registered,
    ask: async (from = ip) => (await askForFactor(username, password, { ip: from })).mfa_token,
    finish: (mfa_token: string, proof: Record<string, unknown>, from = ip) =>
      call('POST', '/v1/auth/mfa', { ip: from, body: { mfa_token, ...proof } }),
  };
}

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')));

describe('logging into an account with a second factor', () => {
  it('gives no tokens for the password, and all for password and code, in two round trips each', async () => {
    const account = await protectedAccount();
    const first = await logIn(account.username, password, { ip: account.ip });
    expect(first.status).toBe(200);
    expect(await roundTripsOf(first)).toMatchObject({ roundTrips: 2 });
    const asked = (await first.json()) as { mfa_token: string };
    expect(asked).toEqual({
      mfa_required: true,
      mfa_token: expect.any(String),
      expires_in: 300,
      factors: ['totp', 'backup_code'],
    });
    const second = await account.finish(asked.mfa_token, { code: await codeOf(account.secret) });
    expect(second.status).toBe(200);
    expect(await roundTripsOf(second)).toMatchObject({ roundTrips: 2 });
    const signedIn = (await second.json()) as SignedInBody;
    expect(signedIn.user.id).toBe(account.id);
    expect(claimsOf(signedIn.access_token)).toMatchObject({ amr: ['pwd', 'otp'] });
    const renewed = (await (await refresh(signedIn.refresh_token)).json()) as SignedInBody;
    expect(claimsOf(renewed.access_token)).toMatchObject({ amr: ['pwd', 'otp'] });
  });

  it('says nothing about the second factor to who does not know the password', async () => {
    const account = await protectedAccount();
    const { request_id: _, ...wrong } = (await (
      await logIn(account.username, 'not the password')
    ).json()) as Record<string, unknown>;
    const { request_id: __, ...unknown } = (await (await logIn('nobody_at_all')).json()) as Record<
      string,
      unknown
    >;
    expect(wrong).toEqual(unknown);
  });

  it('takes each code once: shown again it is refused, in the same login or another', async () => {
    const account = await protectedAccount();
    const code = await codeOf(account.secret);
    expect((await account.finish(await account.ask(), { code })).status).toBe(200);
    expect(await problemOf(await account.finish(await account.ask(), { code }))).toMatchObject({
      status: 401,
      code: 'auth.mfa_code_invalid',
    });
    const earlier = await codeOf(account.secret, -1);
    expect((await account.finish(await account.ask(), { code: earlier })).status).toBe(401);
    nextCode();
    expect((await account.finish(await account.ask(), { code: await codeOf(account.secret) })).status).toBe(
      200,
    );
  });

  it('takes a code once of twenty logins that show it at once', async () => {
    const account = await protectedAccount();
    await sqlRows('DELETE FROM login_networks WHERE user_id = $1', [account.uuid]);
    const ctx = contextOf();
    const tokens = [];
    // Challenges as twenty logins would have made them, without twenty password hashes.
    const first = await account.ask();
    const net = String(claimsOf(first).net);
    for (let index = 0; index < 20; index += 1) {
      const challengeId = randomIds.next();
      await sqlRows(
        `INSERT INTO mfa_challenges (id, user_id, password_fingerprint, created_at, expires_at)
         SELECT $1, user_id, password_fingerprint, created_at, expires_at FROM mfa_challenges WHERE user_id = $2 LIMIT 1`,
        [challengeId, account.uuid],
      );
      tokens.push(
        await signMfaToken(
          ctx.config.auth,
          { challengeId, userId: account.uuid, networkHash: net },
          Math.floor(Date.now() / 1000),
        ),
      );
    }
    const code = await codeOf(account.secret);
    const lenient = contextOf({ settings: { RATE_LIMITS_ENABLED: 'false' } });
    const results = await Promise.allSettled(
      tokens.map((mfaToken) =>
        finishLogin({ ...lenient, ip: account.ip }, { mfaToken, given: { kind: 'totp', code } }),
      ),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'auth.mfa_code_invalid' });
  });

  it('takes clocks that lag one step, and none that lag more or run ahead', async () => {
    const account = await protectedAccount();
    passSeconds(300);
    for (const offset of [-2, 1, 2]) {
      const token = await account.ask();
      const response = await account.finish(token, { code: await codeOf(account.secret, offset) });
      expect(response.status, String(offset)).toBe(401);
    }
    const response = await account.finish(await account.ask(), { code: await codeOf(account.secret, -1) });
    expect(response.status).toBe(200);
  });

  it('takes a backup code once, however it is typed, and counts what is left', async () => {
    const account = await protectedAccount();
    const [backup_code = ''] = account.backupCodes;
    const typed = backup_code.toUpperCase().replaceAll('-', ' ');
    const first = await account.finish(await account.ask(), { backup_code: typed });
    expect(first.status).toBe(200);
    const { access_token } = (await first.json()) as SignedInBody;
    expect((await account.finish(await account.ask(), { backup_code })).status).toBe(401);
    const factors = await call('GET', '/v1/me/factors', { token: access_token });
    expect(await factors.json()).toMatchObject({ backup_codes_left: 9 });
  });

  it('takes a token once, and two codes that race for it cost one', async () => {
    const account = await protectedAccount();
    const token = await account.ask();
    const answers = await Promise.all(
      account.backupCodes.slice(0, 3).map((backup_code) => account.finish(token, { backup_code })),
    );
    expect(statusesOf(answers)).toEqual([200, 401, 401]);
    const [{ left } = { left: 0 }] = await sqlRows<{ left: number }>(
      'SELECT count(*)::int AS left FROM backup_codes WHERE user_id = $1 AND used_at IS NULL',
      [account.uuid],
    );
    expect(left).toBe(9);
    expect(
      await problemOf(await account.finish(token, { code: await codeOf(account.secret) })),
    ).toMatchObject({
      code: 'auth.mfa_token_invalid',
    });
  });

  it('ends a token after five wrong codes, even for the right one', async () => {
    const account = await protectedAccount();
    const token = await account.ask();
    await sqlRows('UPDATE mfa_challenges SET attempts = 4 WHERE user_id = $1', [account.uuid]);
    const wrong = await account.finish(token, { code: await wrongCode(account.secret) });
    expect(await problemOf(wrong)).toMatchObject({ status: 401, code: 'auth.mfa_code_invalid' });
    const right = await account.finish(token, { code: await codeOf(account.secret) });
    expect(await problemOf(right)).toMatchObject({ status: 401, code: 'auth.mfa_token_invalid' });
  });

  it('limits wrong codes of an account over all its logins, and lets its own network go on', async () => {
    const account = await protectedAccount();
    const home = freshAddress();
    expect(
      (await account.finish(await account.ask(home), { code: await codeOf(account.secret) }, home)).status,
    ).toBe(200);
    nextCode();
    const code = await wrongCode(account.secret);
    const statuses = [];
    for (let index = 0; index < 6; index += 1) {
      const ip = freshAddress();
      statuses.push((await account.finish(await account.ask(ip), { code }, ip)).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    const answer = await account.finish(
      await account.ask(home),
      { code: await codeOf(account.secret) },
      home,
    );
    expect(answer.status).toBe(200);
  });

  it('refuses a token from another network, after five minutes, and after a password change', async () => {
    const account = await protectedAccount();
    const code = await codeOf(account.secret);
    const elsewhere = await account.finish(await account.ask(), { code }, freshAddress());
    expect(await problemOf(elsewhere)).toMatchObject({ status: 401, code: 'auth.mfa_token_invalid' });
    const late = await account.ask();
    passSeconds(301);
    expect(await problemOf(await account.finish(late, { code: await codeOf(account.secret) }))).toMatchObject(
      {
        code: 'auth.mfa_token_invalid',
      },
    );
    const overtaken = await account.ask();
    await sqlRows("UPDATE users SET password_hash = password_hash || 'x' WHERE username = $1", [
      account.username,
    ]);
    expect((await account.finish(overtaken, { code: await codeOf(account.secret) })).status).toBe(401);
  });

  it("refuses another account's code, and a token whose account was changed", async () => {
    const [ada, eve] = [await protectedAccount(), await protectedAccount()];
    const token = await ada.ask();
    expect((await ada.finish(token, { code: await codeOf(eve.secret) })).status).toBe(401);
    expect((await ada.finish(token, { backup_code: eve.backupCodes[0] })).status).toBe(401);
    const claims = claimsOf(token);
    const forged = await signMfaToken(
      contextOf().config.auth,
      { challengeId: String(claims.jti), userId: eve.uuid, networkHash: String(claims.net) },
      Math.floor(Date.now() / 1000),
    );
    expect(await problemOf(await ada.finish(forged, { code: await codeOf(eve.secret) }))).toMatchObject({
      code: 'auth.mfa_token_invalid',
    });
  });

  it('keeps the kinds of token apart', async () => {
    const account = await protectedAccount();
    const token = await account.ask();
    expect((await call('GET', '/v1/me', { token })).status).toBe(401);
    expect((await refresh(token.slice(0, 256))).status).toBe(401);
    const code = await codeOf(account.secret);
    const { registered } = account;
    const access = await signToken({
      userUuid: account.uuid,
      sessionUuid: randomIds.next(),
      claims: { jti: String(claimsOf(token).jti), net: String(claimsOf(token).net) },
    });
    const [head, , signature] = token.split('.');
    const forged = [
      registered.access_token,
      registered.refresh_token,
      access,
      'x',
      `${head}.${btoa('{}')}.${signature}`,
      `${btoa('{"alg":"none","typ":"mfa+jwt"}').replaceAll('=', '')}.${token.split('.')[1]}.`,
    ];
    for (const mfaToken of forged)
      expect(await problemOf(await account.finish(mfaToken, { code }))).toMatchObject({
        status: 401,
        code: 'auth.mfa_token_invalid',
      });
    expect((await account.finish(token, { code })).status).toBe(200);
  });

  it('asks no more once the authenticator is removed', async () => {
    const account = await protectedAccount();
    await sqlRows('DELETE FROM totp_factors WHERE user_id = $1', [account.uuid]);
    expect((await (await logIn(account.username)).json()) as object).toHaveProperty('access_token');
  });

  it.each([
    ['no code', {}],
    ['two codes', { code: '123456', backup_code: 'x' }],
    ['a code of letters', { code: 'abcdef' }],
    ['an unknown field', { code: '123456', password: 'x' }],
  ])('refuses %s', async (_, body) => {
    const response = await call('POST', '/v1/auth/mfa', { body: { mfa_token: 'x', ...body } });
    expect(await problemOf(response)).toMatchObject({ status: 422, code: 'request.invalid' });
  });

  it('opens nothing when the database is lost, and the code still works after', async () => {
    const account = await protectedAccount();
    const token = await account.ask();
    const code = await codeOf(account.secret);
    await breakDatabase({ mode: 'down' });
    const lost = await account.finish(token, { code });
    await breakDatabase({ mode: 'none' });
    expect(lost.status).toBe(503);
    expect((await account.finish(token, { code })).status).toBe(200);
  });

  it('writes refused and finished logins to the audit log', async () => {
    const account = await protectedAccount();
    const token = await account.ask();
    await account.finish(token, { code: await wrongCode(account.secret) });
    await account.finish(token, { code: await codeOf(account.secret) });
    const rows = await sqlRows<{ action: string; outcome: string; detail: Record<string, unknown> }>(
      `SELECT action, outcome, detail FROM audit_log WHERE target_id = $1 AND action LIKE 'auth.%' ORDER BY created_at DESC LIMIT 3`,
      [account.uuid],
    );
    expect(rows.map(({ action, outcome }) => `${action} ${outcome}`).toReversed()).toEqual([
      'auth.second_factor_asked success',
      'auth.second_factor failure',
      'auth.login success',
    ]);
    expect(rows[0]?.detail).toMatchObject({ second_factor: 'totp' });
  });
});
