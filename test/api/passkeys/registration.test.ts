import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { base64Url } from '../../../src/shared/encoding.ts';
import {
  type Algorithm,
  type Cbor,
  cbor,
  createCredential,
  newPasskey,
  type Odd,
} from '../../support/worker/authenticator.ts';
import { call, callJson, seedUser, signToken, sqlRows } from '../../support/worker/client.ts';
import { problemOf } from '../auth/accounts.ts';
import { passSeconds, restartClock, stopClock } from '../factors/enrol.ts';
import {
  answerRegistration,
  countOf,
  logInWith,
  passkeyRows,
  postRegistration,
  type Registered,
  refusalsOf,
  register,
  registrationOptions,
  stepUpOptions,
} from './passkeys.ts';

beforeEach(stopClock);
afterEach(restartClock);

describe('starting to register a passkey', () => {
  it('asks for a discoverable, verified key of a known algorithm, and for no attestation', async () => {
    const user = await seedUser({ displayName: 'Ada' });
    const { public_key, expires_in } = await registrationOptions(user.token);
    expect(expires_in).toBe(300);
    expect(public_key).toEqual({
      rp: { id: 'localhost', name: 'Social Flow' },
      user: { id: expect.stringMatching(/^[\w-]{22}$/), name: user.username, displayName: 'Ada' },
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
      timeout: 300_000,
      excludeCredentials: [],
      authenticatorSelection: {
        residentKey: 'required',
        requireResidentKey: true,
        userVerification: 'required',
      },
      attestation: 'none',
    });
    const again = await registrationOptions(user.token);
    expect(again.public_key.challenge).not.toBe(public_key.challenge);
    expect(again.public_key.user).toEqual(public_key.user);
  });

  it('needs a recent login', async () => {
    const user = await seedUser();
    passSeconds(301);
    for (const path of ['/v1/me/passkeys/options', '/v1/me/passkeys'])
      expect(await problemOf(await call('POST', path, { token: user.token, body: {} }))).toMatchObject({
        status: 401,
        code: 'auth.step_up_required',
      });
  });
});

describe('registering a passkey', () => {
  it.each(['ES256', 'EdDSA', 'RS256'] as Algorithm[])('takes %s, and it logs in', async (algorithm) => {
    const user = await seedUser();
    const { passkey } = await register(user.token, { algorithm });
    expect((await logInWith(passkey)).user.id).toBe(user.id);
  });

  it('shows it with its name, tells the owner, writes it down, and gives backup codes once', async () => {
    const user = await seedUser();
    const passkey = await newPasskey({ synced: true });
    const body = { ...(await answerRegistration(user.token, passkey)), name: '  My phone ' };
    const registered = await callJson<Registered>(201, 'POST', '/v1/me/passkeys', {
      token: user.token,
      body,
    });
    expect(registered.passkey).toEqual({
      id: expect.stringMatching(/^pky_/),
      name: 'My phone',
      synced: true,
      backed_up: true,
      transports: ['internal', 'hybrid'],
      aaguid: null,
      created_at: new Date().toISOString(),
      last_used_at: null,
    });
    expect(new Set(registered.backup_codes).size).toBe(10);
    expect(await callJson(200, 'GET', '/v1/me/passkeys', { token: user.token })).toEqual({
      data: [registered.passkey],
      next_cursor: null,
    });
    expect(await callJson(200, 'GET', '/v1/me/factors', { token: user.token })).toMatchObject({
      totp: null,
      backup_codes_left: 10,
    });
    expect(
      await countOf("audit_log WHERE target_id = $1 AND action = 'passkeys.registered'", [user.uuid]),
    ).toBe(1);
  });

  it('gives backup codes with the first factor only', async () => {
    const user = await seedUser();
    const { passkey, backupCodes } = await register(user.token);
    expect(backupCodes).toHaveLength(10);
    const { access_token } = await logInWith(passkey);
    expect((await register(access_token)).backupCodes).toBeNull();
    const options = await registrationOptions((await logInWith(passkey)).access_token);
    expect(options.public_key.excludeCredentials).toHaveLength(2);
    expect(options.public_key.excludeCredentials).toContainEqual({
      type: 'public-key',
      id: base64Url(passkey.credentialId),
      transports: ['usb'],
    });
  });

  const odds: [string, Odd][] = [
    ['another challenge', { challenge: base64Url(new Uint8Array(32)) }],
    ['another origin', { origin: 'https://evil.example' }],
    ['an origin that only begins like ours', { origin: 'http://localhost:3000.evil.example' }],
    ['another relying party', { rpId: 'evil.example' }],
    ['an assertion in place of a registration', { type: 'webauthn.get' }],
    ['a page embedded in a page of another site', { crossOrigin: true }],
    ['no user verification', { userVerified: false }],
    ['no user presence', { userPresent: false }],
    ['a certificate', { attestation: { fmt: 'packed', attStmt: new Map<string, Cbor>([['x5c', [new Uint8Array(9)]]]) } }],
    ['an attestation of another format', { attestation: { fmt: 'fido-u2f', attStmt: new Map() } }],
    ['an attestation that says none and has one', { attestation: { fmt: 'none', attStmt: new Map([['a', 1]]) } }],
    ['no id', { credentialId: new Uint8Array(0) }],
    ['an id that could be guessed', { credentialId: new Uint8Array(15) }],
    ['an id longer than any', { credentialId: new Uint8Array(1_024) }],
  ]; // biome-ignore format: one a line
  it.each(odds)('refuses %s and changes nothing', async (_, odd) => {
    const user = await seedUser();
    const body = await answerRegistration(user.token, await newPasskey(), odd);
    const problem = await problemOf(await postRegistration(user.token, body));
    expect(problem.status).toBe(422);
    expect(['passkeys.registration_invalid', 'request.invalid']).toContain(problem.code);
    expect(await passkeyRows(user.uuid)).toEqual([]);
    expect(await countOf('backup_codes WHERE user_id = $1', [user.uuid])).toBe(0);
  });

  it('takes each challenge once, whether its answer was right or wrong', async () => {
    const user = await seedUser();
    const { challenge_token, public_key } = await registrationOptions(user.token);
    const wrong = await createCredential(await newPasskey(), public_key, { userVerified: false });
    const right = await createCredential(await newPasskey(), public_key);
    expect((await postRegistration(user.token, { challenge_token, credential: wrong })).status).toBe(422);
    expect((await postRegistration(user.token, { challenge_token, credential: right })).status).toBe(422);
    expect(await passkeyRows(user.uuid)).toEqual([]);
    expect(await refusalsOf(user.uuid, 'passkeys.register')).toEqual(['assertion_invalid', 'used_challenge']);
  });

  it('takes one of twenty answers at once', async () => {
    const user = await seedUser();
    const { challenge_token, public_key } = await registrationOptions(user.token);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () =>
        postRegistration(user.token, {
          challenge_token,
          credential: await createCredential(await newPasskey(), public_key),
        }),
      ),
    );
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    expect(await passkeyRows(user.uuid)).toHaveLength(1);
    expect(await countOf('backup_codes WHERE user_id = $1', [user.uuid])).toBe(10);
  });

  it('forgets a challenge after five minutes', async () => {
    const user = await seedUser();
    const body = await answerRegistration(user.token, await newPasskey());
    passSeconds(306);
    const token = await signToken({ userUuid: user.uuid, sessionUuid: user.sessionUuid });
    expect(await problemOf(await postRegistration(token, body))).toMatchObject({
      status: 422,
      code: 'passkeys.registration_invalid',
    });
  });

  it('refuses the challenge of another user, of another session and of another purpose', async () => {
    const [ada, eve] = [await seedUser(), await seedUser()];
    const { passkey } = await register(ada.token);
    const session = (await logInWith(passkey)).access_token;
    const other = (await logInWith(passkey)).access_token;
    const forEve = await answerRegistration(eve.token, await newPasskey());
    const forOther = await answerRegistration(other, await newPasskey());
    const stepUp = await stepUpOptions(session);
    const forStepUp = {
      challenge_token: stepUp.challenge_token,
      credential: await createCredential(await newPasskey(), {
        rp: { id: 'localhost' },
        user: { id: passkey.userHandle },
        challenge: stepUp.public_key.challenge,
      }),
    };
    for (const body of [forEve, forOther, forStepUp])
      expect(await problemOf(await postRegistration(session, body))).toMatchObject({
        code: 'passkeys.registration_invalid',
      });
    expect(await passkeyRows(ada.uuid)).toHaveLength(1);
    expect((await postRegistration(eve.token, forEve)).status).toBe(201);
  });

  it('refuses a credential that is registered, to this account or another', async () => {
    const [ada, eve] = [await seedUser(), await seedUser()];
    const { passkey } = await register(ada.token);
    const again = await answerRegistration((await logInWith(passkey)).access_token, passkey);
    expect(
      await problemOf(await postRegistration((await logInWith(passkey)).access_token, again)),
    ).toMatchObject({ code: 'passkeys.registration_invalid' });
    const { access_token } = await logInWith(passkey);
    const own = await answerRegistration(access_token, passkey);
    const stolen = await answerRegistration(eve.token, await newPasskey(), {
      credentialId: passkey.credentialId,
    });
    for (const [token, body] of [
      [access_token, own],
      [eve.token, stolen],
    ] as const)
      expect(await problemOf(await postRegistration(token, body))).toMatchObject({
        status: 409,
        code: 'passkeys.already_registered',
      });
    expect(await passkeyRows(eve.uuid)).toEqual([]);
  });

  it('takes one of two accounts that register the same credential at once', async () => {
    const [ada, eve] = [await seedUser(), await seedUser()];
    const passkey = await newPasskey();
    const bodies = [
      await answerRegistration(ada.token, passkey),
      await answerRegistration(eve.token, passkey),
    ];
    const answers = await Promise.all([
      postRegistration(ada.token, bodies[0]),
      postRegistration(eve.token, bodies[1]),
    ]);
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([201, 409]);
    expect(await countOf('passkeys WHERE user_id IN ($1, $2)', [ada.uuid, eve.uuid])).toBe(1);
  });

  it('stops at twenty passkeys, also when many are registered at once', async () => {
    const user = await seedUser();
    await sqlRows(
      `INSERT INTO passkeys (id, user_id, credential_id, public_key, sign_count, transports, backup_eligible, backed_up,
         aaguid, name, created_at)
       SELECT gen_random_uuid(), $1::uuid, sha256(convert_to($1::uuid::text || slot, 'UTF8')), sha256('key'), 0, '{}', true, true,
         gen_random_uuid(), 'key ' || slot, now() FROM generate_series(1, 18) AS slot`,
      [user.uuid],
    );
    const token = await signToken({
      userUuid: user.uuid,
      sessionUuid: user.sessionUuid,
      claims: { amr: ['pwd', 'otp'] },
    });
    const bodies = [];
    for (let index = 0; index < 6; index += 1)
      bodies.push(await answerRegistration(token, await newPasskey()));
    const answers = await Promise.all(bodies.map((body) => postRegistration(token, body)));
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(2);
    expect(await passkeyRows(user.uuid)).toHaveLength(20);
    const response = await call('POST', '/v1/me/passkeys/options', { token });
    expect(await problemOf(response)).toMatchObject({ status: 409, code: 'passkeys.too_many' });
  });

  it('answers what is no credential with 422, however large or deep it is', async () => {
    const user = await seedUser();
    const good = await answerRegistration(user.token, await newPasskey());
    const withResponse = (response: Record<string, unknown>) => ({
      ...good,
      credential: { ...good.credential, response: { ...good.credential.response, ...response } },
    });
    const deep = base64Url(new Uint8Array(12_000).fill(0x81));
    const json = (value: unknown) => base64Url(new TextEncoder().encode(JSON.stringify(value)));
    const bodies = [
      {},
      { ...good, extra: 1 },
      { ...good, credential: null },
      { ...good, credential: { ...good.credential, id: 'x'.repeat(2_000) } },
      { ...good, credential: { ...good.credential, id: '****' } },
      { ...good, credential: { ...good.credential, rawId: base64Url(new Uint8Array(32)) } },
      { ...good, name: '' },
      { ...good, name: 'x'.repeat(65) },
      { ...good, challenge_token: 'x.y.z' },
      withResponse({ attestationObject: 'A'.repeat(100_000) }),
      withResponse({ attestationObject: deep }),
      withResponse({ attestationObject: base64Url(cbor('text')) }),
      withResponse({ attestationObject: base64Url(cbor(new Map([['fmt', 'none']]))) }),
      withResponse({ clientDataJSON: json(null) }),
      withResponse({ clientDataJSON: json([]) }),
      withResponse({ clientDataJSON: base64Url(Uint8Array.of(0xff, 0xfe)) }),
      withResponse({ transports: Array.from({ length: 11 }, () => 'usb') }),
      withResponse({ transports: ['USB"}'] }),
    ];
    for (const body of bodies) {
      const response = await postRegistration(user.token, body);
      expect(response.status, JSON.stringify(body).slice(0, 200)).toBe(422);
    }
    expect(await passkeyRows(user.uuid)).toEqual([]);
  });
});
