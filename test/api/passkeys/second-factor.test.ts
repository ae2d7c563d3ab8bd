import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { getAssertion, type Odd, type SoftPasskey } from '../../support/worker/authenticator.ts';
import { call, callJson, freshAddress, sqlRows } from '../../support/worker/client.ts';
import { logIn, password, problemOf, registerAccount, type SignedInBody } from '../auth/accounts.ts';
import { askForFactor, codeOf, enrol, type MfaRequired, restartClock, stopClock } from '../factors/enrol.ts';
import {
  type AssertionOptions,
  claimsOf,
  countOf,
  loginOptions,
  passkeyRows,
  refusalsOf,
  register,
  steppedUpWith,
  stepUpOptions,
  uuidOf,
} from './passkeys.ts';

beforeEach(stopClock);
afterEach(restartClock);

/** An account with a password and a passkey, and the ways to log into it from one address. */
async function protectedAccount(options: Parameters<typeof register>[1] = {}) {
  const registered = await registerAccount();
  const { username } = registered.user;
  const { passkey, id, backupCodes } = await register(registered.access_token, options);
  const ip = freshAddress();
  const optionsFor = (mfa_token: string) =>
    callJson<AssertionOptions>(200, 'POST', '/v1/auth/passkeys/mfa/options', { ip, body: { mfa_token } });
  return {
    username,
    uuid: await uuidOf(username),
    token: registered.access_token,
    passkey,
    passkeyId: id,
    backupCodes: backupCodes ?? [],
    ip,
    ask: (): Promise<MfaRequired> => askForFactor(username, password, { ip }),
    optionsFor,
    answer: async (mfa_token: string, by: SoftPasskey = passkey, odd: Odd = {}) => {
      const { challenge_token, public_key } = await optionsFor(mfa_token);
      return { mfa_token, challenge_token, credential: await getAssertion(by, public_key, odd) };
    },
    finish: (body: unknown, from = ip) => call('POST', '/v1/auth/passkeys/mfa', { ip: from, body }),
  };
}

const stepUp = (token: string, body: unknown) => call('POST', '/v1/auth/passkeys/step-up', { token, body });

describe('a login by password into an account with a passkey', () => {
  it.each([
    [true, 'swk'],
    [false, 'hwk'],
  ])('owes a second factor, and the passkey is one (synced: %s)', async (synced, method) => {
    const account = await protectedAccount({ synced });
    const asked = await account.ask();
    expect(asked.factors).toEqual(['passkey', 'backup_code']);
    const options = await account.optionsFor(asked.mfa_token);
    expect(options.public_key.allowCredentials).toHaveLength(1);
    const response = await account.finish(await account.answer(asked.mfa_token));
    expect(response.status).toBe(200);
    const signedIn = (await response.json()) as SignedInBody;
    expect(signedIn.user.username).toBe(account.username);
    expect(claimsOf(signedIn.access_token)).toMatchObject({ amr: ['pwd', method] });
  });

  it('takes a backup code in place of the passkey, once', async () => {
    const account = await protectedAccount();
    const use = async () =>
      call('POST', '/v1/auth/mfa', {
        ip: account.ip,
        body: { mfa_token: (await account.ask()).mfa_token, backup_code: account.backupCodes[0] },
      });
    expect((await use()).status).toBe(200);
    expect(await problemOf(await use())).toMatchObject({ code: 'auth.mfa_code_invalid' });
  });

  it('takes no code of an app the account does not have', async () => {
    const account = await protectedAccount();
    const { mfa_token } = await account.ask();
    const body = { mfa_token, code: '123456' };
    const response = await call('POST', '/v1/auth/mfa', { ip: account.ip, body });
    expect(await problemOf(response)).toMatchObject({ status: 401, code: 'auth.mfa_code_invalid' });
  });

  it('tells the passkeys only to who gave the password, from the same network', async () => {
    const account = await protectedAccount();
    const { mfa_token } = await account.ask();
    for (const [body, ip] of [
      [{ mfa_token }, freshAddress()],
      [{ mfa_token: 'x.y.z' }, account.ip],
      [{ mfa_token: account.token }, account.ip],
    ] as const) {
      const response = await call('POST', '/v1/auth/passkeys/mfa/options', { ip, body });
      expect(await problemOf(response)).toMatchObject({ status: 401, code: 'auth.mfa_token_invalid' });
    }
  });

  it('has no passkeys to offer for an account with an app only', async () => {
    const registered = await registerAccount();
    await enrol(registered.access_token);
    const ip = freshAddress();
    const { mfa_token, factors } = await askForFactor(registered.user.username, password, { ip });
    expect(factors).toEqual(['totp', 'backup_code']);
    const response = await call('POST', '/v1/auth/passkeys/mfa/options', { ip, body: { mfa_token } });
    expect(await problemOf(response)).toMatchObject({ status: 404, code: 'passkeys.not_found' });
  });

  it('offers every factor of an account that has several', async () => {
    const account = await protectedAccount();
    const token = await steppedUpWith(account.token, account.passkey);
    const { secret } = await enrol(token);
    expect((await account.ask()).factors).toEqual(['totp', 'passkey', 'backup_code']);
    const { mfa_token } = await account.ask();
    const body = { mfa_token, code: await codeOf(secret) };
    expect((await call('POST', '/v1/auth/mfa', { ip: account.ip, body })).status).toBe(200);
    expect((await account.finish(await account.answer((await account.ask()).mfa_token))).status).toBe(200);
  });

  it('refuses the passkey of another account, though its signature is right', async () => {
    const [ada, eve] = [await protectedAccount(), await protectedAccount()];
    const body = await ada.answer((await ada.ask()).mfa_token, eve.passkey);
    expect(await problemOf(await ada.finish(body))).toMatchObject({
      status: 401,
      code: 'passkeys.assertion_invalid',
    });
    expect(await refusalsOf(ada.uuid, 'auth.second_factor')).toEqual(['other_account']);
  });

  it('refuses a challenge of another login, of the passwordless login, and an assertion without verification', async () => {
    const account = await protectedAccount({ synced: true });
    const [first, second] = [await account.ask(), await account.ask()];
    const ofFirst = await account.answer(first.mfa_token);
    expect((await account.finish({ ...ofFirst, mfa_token: second.mfa_token })).status).toBe(401);
    const anonymous = await loginOptions();
    const ofAnonymous = {
      mfa_token: second.mfa_token,
      challenge_token: anonymous.challenge_token,
      credential: await getAssertion(account.passkey, anonymous.public_key),
    };
    expect((await account.finish(ofAnonymous)).status).toBe(401);
    const unverified = await account.answer(second.mfa_token, account.passkey, { userVerified: false });
    expect((await account.finish(unverified)).status).toBe(401);
    expect(await countOf('sessions WHERE user_id = $1', [account.uuid])).toBe(1);
    // The challenge of the first login is its own still.
    expect((await account.finish(ofFirst)).status).toBe(200);
  });

  it('ends after five failures', async () => {
    const account = await protectedAccount();
    const { mfa_token } = await account.ask();
    const right = await account.answer(mfa_token);
    for (let attempt = 0; attempt < 5; attempt += 1)
      await account.finish({ ...right, challenge_token: 'x.y.z' });
    expect((await account.finish(right)).status).not.toBe(200);
    expect(await countOf('sessions WHERE user_id = $1', [account.uuid])).toBe(1);
  });

  it('opens one session of twenty that show one assertion at once', async () => {
    const account = await protectedAccount({ synced: true });
    const { mfa_token } = await account.ask();
    const body = await account.answer(mfa_token);
    const answers = await Promise.all(Array.from({ length: 20 }, () => account.finish(body)));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    expect(await countOf('sessions WHERE user_id = $1', [account.uuid])).toBe(2);
  });

  it('is refused when the count of the authenticator went back', async () => {
    const account = await protectedAccount({ signCount: 9 });
    const { mfa_token } = await account.ask();
    const body = await account.answer(mfa_token, account.passkey, { signCount: 9 });
    expect((await account.finish(body)).status).toBe(401);
    expect(await refusalsOf(account.uuid, 'auth.second_factor')).toEqual(['cloned']);
  });

  it('says nothing of the passkey to who does not know the password', async () => {
    const account = await protectedAccount();
    const withoutId = async (response: Response) => {
      const { request_id: _, ...rest } = (await response.json()) as Record<string, unknown>;
      return rest;
    };
    expect(await withoutId(await logIn(account.username, 'not the password'))).toEqual(
      await withoutId(await logIn('nobody_at_all')),
    );
  });
});

describe('confirming that it is me with a passkey', () => {
  it('opens the routes that need it, which a password no longer does', async () => {
    const account = await protectedAccount({ synced: true });
    const removal = () => call('DELETE', `/v1/me/passkeys/${account.passkeyId}`, { token: account.token });
    expect(await problemOf(await removal())).toMatchObject({ status: 401, code: 'auth.step_up_required' });
    const byPassword = await call('POST', '/v1/auth/step-up', { token: account.token, body: { password } });
    expect(await problemOf(byPassword)).toMatchObject({ code: 'auth.second_factor_required' });
    const token = await steppedUpWith(account.token, account.passkey);
    expect(claimsOf(token)).toMatchObject({ amr: expect.arrayContaining(['pwd', 'swk']) });
    await callJson(204, 'DELETE', `/v1/me/passkeys/${account.passkeyId}`, { token });
  });

  it('is also done by a backup code', async () => {
    const account = await protectedAccount();
    const body = { backup_code: account.backupCodes[3] };
    const response = await call('POST', '/v1/auth/step-up', { token: account.token, body });
    expect(response.status).toBe(200);
  });

  it('refuses another session, another account, a used challenge, and changes nothing', async () => {
    const [ada, eve] = [await protectedAccount({ synced: true }), await protectedAccount({ synced: true })];
    const mine = await stepUpOptions(ada.token);
    const body = {
      challenge_token: mine.challenge_token,
      credential: await getAssertion(ada.passkey, mine.public_key),
    };
    const other = (await (
      await ada.finish(await ada.answer((await ada.ask()).mfa_token))
    ).json()) as SignedInBody;
    expect((await stepUp(other.access_token, body)).status).toBe(401);
    expect((await stepUp(eve.token, body)).status).toBe(401);
    const forged = { ...body, credential: await getAssertion(eve.passkey, mine.public_key) };
    const [before] = await sqlRows('SELECT auth_time, amr FROM sessions WHERE user_id = $1 ORDER BY id', [
      ada.uuid,
    ]);
    expect(await problemOf(await stepUp(ada.token, forged))).toMatchObject({
      status: 401,
      code: 'passkeys.assertion_invalid',
    });
    // The failure used the challenge up.
    expect((await stepUp(ada.token, body)).status).toBe(401);
    const [after] = await sqlRows('SELECT auth_time, amr FROM sessions WHERE user_id = $1 ORDER BY id', [
      ada.uuid,
    ]);
    expect(after).toEqual(before);
  });

  it('takes one assertion once of twenty at once', async () => {
    const account = await protectedAccount({ signCount: 5 });
    const { challenge_token, public_key } = await stepUpOptions(account.token);
    const body = { challenge_token, credential: await getAssertion(account.passkey, public_key) };
    const answers = await Promise.all(Array.from({ length: 20 }, () => stepUp(account.token, body)));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    expect(await passkeyRows(account.uuid)).toMatchObject([{ sign_count: '6' }]);
  });

  it('has nothing to offer without passkeys', async () => {
    const { access_token } = await registerAccount();
    const response = await call('POST', '/v1/auth/passkeys/step-up/options', { token: access_token });
    expect(await problemOf(response)).toMatchObject({ status: 404, code: 'passkeys.not_found' });
  });
});
