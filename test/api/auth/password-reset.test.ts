import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, freshAddress, sqlRows } from '../../support/worker/client.ts';
import { failMails, mailsTo, tokenIn } from '../../support/worker/mails.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { askForFactor, codeOf, enrol, passSeconds, restartClock, stopClock } from '../factors/enrol.ts';
import { logIn, password, problemOf, refresh, registerAccount, type SignedInBody } from './accounts.ts';
import { askReset, confirmReset, resetToken, verifiedAccount } from './recovery.ts';

beforeEach(stopClock);
afterEach(restartClock);

const next = 'eleven herons in the reeds';
const isReset = (mail: { subject: string }) => mail.subject === 'Reset your password';
const resetMails = async (email: string) => (await mailsTo(email)).filter(isReset);

describe('asking for a reset', () => {
  it('sends the link to the verified address, by username and by address', async () => {
    const account = await verifiedAccount({ display_name: '<script>alert(1)</script>' });
    expect((await askReset(account.user.username)).status).toBe(202);
    expect((await askReset(account.email.toUpperCase())).status).toBe(202);
    expect(await resetMails(account.email)).toHaveLength(0);
    await deliverEvents({ times: 2 });
    const mails = await resetMails(account.email);
    expect(mails).toHaveLength(2);
    expect(mails[0]?.text).toMatch(/^https:\/\/app\.test\/reset-password#token=sfp_[\w-]{49}$/m);
    expect(mails[0]?.text).toContain('10 minutes');
    expect(`${mails[0]?.text}${mails[0]?.html}`).not.toContain('script');
  });

  it('answers and writes the same for every name, and sends mails only where there is a verified address', async () => {
    const verified = await verifiedAccount();
    const unverified = await registerAccount();
    const suspended = await verifiedAccount();
    await sqlRows("UPDATE users SET status = 'suspended' WHERE username = $1", [suspended.user.username]);
    await deliverEvents();
    const names = [
      verified.user.username,
      unverified.user.username,
      String(unverified.user.email),
      suspended.user.username,
      'nobody_at_all',
      'nobody@example.com',
      '\u0000 no name',
      "' OR 1=1--",
    ];
    const answers = await Promise.all(
      names.map(async (name) => {
        const response = await askReset(name);
        const headers = [...response.headers.keys()].toSorted();
        return { status: response.status, body: await response.text(), headers };
      }),
    );
    const [{ headers: usual = [] } = {}] = answers;
    for (const answer of answers.slice(0, -2))
      expect(answer).toEqual({ status: 202, body: '', headers: usual });
    for (const answer of answers.slice(-2)) expect(answer).toMatchObject({ status: 202, body: '' });
    expect(takeTypes()).toEqual(names.slice(0, -2).map(() => 'account.password_reset_requested'));
    await Promise.all(names.map((name) => askReset(name)));
    await deliverEvents();
    expect(await resetMails(verified.email)).toHaveLength(1);
    for (const email of [String(unverified.user.email), suspended.email, 'nobody@example.com'])
      expect(await resetMails(email)).toEqual([]);
    const tokens = await sqlRows(
      "SELECT FROM account_tokens JOIN users ON users.id = user_id WHERE purpose = 'reset_password' AND username = ANY($1)",
      [[unverified.user.username, suspended.user.username]],
    );
    expect(tokens).toEqual([]);
  });

  it('takes the same work whoever is asked for: one batch, no look at accounts', async () => {
    const account = await verifiedAccount();
    const known = await askReset(account.user.username);
    const unknown = await askReset('nobody_at_all');
    expect(known.headers.get('x-request-id')).not.toBe(unknown.headers.get('x-request-id'));
    const audit = await sqlRows(
      "SELECT target_kind, outcome FROM audit_log WHERE action = 'auth.password_reset_requested' AND request_id = ANY($1)",
      [[known.headers.get('x-request-id'), unknown.headers.get('x-request-id')]],
    );
    expect(audit).toEqual([
      { target_kind: 'event', outcome: 'success' },
      { target_kind: 'event', outcome: 'success' },
    ]);
  });

  it('keeps the token out of database, queue and audit log', async () => {
    const account = await verifiedAccount();
    const token = await resetToken(account);
    const [row] = await sqlRows<{ everything: string }>(
      `SELECT concat((SELECT string_agg(t::text, ' ') FROM account_tokens t), (SELECT string_agg(a::text, ' ') FROM audit_log a),
         (SELECT string_agg(o::text, ' ') FROM outbox o), (SELECT string_agg(d::text, ' ') FROM dead_letters d)) AS everything`,
    );
    expect(row?.everything).not.toContain(token.slice(4, 40));
  });

  it('limits one network, and lets others ask meanwhile', async () => {
    const account = await verifiedAccount();
    const ip = freshAddress();
    const statuses = [];
    for (let index = 0; index < 7; index += 1)
      statuses.push((await askReset(account.user.username, { ip })).status);
    expect(statuses).toEqual([202, 202, 202, 202, 202, 429, 429]);
    expect((await askReset(account.user.username)).status).toBe(202);
  });

  it('sends no more than three links that work, so the owner is neither flooded nor locked out', async () => {
    const account = await verifiedAccount();
    for (let index = 0; index < 8; index += 1) await askReset(account.user.username);
    await deliverEvents();
    const mails = await resetMails(account.email);
    expect(mails).toHaveLength(3);
    passSeconds(601);
    await askReset(account.user.username);
    await deliverEvents();
    expect(await resetMails(account.email)).toHaveLength(4);
    expect((await confirmReset(tokenIn((await resetMails(account.email))[0]), next)).status).toBe(204);
  });

  it('sends each of three links although the mail service failed at first', async () => {
    const account = await verifiedAccount();
    for (let index = 0; index < 3; index += 1) await askReset(account.user.username);
    const messages = takeMessages();
    await failMails(3, { status: 500, code: 'InternalFailure' });
    expect(await deliver(messages)).toEqual({ acked: 0, retried: 3 });
    expect(await deliver(messages)).toEqual({ acked: 3, retried: 0 });
    const mails = await resetMails(account.email);
    expect(mails).toHaveLength(3);
    expect((await confirmReset(tokenIn(mails[0]), next)).status).toBe(204);
  });

  it('sends no more than three links when many are asked for and mailed at once', async () => {
    const account = await verifiedAccount();
    for (let index = 0; index < 8; index += 1) await askReset(account.user.username);
    await Promise.all(takeMessages().map((message) => deliver([message])));
    expect(await resetMails(account.email)).toHaveLength(3);
  });

  it('sends no mail for a wish that is too old', async () => {
    const account = await verifiedAccount();
    await askReset(account.user.username);
    passSeconds(3_601);
    await deliverEvents();
    expect(await resetMails(account.email)).toEqual([]);
  });

  it('builds the link from the configuration, whatever host the request names', async () => {
    const account = await verifiedAccount();
    await askReset(account.user.username, {
      headers: { host: 'evil.test', 'x-forwarded-host': 'evil.test', 'x-original-url': 'https://evil.test' },
    });
    await deliverEvents();
    const [mail] = await resetMails(account.email);
    expect(mail?.text).toContain('https://app.test/reset-password#token=');
    expect(`${mail?.text}${mail?.html}`).not.toContain('evil.test');
  });
});

const takeTypes = (): string[] => takeMessages().map((message) => message.body.type);

describe('confirming a reset', () => {
  it('sets the password, ends every session, signs nobody in, and tells the owner', async () => {
    const account = await verifiedAccount();
    const other = (await (await logIn(account.user.username)).json()) as SignedInBody;
    const token = await resetToken(account);
    const answer = await confirmReset(token, next);
    expect(answer.status).toBe(204);
    expect(await answer.text()).toBe('');
    expect(answer.headers.get('set-cookie')).toMatch(/^__Host-sf_read_pin=[^,]*$/);
    for (const session of [account, other]) {
      expect((await refresh(session.refresh_token)).status).toBe(401);
      expect((await call('GET', '/v1/me/sessions', { token: session.access_token })).status).toBe(401);
    }
    expect((await logIn(account.user.username, password)).status).toBe(401);
    expect((await logIn(account.email, next)).status).toBe(200);
    const reasons = await sqlRows(
      `SELECT DISTINCT revoked_reason AS reason FROM sessions JOIN users ON users.id = user_id
       WHERE username = $1 AND revoked_at IS NOT NULL`,
      [account.user.username],
    );
    expect(reasons).toEqual([{ reason: 'password_reset' }]);
    await deliverEvents();
    const subjects = (await mailsTo(account.email)).map(({ subject }) => subject);
    expect(subjects).toContain('Your password was reset');
    const audit = await sqlRows<{ text: string }>(
      "SELECT audit_log::text AS text FROM audit_log JOIN users ON users.id::text = target_id WHERE username = $1 AND action = 'auth.password_reset'",
      [account.user.username],
    );
    expect(audit).toHaveLength(1);
    expect(audit[0]?.text).not.toMatch(/herons|ravens|sfp_/);
  });

  it('happens once of twenty uses at once; the winner is the password', async () => {
    const account = await verifiedAccount();
    const token = await resetToken(account);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => confirmReset(token, `${next} number ${index}`)),
    );
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    for (const { status } of answers) expect([204, 422, 503]).toContain(status);
    const winner = answers.findIndex(({ status }) => status === 204);
    expect((await logIn(account.user.username, `${next} number ${winner}`)).status).toBe(200);
    expect((await confirmReset(token, 'another quiet evening')).status).toBe(422);
  });

  it('ends all other links and logins that owe a second factor', async () => {
    const account = await verifiedAccount();
    const { secret } = await enrol(account.access_token);
    const first = await resetToken(account);
    const second = await resetToken(account);
    const owed = await askForFactor(account.user.username, password);
    expect((await confirmReset(second, next)).status).toBe(204);
    expect((await confirmReset(first, 'another quiet evening')).status).toBe(422);
    const finished = await call('POST', '/v1/auth/mfa', {
      body: { mfa_token: owed.mfa_token, code: await codeOf(secret) },
    });
    expect(finished.status).toBe(401);
    const left = await sqlRows(
      `SELECT FROM mfa_challenges JOIN users ON users.id = user_id WHERE username = $1`,
      [account.user.username],
    );
    expect(left).toEqual([]);
  });

  it('does not get past a second factor', async () => {
    const account = await verifiedAccount();
    const { secret } = await enrol(account.access_token);
    expect((await confirmReset(await resetToken(account), next)).status).toBe(204);
    const login = await (await logIn(account.user.username, next)).json();
    expect(login).toMatchObject({ mfa_required: true });
    expect(login).not.toHaveProperty('access_token');
    const ip = freshAddress();
    const owed = await askForFactor(account.user.username, next, { ip });
    const finished = await call('POST', '/v1/auth/mfa', {
      ip,
      body: { mfa_token: owed.mfa_token, code: await codeOf(secret) },
    });
    expect(finished.status).toBe(200);
  });

  it('is over after ten minutes', async () => {
    const account = await verifiedAccount();
    const token = await resetToken(account);
    passSeconds(601);
    expect(await problemOf(await confirmReset(token, next))).toMatchObject({
      status: 422,
      code: 'auth.link_invalid',
    });
    expect((await logIn(account.user.username)).status).toBe(200);
  });

  it('is over once the password was changed otherwise', async () => {
    const account = await verifiedAccount();
    const token = await resetToken(account);
    const changed = await call('POST', '/v1/me/password', {
      token: account.access_token,
      body: { current_password: password, new_password: 'nine geese in a row' },
    });
    expect(changed.status).toBe(204);
    expect((await confirmReset(token, next)).status).toBe(422);
    expect((await logIn(account.user.username, 'nine geese in a row')).status).toBe(200);
    await deliverEvents();
    expect((await mailsTo(account.email)).map(({ subject }) => subject)).toContain(
      'Your password was changed',
    );
  });

  it('is over once the account is suspended', async () => {
    const account = await verifiedAccount();
    const token = await resetToken(account);
    await sqlRows("UPDATE users SET status = 'suspended' WHERE username = $1", [account.user.username]);
    expect((await confirmReset(token, next)).status).toBe(422);
  });

  it.each([
    ['a short one', 'short', 'too_short'],
    ['a common one', 'password123', 'too_common'],
    ['a breached one', 'breached but long enough', 'breached'],
  ])('refuses %s by the rules of registration, and the link goes on working', async (_, attempt, code) => {
    const account = await verifiedAccount();
    const token = await resetToken(account);
    expect(await problemOf(await confirmReset(token, attempt))).toMatchObject({
      status: 422,
      code: 'auth.password_refused',
      errors: [{ pointer: '/new_password', code }],
    });
    expect((await logIn(account.user.username)).status).toBe(200);
    expect((await confirmReset(token, next)).status).toBe(204);
  });

  it.each(['', 'sfp_', `sfp_${'a'.repeat(49)}`, `sfv_${'a'.repeat(49)}`, '\u0000'.repeat(53)])(
    'refuses the token %j',
    async (token) => {
      expect((await confirmReset(token, next)).status).toBe(422);
    },
  );

  it('takes no token that verifies an address', async () => {
    const account = await registerAccount();
    await deliverEvents();
    const token = tokenIn((await mailsTo(String(account.user.email)))[0]);
    expect((await confirmReset(token, next)).status).toBe(422);
    expect((await confirmReset(token.replace('sfv_', 'sfp_'), next)).status).toBe(422);
    expect((await logIn(account.user.username)).status).toBe(200);
  });

  it('refuses unknown fields', async () => {
    const answer = await call('POST', '/v1/auth/password-reset/confirm', {
      body: { token: 'x', new_password: next, user_id: 'usr_x' },
    });
    expect(answer.status).toBe(422);
  });
});

describe('breached passwords', () => {
  const breached = 'breached but long enough';

  it('are refused at registration and change', async () => {
    const refused = await call('POST', '/v1/auth/register', {
      body: { username: 'breached_user', email: 'b@example.com', password: breached },
    });
    expect(await problemOf(refused)).toMatchObject({ errors: [{ pointer: '/password', code: 'breached' }] });
    expect(await sqlRows("SELECT FROM users WHERE username = 'breached_user'")).toEqual([]);
    const account = await registerAccount();
    const change = await call('POST', '/v1/me/password', {
      token: account.access_token,
      body: { current_password: password, new_password: breached },
    });
    expect(await problemOf(change)).toMatchObject({
      errors: [{ pointer: '/new_password', code: 'breached' }],
    });
  });
});
