import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, callJson, sqlRows } from '../../support/worker/client.ts';
import { mailsTo, tokenIn } from '../../support/worker/mails.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { passSeconds, restartClock, stopClock } from '../factors/enrol.ts';
import { logIn, password, problemOf, registerAccount, registration } from './accounts.ts';
import { addressOf, confirmEmail, verifiedAccount } from './recovery.ts';

beforeEach(stopClock);
afterEach(restartClock);

const ask = (token: string, ip?: string) =>
  call('POST', '/v1/auth/email-verification', { token, ...(ip === undefined ? {} : { ip }) });
const changeEmail = (token: string, email: string) =>
  call('POST', '/v1/me/email', { token, body: { email } });

describe('verifying an address', () => {
  it('begins with a mail after registration, and opens login by address', async () => {
    const account = await registerAccount({ display_name: '<b onmouseover=alert(1)>Ada</b>' });
    const email = String(account.user.email);
    expect(await mailsTo(email)).toEqual([]);
    await deliverEvents({ times: 2 });
    const mails = await mailsTo(email);
    expect(mails).toHaveLength(1);
    expect(mails[0]?.text).toMatch(/^https:\/\/app\.test\/verify-email#token=sfv_[\w-]{49}$/m);
    expect(mails[0]?.text).toContain(`@${account.user.username}`);
    expect(`${mails[0]?.text}${mails[0]?.html}`).not.toContain('onmouseover');
    expect((await logIn(email)).status).toBe(401);
    const token = tokenIn(mails[0]);
    expect((await confirmEmail(account.access_token, token)).status).toBe(204);
    expect(await addressOf(account.user.username)).toEqual({ email, verified: true });
    expect((await logIn(email)).status).toBe(200);
    const me = await callJson(200, 'GET', '/v1/me', {
      token: account.access_token,
      headers: { 'x-read-pin': 'x' },
    });
    expect(me.email_verified).toBe(true);
  });

  it('keeps the token out of the database, the queue and the audit log', async () => {
    const account = await registerAccount();
    const messages = JSON.stringify(takeMessages().map((message) => ({ ...message })));
    expect(messages).not.toContain('sfv_');
    const again = await ask(account.access_token);
    expect(again.status).toBe(202);
    await deliverEvents();
    const token = tokenIn((await mailsTo(String(account.user.email)))[0]);
    const [row] = await sqlRows<{ everything: string; hash: number }>(
      `SELECT concat((SELECT string_agg(t::text, ' ') FROM account_tokens t), (SELECT string_agg(a::text, ' ') FROM audit_log a),
         (SELECT string_agg(o::text, ' ') FROM outbox o), (SELECT string_agg(d::text, ' ') FROM mail_deliveries d)) AS everything,
         (SELECT octet_length(token_hash) FROM account_tokens WHERE token_hash IS NOT NULL LIMIT 1) AS hash`,
    );
    expect(row?.hash).toBe(32);
    expect(row?.everything).not.toContain(token);
    expect(row?.everything).not.toContain(token.slice(4, 40));
  });

  it('happens once of twenty uses at once, and never again', async () => {
    const account = await registerAccount();
    await deliverEvents();
    const token = tokenIn((await mailsTo(String(account.user.email)))[0]);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => confirmEmail(account.access_token, token)),
    );
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    for (const { status } of answers) expect([204, 422, 503]).toContain(status);
    expect(await problemOf(await confirmEmail(account.access_token, token))).toMatchObject({
      status: 422,
      code: 'auth.link_invalid',
    });
    const audit = await sqlRows(
      "SELECT FROM audit_log JOIN users ON users.id::text = target_id WHERE username = $1 AND action = 'auth.email_verified'",
      [account.user.username],
    );
    expect(audit).toHaveLength(1);
  });

  it('is not possible by another account, nor by nobody: a link lends no address', async () => {
    const attacker = await registerAccount();
    await deliverEvents();
    const token = tokenIn((await mailsTo(String(attacker.user.email)))[0]);
    const reader = await registerAccount();
    expect((await confirmEmail(reader.access_token, token)).status).toBe(422);
    expect((await confirmEmail(undefined, token)).status).toBe(401);
    expect((await addressOf(attacker.user.username)).verified).toBe(false);
    expect((await addressOf(reader.user.username)).verified).toBe(false);
    expect((await confirmEmail(attacker.access_token, token)).status).toBe(204);
  });

  it('ends with the life of the link', async () => {
    const account = await registerAccount();
    await deliverEvents();
    const token = tokenIn((await mailsTo(String(account.user.email)))[0]);
    passSeconds(86_401);
    const { access_token } = (await (await logIn(account.user.username)).json()) as { access_token: string };
    expect((await confirmEmail(access_token, token)).status).toBe(422);
    expect((await addressOf(account.user.username)).verified).toBe(false);
  });

  it.each(['', 'sfv_', `sfv_${'a'.repeat(49)}`, `sfp_${'a'.repeat(49)}`, '\u0000'.repeat(53), "' OR 1=1--"])(
    'refuses %j',
    async (token) => {
      const account = await registerAccount();
      expect((await confirmEmail(account.access_token, token)).status).toBe(422);
    },
  );

  it('sends another link on request, and stops before a mailbox is flooded', async () => {
    const account = await registerAccount();
    const email = String(account.user.email);
    for (let index = 0; index < 5; index += 1) expect((await ask(account.access_token)).status).toBe(202);
    expect((await ask(account.access_token)).status).toBe(429);
    await deliverEvents();
    const mails = await mailsTo(email);
    expect(mails).toHaveLength(3);
    expect((await confirmEmail(account.access_token, tokenIn(mails[2]))).status).toBe(204);
    for (const mail of mails)
      expect((await confirmEmail(account.access_token, tokenIn(mail))).status).toBe(422);
  });

  it('counts the mails to an address over all accounts that claim it', async () => {
    const email = 'flooded@example.com';
    for (let index = 0; index < 6; index += 1) await registerAccount({ email });
    await deliverEvents();
    expect(await mailsTo(email)).toHaveLength(3);
  });

  it('sends nothing when the address is verified already, with the same answer', async () => {
    const account = await verifiedAccount();
    const before = (await mailsTo(account.email)).length;
    expect((await ask(account.access_token)).status).toBe(202);
    await deliverEvents();
    expect(await mailsTo(account.email)).toHaveLength(before);
  });

  it('tells the owner of a verified address that somebody registered with it, and gives no link', async () => {
    const owner = await verifiedAccount();
    const stranger = await registerAccount({ email: owner.email.toUpperCase() });
    await deliverEvents();
    const [mail] = await mailsTo(owner.email);
    expect(mail?.subject).toBe('You already have an account');
    expect(mail?.text).toContain(`@${owner.user.username}`);
    expect(mail?.text).not.toContain(stranger.user.username);
    expect(mail?.text).not.toContain('#token=');
    expect(await addressOf(stranger.user.username)).toMatchObject({ verified: false });
    expect((await logIn(owner.email)).status).toBe(200);
  });

  it('gives an address two accounts claim to the first that proves it', async () => {
    const email = 'contested@example.com';
    const first = await registerAccount({ email });
    const second = await registerAccount({ email });
    await deliverEvents();
    const tokens = (await mailsTo(email)).map(tokenIn);
    const statuses = new Map<string, number[]>();
    for (const account of [first, second])
      for (const token of tokens) {
        const { status } = await confirmEmail(account.access_token, token);
        statuses.set(account.user.username, [...(statuses.get(account.user.username) ?? []), status]);
      }
    expect(statuses.get(first.user.username)?.toSorted()).toEqual([204, 422]);
    expect(statuses.get(second.user.username)?.toSorted()).toEqual([409, 422]);
    expect((await addressOf(second.user.username)).verified).toBe(false);
  });

  it('builds links from the configuration, whatever host the request names', async () => {
    const body = registration();
    await call('POST', '/v1/auth/register', {
      body,
      headers: {
        host: 'evil.test',
        'x-forwarded-host': 'evil.test',
        origin: 'https://evil.test',
        referer: 'https://evil.test/',
      },
    });
    await deliverEvents();
    const [mail] = await mailsTo(body.email);
    expect(mail?.text).toContain('https://app.test/verify-email#token=');
    expect(`${mail?.text}${mail?.html}`).not.toContain('evil.test');
  });
});

describe('changing the address', () => {
  it('takes effect when the new mailbox confirms, and tells the old one', async () => {
    const account = await verifiedAccount();
    const next = `new.${account.email}`;
    expect((await changeEmail(account.access_token, next)).status).toBe(202);
    await deliverEvents();
    expect(await addressOf(account.user.username)).toEqual({ email: account.email, verified: true });
    const token = tokenIn((await mailsTo(next))[0]);
    const pendingReset = await call('POST', '/v1/auth/password-reset', {
      body: { identifier: account.user.username },
    });
    expect(pendingReset.status).toBe(202);
    await deliverEvents();
    const resetToken = tokenIn((await mailsTo(account.email))[0]);
    expect((await confirmEmail(account.access_token, token)).status).toBe(204);
    expect(await addressOf(account.user.username)).toEqual({ email: next, verified: true });
    await deliverEvents();
    expect((await mailsTo(account.email))[0]?.subject).toBe('The e-mail address of your account was changed');
    expect((await mailsTo(next))[0]?.subject).toBe('The e-mail address of your account was changed');
    expect((await mailsTo(account.email))[0]?.text).not.toContain(next);
    expect((await logIn(account.email)).status).toBe(401);
    expect((await logIn(next)).status).toBe(200);
    const old = await call('POST', '/v1/auth/password-reset/confirm', {
      body: { token: resetToken, new_password: 'nine herons in a row' },
    });
    expect(old.status).toBe(422);
    expect((await logIn(account.user.username, password)).status).toBe(200);
  });

  it('needs a recent login', async () => {
    const account = await verifiedAccount();
    passSeconds(301);
    expect(await problemOf(await changeEmail(account.access_token, 'x@example.com'))).toMatchObject({
      status: 401,
      code: 'auth.step_up_required',
    });
    await deliverEvents();
    expect(await mailsTo('x@example.com')).toEqual([]);
  });

  it('is not confirmed by another account, and a second wish ends the first', async () => {
    const account = await verifiedAccount();
    const other = await verifiedAccount();
    await changeEmail(account.access_token, `first.${account.email}`);
    await deliverEvents();
    await changeEmail(account.access_token, `second.${account.email}`);
    await deliverEvents();
    const first = tokenIn((await mailsTo(`first.${account.email}`))[0]);
    const second = tokenIn((await mailsTo(`second.${account.email}`))[0]);
    expect((await confirmEmail(other.access_token, second)).status).toBe(422);
    expect((await confirmEmail(account.access_token, first)).status).toBe(422);
    expect(await addressOf(account.user.username)).toEqual({ email: account.email, verified: true });
    expect((await confirmEmail(account.access_token, second)).status).toBe(204);
  });

  it('answers the same for an address somebody has, whose owner is told', async () => {
    const owner = await verifiedAccount();
    const account = await verifiedAccount();
    const answers = [
      await changeEmail(account.access_token, owner.email),
      await changeEmail(account.access_token, `free.${account.email}`),
    ];
    expect(await Promise.all(answers.map(async (answer) => [answer.status, await answer.text()]))).toEqual([
      [202, ''],
      [202, ''],
    ]);
  });

  it('tells the owner when it was their address', async () => {
    const owner = await verifiedAccount();
    const account = await verifiedAccount();
    await changeEmail(account.access_token, owner.email);
    await deliverEvents();
    expect((await mailsTo(owner.email))[0]?.subject).toBe('You already have an account');
    expect(await addressOf(account.user.username)).toEqual({ email: account.email, verified: true });
  });

  it.each([
    ['the address it is', undefined, 'auth.email_unchanged'],
    ['no address', 'nobody', 'request.invalid'],
    ['two lines', 'a@b.c\r\nBcc: x@y.z', 'request.invalid'],
  ])('refuses %s', async (_, email, code) => {
    const account = await verifiedAccount();
    expect(await problemOf(await changeEmail(account.access_token, email ?? account.email))).toMatchObject({
      status: 422,
      code,
    });
  });
});
