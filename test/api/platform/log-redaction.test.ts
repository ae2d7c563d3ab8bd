import { env } from 'cloudflare:workers';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { AppEnv } from '../../../src/http/env.ts';
import { handleError } from '../../../src/http/handle-error.ts';
import { requestContext } from '../../../src/http/request-context.ts';
import { fromBase64Url, fromUtf8 } from '../../../src/shared/encoding.ts';
import { newPasskey } from '../../support/worker/authenticator.ts';
import { call, callJson, seedUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { breakDatabase } from '../../support/worker/faults.ts';
import { mailsTo, tokenIn } from '../../support/worker/mails.ts';
import { deliverEvents } from '../../support/worker/queues.ts';
import { logIn, refresh, type SignedInBody } from '../auth/accounts.ts';
import { askReset, confirmReset, resetToken, verifiedAccount } from '../auth/recovery.ts';
import {
  askForFactor,
  codeOf,
  enrol,
  nextCode,
  restartClock,
  stopClock,
  wrongCode,
} from '../factors/enrol.ts';
import { lastCodeTo, otherThan, provePhone, steppedUp } from '../factors/phones.ts';
import {
  comeBack,
  complete,
  decide,
  depart,
  fragmentOf,
  freshPerson,
  type RegistrationRequired,
  start,
  startPath,
} from '../identities/flow.ts';
import { answerLogin, answerRegistration, postLogin, postRegistration } from '../passkeys/passkeys.ts';

// Before the first request, which reads the settings: every line is written, and every statement is a slow one.
Object.assign(env, { LOG_LEVEL: 'debug', DATABASE_SLOW_QUERY_MS: '1' });

const lines: string[] = [];
beforeAll(() => {
  for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const)
    vi.spyOn(console, method).mockImplementation((...args: unknown[]) => {
      lines.push(
        args.map((arg) => (arg instanceof Error ? `${arg.stack} ${arg.cause}` : String(arg))).join(' '),
      );
    });
});
afterEach(restartClock);
afterAll(() => vi.restoreAllMocks());

const password = 'pl4nted horse under the stairs';
const ip = '198.51.100.77';
const headers = {
  cookie: '__Host-sf_planted=plantedCookieValue',
  'x-planted': 'plantedHeaderValue',
  'user-agent': 'Planted/1.0',
};

it('no line of a long session holds a secret, an address or what somebody typed', async () => {
  stopClock();
  const account = await verifiedAccount({ password });
  const { user, access_token: token, refresh_token: firstRefresh, email } = account;
  const planted: string[] = [password, token, firstRefresh, email, ip, ...Object.values(headers).slice(0, 2)];
  const from = { ip, headers };

  await logIn('typed-my-pl4nted-secret-here', 'wrong pl4nted password', from);
  await logIn(user.username, 'wrong pl4nted password', from);
  planted.push('typed-my-pl4nted-secret-here', 'wrong pl4nted password');
  const second = (await (await logIn(user.username, password, from)).json()) as SignedInBody;
  const third = (await (await refresh(second.refresh_token)).json()) as SignedInBody;
  await refresh(third.refresh_token);
  nextCode();
  nextCode();
  await refresh(second.refresh_token);
  planted.push(second.access_token, second.refresh_token, third.access_token, third.refresh_token);

  const { secret, backupCodes } = await enrol(token);
  planted.push(secret, ...backupCodes);
  const owed = await askForFactor(user.username, password, from);
  const codes = [await wrongCode(secret), await codeOf(secret)];
  for (const code of codes)
    await call('POST', '/v1/auth/mfa', { ...from, body: { mfa_token: owed.mfa_token, code } });
  planted.push(owed.mfa_token);

  nextCode();
  const stepped = await steppedUp(token, secret);
  const number = await provePhone(stepped);
  const smsCodes = [await lastCodeTo(number)];
  const bySms = await askForFactor(user.username, password, from);
  await call('POST', '/v1/auth/mfa/sms', { ...from, body: { mfa_token: bySms.mfa_token } });
  smsCodes.push(await lastCodeTo(number));
  for (const sms_code of [otherThan(smsCodes[1] ?? ''), smsCodes[1]])
    await call('POST', '/v1/auth/mfa', { ...from, body: { mfa_token: bySms.mfa_token, sms_code } });
  planted.push(number, number.slice(1), bySms.mfa_token, tokenIn((await mailsTo(email)).at(-1)));

  const { secret: apiKey } = await callJson<{ secret: string }>(201, 'POST', '/v1/me/api-keys', {
    token: stepped,
    body: { name: 'pl4nted name of a key', scopes: ['profile:read'] },
  });
  for (const key of [apiKey, `${apiKey.slice(0, -1)}x`]) await call('GET', '/v1/me', { ...from, token: key });
  await call('PATCH', '/v1/me', { ...from, token: apiKey, body: {} });
  planted.push(apiKey, stepped, 'pl4nted name of a key');

  const passkey = await newPasskey();
  const registration = await answerRegistration(stepped, passkey);
  expect((await postRegistration(stepped, registration)).status).toBe(201);
  const assertion = await answerLogin(passkey);
  const byPasskey = (await (await postLogin(assertion, from)).json()) as SignedInBody;
  await postLogin(assertion, from);
  for (const { challenge_token, credential } of [registration, assertion]) {
    const { clientDataJSON } = credential.response;
    const { challenge } = JSON.parse(fromUtf8(fromBase64Url(clientDataJSON) ?? new Uint8Array()));
    planted.push(challenge_token, clientDataJSON, challenge);
  }
  planted.push(byPasskey.access_token, byPasskey.refresh_token);

  const person = freshPerson();
  const started = await start(startPath('google'));
  const departed = await depart(started);
  const back = await decide('google', departed.consentUrl, person);
  const handoff = (await fragmentOf(await comeBack(back, departed.cookie))).get('handoff') ?? '';
  const offered = (await (
    await complete({ handoff, code_verifier: started.verifier }, from)
  ).json()) as RegistrationRequired;
  await complete({ handoff, code_verifier: started.verifier }, from);
  planted.push(started.verifier, handoff, offered.registration_token, String(person.email));
  planted.push(
    departed.cookie.split('=')[1] ?? '',
    back.fields.get('state') ?? '',
    back.fields.get('code') ?? '',
  );

  const reset = await resetToken(account);
  await askReset('nobody-of-this-name-pl4nted', from);
  await confirmReset(`${reset.slice(0, -1)}x`, 'another pl4nted password of mine');
  await confirmReset(reset, 'another pl4nted password of mine');
  planted.push(reset, 'another pl4nted password of mine', 'nobody-of-this-name-pl4nted');

  await call('GET', '/v1/me?access_token=pl4ntedInQuery', { ...from, token: 'sfr_pl4ntedBearer' });
  await call('POST', '/v1/auth/login', { ...from, body: '{"password": "pl4ntedBrokenJson' });
  await call('GET', '/v1/feeds/home?cursor=pl4ntedCursor', { ...from, token });
  planted.push('pl4ntedInQuery', 'sfr_pl4ntedBearer', 'pl4ntedBrokenJson', 'pl4ntedCursor');
  await breakDatabase({ mode: 'down' });
  expect((await logIn(user.username, password, from)).status).toBe(503);
  await breakDatabase({ mode: 'none' });
  await deliverEvents();

  const bindings = testEnv(env);
  const keys = JSON.parse(String(bindings.ACCESS_TOKEN_KEYS)) as { d: string }[];
  const sealing = JSON.parse(String(bindings.DATA_ENCRYPTION_KEYS)) as Record<string, string>;
  planted.push(
    String(bindings.CURSOR_SECRET),
    String(bindings.PASSWORD_PEPPER),
    String(bindings.AWS_WEBHOOK_SECRET),
    String(bindings.AWS_SECRET_ACCESS_KEY),
    new URL(String(bindings.DATABASE_URL)).password,
    ...keys.map(({ d }) => d),
    ...Object.values(sealing),
  );

  expect(lines.length).toBeGreaterThan(20);
  expect(lines.filter((line) => line.includes('request.completed')).length).toBeGreaterThan(10);
  for (const secretValue of planted) {
    expect(secretValue.length).toBeGreaterThan(6);
    expect(lines.filter((line) => line.includes(secretValue))).toEqual([]);
  }
  // Six digits stand in many an id; as a word they do not.
  for (const code of [...codes, ...smsCodes])
    expect(lines.filter((line) => new RegExp(`(?<![\\w.:-])${code}(?![\\w.:-])`).test(line))).toEqual([]);
});

it('an unknown error leaves neither its message nor its causes in the log or the answer', async () => {
  const before = lines.length;
  const app = new Hono<AppEnv>();
  app.onError(handleError);
  app.use(requestContext());
  app.get('/boom', () => {
    throw new Error('failed for ada@pl4nted.example with hunter2-pl4nted', {
      cause: new Error('INSERT INTO users VALUES (pl4nted)'),
    });
  });
  const answer = await app.request('https://api.test/boom', {}, testEnv(env));
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain('pl4nted');
  const written = lines.slice(before);
  expect(written.some((line) => line.includes('request.failed'))).toBe(true);
  expect(written.join('\n')).not.toContain('pl4nted');
});

it('who was refused what is written down, with account, route and code', async () => {
  const user = await seedUser();
  const before = lines.length;
  const { status } = await call('POST', '/v1/admin/users/search', {
    token: user.token,
    body: { status: 'active' },
  });
  expect(status).toBe(403);
  const line = lines.slice(before).find((text) => text.includes('request.completed')) ?? '{}';
  expect(JSON.parse(line)).toMatchObject({
    status: 403,
    actor: expect.any(String),
    error_code: expect.stringMatching(/^(auth|admin)\./),
    route: expect.stringContaining('/v1/admin/users/search'),
    time: expect.stringMatching(/Z$/),
  });
});
