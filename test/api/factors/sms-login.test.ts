import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, freshAddress, sqlRows } from '../../support/worker/client.ts';
import { logIn, password, problemOf, registerAccount, type SignedInBody } from '../auth/accounts.ts';
import { askForFactor, codeOf, enrol, passSeconds, restartClock, stopClock } from './enrol.ts';
import { lastCodeTo, messagesTo, otherThan, provePhone, steppedUp } from './phones.ts';

beforeEach(stopClock);
afterEach(restartClock);

/** An account with an authenticator and a number, and the ways to log into it from one address. */
async function account() {
  const registered = await registerAccount();
  const { secret } = await enrol(registered.access_token);
  const token = await steppedUp(registered.access_token, secret);
  const number = await provePhone(token);
  const { username } = registered.user;
  const [row] = await sqlRows<{ id: string }>('SELECT id FROM users WHERE username = $1', [username]);
  const ip = freshAddress();
  return {
    username,
    uuid: row?.id ?? '',
    secret,
    token,
    number,
    ip,
    ask: async () => (await askForFactor(username, password, { ip })).mfa_token,
    send: (mfa_token: string, from = ip) =>
      call('POST', '/v1/auth/mfa/sms', { ip: from, body: { mfa_token } }),
    finish: (mfa_token: string, sms_code: string, from = ip) =>
      call('POST', '/v1/auth/mfa', { ip: from, body: { mfa_token, sms_code } }),
  };
}

const sessionsOf = async (uuid: string): Promise<number> =>
  (await sqlRows('SELECT id FROM sessions WHERE user_id = $1', [uuid])).length;

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')));

describe('finishing a login by SMS', () => {
  it('is offered, sends a code when asked, and signs in by method sms', async () => {
    const ada = await account();
    const asked = await askForFactor(ada.username, password, { ip: ada.ip });
    expect(asked.factors).toEqual(['totp', 'sms', 'backup_code']);
    expect(await messagesTo(ada.number)).toHaveLength(1);
    const sent = await ada.send(asked.mfa_token);
    expect(sent.status).toBe(202);
    expect(await sent.json()).toEqual({ expires_in: 600, last_digits: ada.number.slice(-2) });
    const answer = await ada.finish(asked.mfa_token, await lastCodeTo(ada.number));
    expect(answer.status).toBe(200);
    const { access_token } = (await answer.json()) as SignedInBody;
    expect(claimsOf(access_token).amr).toEqual(['pwd', 'sms']);
    const [row] = await sqlRows<{ detail: Record<string, unknown> }>(
      `SELECT detail FROM audit_log WHERE target_id = $1 AND action = 'auth.login' ORDER BY created_at DESC LIMIT 1`,
      [ada.uuid],
    );
    expect(row?.detail).toMatchObject({ second_factor: 'sms' });
  });

  it('takes a code once, of four at once too', async () => {
    const ada = await account();
    const token = await ada.ask();
    await ada.send(token);
    const code = await lastCodeTo(ada.number);
    const before = await sessionsOf(ada.uuid);
    const answers = await Promise.all(Array.from({ length: 4 }, () => ada.finish(token, code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await sessionsOf(ada.uuid)).toBe(before + 1);
    expect((await ada.finish(token, code)).status).toBe(401);
    const elsewhere = freshAddress();
    const { mfa_token } = await askForFactor(ada.username, password, { ip: elsewhere });
    expect(await problemOf(await ada.finish(mfa_token, code, elsewhere))).toMatchObject({
      code: 'auth.mfa_code_invalid',
    });
  });

  it('binds a code to its login: of two at once, each takes its own only', async () => {
    const ada = await account();
    const [first, second] = [await ada.ask(), await ada.ask()];
    await ada.send(first);
    const code = await lastCodeTo(ada.number);
    expect((await ada.finish(second, code)).status).toBe(401);
    await ada.send(second);
    expect((await ada.finish(first, code)).status).toBe(200);
    expect((await ada.finish(second, await lastCodeTo(ada.number))).status).toBe(200);
  });

  it('voids the code before when another is sent', async () => {
    const ada = await account();
    const token = await ada.ask();
    await ada.send(token);
    const first = await lastCodeTo(ada.number);
    await ada.send(token);
    const second = await lastCodeTo(ada.number);
    if (first !== second) expect((await ada.finish(token, first)).status).toBe(401);
    expect((await ada.finish(token, second)).status).toBe(200);
  });

  it('ends a login after five wrong codes, and sends none for it then', async () => {
    const ada = await account();
    const token = await ada.ask();
    await ada.send(token);
    const code = await lastCodeTo(ada.number);
    const before = await sessionsOf(ada.uuid);
    for (let attempt = 0; attempt < 5; attempt += 1)
      expect((await ada.finish(token, otherThan(code))).status).toBe(401);
    expect(await problemOf(await ada.finish(token, code))).toMatchObject({ code: 'auth.mfa_token_invalid' });
    expect(await problemOf(await ada.send(token))).toMatchObject({ code: 'auth.mfa_token_invalid' });
    expect(await messagesTo(ada.number)).toHaveLength(2);
    expect(await sessionsOf(ada.uuid)).toBe(before);
  });

  it('sends nothing for a token that is forged, used, late or from elsewhere', async () => {
    const ada = await account();
    const token = await ada.ask();
    const elsewhere = await ada.send(token, freshAddress());
    expect(await problemOf(elsewhere)).toMatchObject({ status: 401, code: 'auth.mfa_token_invalid' });
    for (const forged of ['x', ada.token, `${token.slice(0, -6)}AAAAAA`])
      expect((await ada.send(forged)).status).toBe(401);
    const code = await codeOf(ada.secret);
    expect(
      (await call('POST', '/v1/auth/mfa', { ip: ada.ip, body: { mfa_token: token, code } })).status,
    ).toBe(200);
    expect((await ada.send(token)).status).toBe(401);
    const late = await ada.ask();
    passSeconds(301);
    expect((await ada.send(late)).status).toBe(401);
    expect(await messagesTo(ada.number)).toHaveLength(1);
  });

  it('tells nothing before the password is right', async () => {
    const [ada, plain] = [await account(), await registerAccount()];
    const wrong = [
      await logIn(ada.username, 'not the password'),
      await logIn(plain.user.username, 'not the password'),
      await logIn('nobody_of_that_name', 'not the password'),
    ];
    const bodies = await Promise.all(wrong.map(async (answer) => problemOf(answer)));
    for (const body of bodies) expect(body).toMatchObject({ status: 401, code: 'auth.invalid_credentials' });
  });

  it('is neither offered nor done for an account without a number', async () => {
    const registered = await registerAccount();
    await enrol(registered.access_token);
    const ip = freshAddress();
    const asked = await askForFactor(registered.user.username, password, { ip });
    expect(asked.factors).toEqual(['totp', 'backup_code']);
    const body = { mfa_token: asked.mfa_token };
    expect(await problemOf(await call('POST', '/v1/auth/mfa/sms', { ip, body }))).toMatchObject({
      status: 409,
      code: 'factors.sms_not_set_up',
    });
    const guess = await call('POST', '/v1/auth/mfa', { ip, body: { ...body, sms_code: '000000' } });
    expect(await problemOf(guess)).toMatchObject({ status: 401, code: 'auth.mfa_code_invalid' });
  });

  it('limits wrong codes over all logins of the account', async () => {
    const ada = await account();
    const token = await ada.ask();
    for (let attempt = 0; attempt < 5; attempt += 1)
      expect((await ada.finish(token, '000000')).status).toBe(401);
    const elsewhere = freshAddress();
    const { mfa_token } = await askForFactor(ada.username, password, { ip: elsewhere });
    expect(await problemOf(await ada.finish(mfa_token, '000000', elsewhere))).toMatchObject({
      status: 429,
      code: 'auth.too_many_failures',
    });
  });
});

describe('stepping up by SMS', () => {
  it('opens routes that need a second factor, once, in the session that asked', async () => {
    const ada = await account();
    const sent = await call('POST', '/v1/auth/step-up/sms', { token: ada.token });
    expect(sent.status).toBe(202);
    const sms_code = await lastCodeTo(ada.number);
    const token = await ada.ask();
    const other = await call('POST', '/v1/auth/mfa', {
      ip: ada.ip,
      body: { mfa_token: token, code: await codeOf(ada.secret) },
    });
    const { access_token: elsewhere } = (await other.json()) as SignedInBody;
    const stolen = await call('POST', '/v1/auth/step-up', { token: elsewhere, body: { sms_code } });
    expect(stolen.status).toBe(401);
    const stepped = await call('POST', '/v1/auth/step-up', { token: ada.token, body: { sms_code } });
    expect(stepped.status).toBe(200);
    const { access_token } = (await stepped.json()) as { access_token: string };
    expect(claimsOf(access_token).amr).toContain('sms');
    const replay = await call('POST', '/v1/auth/step-up', { token: ada.token, body: { sms_code } });
    expect(await problemOf(replay)).toMatchObject({ status: 401, code: 'auth.mfa_code_invalid' });
  });

  it('sends nothing to strangers', async () => {
    expect((await call('POST', '/v1/auth/step-up/sms')).status).toBe(401);
  });
});
