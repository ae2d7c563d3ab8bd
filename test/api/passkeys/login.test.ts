import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { base64Url } from '../../../src/shared/encoding.ts';
import {
  type Algorithm,
  getAssertion,
  newPasskey,
  type Odd,
  type SoftPasskey,
} from '../../support/worker/authenticator.ts';
import { call, freshAddress, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { takeMessages } from '../../support/worker/recording-queue.ts';
import { problemOf, refresh, type SignedInBody } from '../auth/accounts.ts';
import { passSeconds, restartClock, stopClock } from '../factors/enrol.ts';
import {
  answerLogin,
  claimsOf,
  countOf,
  logInWith,
  loginOptions,
  passkeyRows,
  postLogin,
  refusalsOf,
  register,
  steppedUpWith,
  stepUpOptions,
} from './passkeys.ts';

beforeEach(stopClock);
afterEach(restartClock);

async function owner(options: Parameters<typeof register>[1] = {}): Promise<{
  readonly user: TestUser;
  readonly passkey: SoftPasskey;
}> {
  const user = await seedUser();
  return { user, passkey: (await register(user.token, options)).passkey };
}

const sessionsOf = (user: TestUser) => countOf('sessions WHERE user_id = $1', [user.uuid]);

describe('asking to log in with a passkey', () => {
  it('tells a stranger nothing: the same answer whether or not anybody has one', async () => {
    const before = await loginOptions();
    await owner();
    const after = await loginOptions();
    const shape = {
      challenge_token: expect.any(String),
      expires_in: 300,
      public_key: {
        challenge: expect.stringMatching(/^[\w-]{43}$/),
        timeout: 300_000,
        rpId: 'localhost',
        allowCredentials: [],
        userVerification: 'required',
      },
    };
    expect(before).toEqual(shape);
    expect(after).toEqual(shape);
    expect(after.public_key.challenge).not.toBe(before.public_key.challenge);
  });
});

describe('logging in with a passkey', () => {
  it.each([
    [true, 'swk'],
    [false, 'hwk'],
  ])('opens a session that counts as two factors (synced: %s)', async (synced, method) => {
    const { user, passkey } = await owner({ synced });
    const signedIn = await logInWith(passkey);
    expect(signedIn.user.id).toBe(user.id);
    expect(claimsOf(signedIn.access_token)).toMatchObject({ amr: [method, 'user', 'mfa'] });
    const renewed = (await (await refresh(signedIn.refresh_token)).json()) as SignedInBody;
    expect(claimsOf(renewed.access_token)).toMatchObject({ amr: [method, 'user', 'mfa'] });
    // Routes that want a recent login by a second factor are open.
    const removal = await call('POST', '/v1/me/factors/totp', { token: signedIn.access_token });
    expect(removal.status).toBe(201);
    const [row] = await passkeyRows(user.uuid);
    expect(row).toMatchObject({ sign_count: synced ? '0' : '2' });
    expect(row?.last_used_at).not.toBeNull();
    const [audit] = await sqlRows<{ detail: Record<string, unknown> }>(
      "SELECT detail FROM audit_log WHERE target_id = $1 AND action = 'auth.login' AND outcome = 'success'",
      [user.uuid],
    );
    expect(audit?.detail).toMatchObject({ method: 'passkey' });
  });

  it('keeps its tokens in cookies where a browser app asked for that', async () => {
    const { passkey } = await owner();
    const headers = { 'x-auth-mode': 'cookie', origin: 'http://localhost:3000' };
    const response = await postLogin(await answerLogin(passkey), { headers });
    expect(response.status).toBe(200);
    expect(await response.json()).not.toHaveProperty('access_token');
    expect(response.headers.get('set-cookie')).toContain('__Host-sf_access=');
    const evil = { ...headers, origin: 'https://evil.example' };
    expect((await postLogin(await answerLogin(passkey), { headers: evil })).status).toBe(403);
  });

  it('tells the owner of a device the account was never used on', async () => {
    const { passkey } = await owner();
    const headers = {
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    };
    const told = () =>
      takeMessages()
        .filter(({ body }) => body.type === 'session.started_on_new_device')
        .map(({ body }) => body.data.device_name);
    told();
    await logInWith(passkey, { headers });
    expect(told()).toEqual(['Firefox on Linux']);
    await logInWith(passkey, { headers });
    expect(told()).toEqual([]);
  });

  const odds: [string, Odd][] = [
    ['another challenge', { challenge: base64Url(new Uint8Array(32)) }],
    ['another origin', { origin: 'https://localhost:3000' }],
    ['another relying party', { rpId: 'evil.example' }],
    ['a registration in place of an assertion', { type: 'webauthn.create' }],
    ['a page embedded in a page of another site', { crossOrigin: true }],
    ['no user verification', { userVerified: false }],
    ['no user presence', { userPresent: false }],
    ['a signature of other bytes', { tamper: (bytes) => bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte)) }],
    ['an empty ASN.1 signature', { tamper: () => Uint8Array.of(0x30, 0) }],
    ['a signature of zeros', { tamper: (bytes) => new Uint8Array(bytes.length) }],
    ['the handle of another user', { userHandle: base64Url(new Uint8Array(16)) }],
    ['no user handle', { userHandle: null }],
    ['a credential nobody registered', { credentialId: new Uint8Array(32) }],
  ]; // biome-ignore format: one a line
  it.each(odds)('refuses %s', async (_, odd) => {
    for (const algorithm of ['ES256', 'EdDSA'] as Algorithm[]) {
      const { user, passkey } = await owner({ algorithm });
      const problem = await problemOf(await postLogin(await answerLogin(passkey, odd)));
      expect(problem).toMatchObject({ status: 401, code: 'passkeys.assertion_invalid' });
      expect(await sessionsOf(user)).toBe(1);
      expect((await logInWith(passkey)).user.id).toBe(user.id);
    }
  });

  it('gives an unknown credential and a wrong signature the same answer', async () => {
    const { passkey } = await owner();
    const bodies = [
      await answerLogin(await newPasskey()),
      await answerLogin(passkey, { tamper: (bytes) => bytes.toReversed() }),
    ];
    const answers = [];
    for (const body of bodies) {
      const { request_id: _, ...rest } = (await (await postLogin(body)).json()) as Record<string, unknown>;
      answers.push(rest);
    }
    expect(answers[0]).toEqual(answers[1]);
  });

  it('refuses the key of another account under this account’s credential', async () => {
    const [ada, eve] = [await owner(), await owner()];
    const { challenge_token, public_key } = await loginOptions();
    const forged = await getAssertion(eve.passkey, public_key, {
      credentialId: ada.passkey.credentialId,
      userHandle: ada.passkey.userHandle,
    });
    expect((await postLogin({ challenge_token, credential: forged })).status).toBe(401);
    expect(await sessionsOf(ada.user)).toBe(1);
  });

  it('takes a challenge once: an assertion shown again opens nothing, nor does another to the same challenge', async () => {
    const { user, passkey } = await owner({ synced: true });
    const { challenge_token, public_key } = await loginOptions();
    const body = { challenge_token, credential: await getAssertion(passkey, public_key) };
    expect((await postLogin(body)).status).toBe(200);
    expect(await problemOf(await postLogin(body))).toMatchObject({ code: 'passkeys.assertion_invalid' });
    const second = { challenge_token, credential: await getAssertion(passkey, public_key) };
    expect((await postLogin(second)).status).toBe(401);
    expect(await sessionsOf(user)).toBe(2);
    expect(await refusalsOf(user.uuid, 'auth.login')).toEqual(['used_challenge', 'used_challenge']);
  });

  it('opens one session of twenty that show one assertion at once', async () => {
    const { user, passkey } = await owner({ synced: true });
    const body = await answerLogin(passkey);
    const ip = freshAddress();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => postLogin(body, index % 2 === 0 ? {} : { ip })),
    );
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    expect(await sessionsOf(user)).toBe(2);
    expect(await countOf('used_passkey_challenges')).toBeGreaterThan(0);
  });

  it('forgets a challenge after five minutes', async () => {
    const { passkey } = await owner();
    const body = await answerLogin(passkey);
    passSeconds(306);
    expect(await problemOf(await postLogin(body))).toMatchObject({ code: 'passkeys.assertion_invalid' });
  });

  it('takes no challenge that was given for something else, and no token of another kind', async () => {
    const { user, passkey } = await owner();
    const { access_token } = await logInWith(passkey);
    const { challenge_token, public_key } = await stepUpOptions(access_token);
    const credential = await getAssertion(passkey, public_key);
    expect((await postLogin({ challenge_token, credential })).status).toBe(401);
    expect((await postLogin({ challenge_token: access_token, credential })).status).toBe(401);
    expect(await sessionsOf(user)).toBe(2);
    await steppedUpWith(access_token, passkey);
  });

  it('refuses an authenticator whose count went back, and tells its owner', async () => {
    const { user, passkey } = await owner({ signCount: 40 });
    await logInWith(passkey);
    for (const signCount of [41, 7, 0]) {
      const body = await answerLogin(passkey, { signCount });
      expect(await problemOf(await postLogin(body))).toMatchObject({
        status: 401,
        code: 'passkeys.assertion_invalid',
      });
    }
    expect(await refusalsOf(user.uuid, 'auth.login')).toEqual(['cloned', 'cloned', 'cloned']);
    expect(await passkeyRows(user.uuid)).toMatchObject([{ sign_count: '41' }]);
    expect(await sessionsOf(user)).toBe(2);
    passkey.signCount = 100;
    await logInWith(passkey);
  });

  it('is not fooled into crying wolf by who does not have the key', async () => {
    const { user, passkey } = await owner({ signCount: 40 });
    const body = await answerLogin(passkey, { signCount: 3, tamper: (bytes) => bytes.toReversed() });
    expect((await postLogin(body)).status).toBe(401);
    expect(await refusalsOf(user.uuid, 'auth.login')).toEqual(['assertion_invalid']);
  });

  it.each([
    ['suspended', 'auth.account_suspended'],
    ['deactivated', 'auth.account_deactivated'],
  ])('tells the owner of a %s account so, and nobody else', async (status, code) => {
    const { user, passkey } = await owner();
    await sqlRows('UPDATE users SET status = $2 WHERE id = $1', [user.uuid, status]);
    const tampered = await answerLogin(passkey, { tamper: (bytes) => bytes.toReversed() });
    expect(await problemOf(await postLogin(tampered))).toMatchObject({ code: 'passkeys.assertion_invalid' });
    expect(await problemOf(await postLogin(await answerLogin(passkey)))).toMatchObject({ status: 403, code });
    expect(await sessionsOf(user)).toBe(1);
  });

  it('slows failures down from a network the account was never used from, not from one it was', async () => {
    const { passkey } = await owner();
    const [home, away] = [freshAddress(), freshAddress()];
    await logInWith(passkey, { ip: home });
    const statuses = [];
    for (let attempt = 0; attempt < 6; attempt += 1) {
      const body = await answerLogin(passkey, { tamper: (bytes) => bytes.toReversed() });
      statuses.push((await postLogin(body, { ip: away })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    const right = await answerLogin(passkey);
    expect(await problemOf(await postLogin(right, { ip: away }))).toMatchObject({
      code: 'auth.too_many_failures',
    });
    await logInWith(passkey, { ip: home });
  });

  it('answers what is no credential with 4xx, however large', async () => {
    const { passkey } = await owner();
    const good = await answerLogin(passkey);
    const withResponse = (response: Record<string, unknown>) => ({
      ...good,
      credential: { ...good.credential, response: { ...good.credential.response, ...response } },
    });
    for (const body of [
      {},
      { ...good, extra: 1 },
      { ...good, credential: [] },
      { ...good, challenge_token: 'x'.repeat(3_000) },
      { ...good, credential: { ...good.credential, id: 'x'.repeat(1_400) } },
      { ...good, credential: { ...good.credential, type: 'password' } },
      { ...good, credential: { ...good.credential, id: 'A' } },
      withResponse({ signature: 'A'.repeat(10_000) }),
      withResponse({ authenticatorData: 'AAAA' }),
      withResponse({ authenticatorData: null }),
      withResponse({ clientDataJSON: 'e30' }),
      withResponse({ clientDataJSON: '!' }),
      withResponse({ userHandle: 'A'.repeat(200) }),
    ]) {
      const response = await postLogin(body);
      expect([401, 422], JSON.stringify(body).slice(0, 200)).toContain(response.status);
    }
  });
});

describe('opening a closed account with a passkey', () => {
  const statusOf = async (user: TestUser) =>
    (await sqlRows('SELECT status, deletion_due_at AS due FROM users WHERE id = $1', [user.uuid]))[0];
  const close = (user: TestUser) =>
    sqlRows(
      "UPDATE users SET status = 'deactivated', deactivated_at = now(), deletion_due_at = now() + interval '30 days' WHERE id = $1",
      [user.uuid],
    );
  const reactivate = (body: unknown) => call('POST', '/v1/auth/passkeys/reactivate', { body });

  it('calls its deletion off once, without any password, and signs nobody in', async () => {
    const { user, passkey } = await owner();
    const closing = await call('POST', '/v1/me/deactivation', {
      token: await steppedUpWith(user.token, passkey),
    });
    expect(closing.status).toBe(204);
    await close(user);
    expect((await postLogin(await answerLogin(passkey))).status).toBe(403);
    const before = await sessionsOf(user);
    const body = await answerLogin(passkey);
    const answers = await Promise.all(Array.from({ length: 5 }, () => reactivate(body)));
    const opened = answers.filter(({ status }) => status === 200);
    const told = await Promise.all(opened.map((answer) => answer.json()));
    expect(
      told.filter((answer) => (answer as { deletion_cancelled: boolean }).deletion_cancelled),
    ).toHaveLength(1);
    expect(await statusOf(user)).toEqual({ status: 'active', due: null });
    expect(await sessionsOf(user)).toBe(before);
    expect((await logInWith(passkey)).user.id).toBe(user.id);
    await close(user);
    expect((await reactivate(body)).status).toBe(401);
    expect(await statusOf(user)).toMatchObject({ status: 'deactivated' });
  });

  it('is refused to the passkey of another account, for a challenge of another purpose, and while suspended', async () => {
    const [{ user, passkey }, other] = [await owner(), await owner()];
    const token = await steppedUpWith(user.token, passkey);
    const stepUp = await stepUpOptions(token);
    await close(user);
    const wrongPurpose = {
      challenge_token: stepUp.challenge_token,
      credential: await getAssertion(passkey, stepUp.public_key),
    };
    expect((await problemOf(await reactivate(wrongPurpose))).code).toBe('passkeys.assertion_invalid');
    expect((await reactivate(await answerLogin(other.passkey))).status).toBe(200);
    expect(await statusOf(user)).toMatchObject({ status: 'deactivated' });
    await sqlRows("UPDATE users SET status = 'suspended' WHERE id = $1", [user.uuid]);
    expect((await problemOf(await reactivate(await answerLogin(passkey)))).code).toBe(
      'auth.account_suspended',
    );
  });
});
