import { beforeEach, describe, expect, it } from 'vitest';
import { type Bindings, servicesOf } from '../../../src/context.ts';
import { passwordHashesStarted } from '../../../src/modules/auth/index.ts';
import { noteLogin } from '../../../src/modules/auth/usecases/anomaly.ts';
import { login } from '../../../src/modules/auth/usecases/login.ts';
import { take } from '../../../src/modules/auth/usecases/throttle.ts';
import { call, freshAddress, seedUser, sqlRows } from '../../support/worker/client.ts';
import { contextOf } from '../../support/worker/films.ts';
import { freshUsername, password, problemOf } from '../auth/accounts.ts';
import { weakerHashOf } from '../auth/weaker-hash.ts';
import { challengedBindings, downBindings, siteKey, solve } from './challenged.ts';

let hash: string;
let bindings: Bindings;
beforeEach(async () => {
  hash ??= await weakerHashOf(password);
  bindings = challengedBindings();
});

async function account(): Promise<{ readonly username: string; readonly uuid: string }> {
  const user = await seedUser();
  await sqlRows('UPDATE users SET password_hash = $2 WHERE id = $1', [user.uuid, hash]);
  return user;
}

interface Attempt {
  readonly ip?: string;
  readonly password?: string;
  readonly answer?: string;
  readonly bindings?: Bindings;
}

const attempt = (identifier: string, options: Attempt = {}) =>
  call('POST', '/v1/auth/login', {
    ip: options.ip ?? freshAddress(),
    bindings: options.bindings ?? bindings,
    body: {
      identifier,
      password: options.password ?? 'not the password',
      ...(options.answer === undefined ? {} : { challenge_response: options.answer }),
    },
  });

async function statusesOf(count: number, send: () => Promise<Response>): Promise<number[]> {
  const statuses = [];
  for (let index = 0; index < count; index += 1) statuses.push((await send()).status);
  return statuses;
}

const times = (count: number, status: number) => Array<number>(count).fill(status);

describe('the challenge at login', () => {
  it('is asked for after three failures, before any password is checked, and tells how to solve it', async () => {
    const { username } = await account();
    const ip = freshAddress();
    expect(await statusesOf(3, () => attempt(username, { ip }))).toEqual(times(3, 401));
    const before = passwordHashesStarted();
    const asked = await attempt(username, { ip, password });
    expect(await problemOf(asked)).toMatchObject({
      status: 403,
      code: 'auth.challenge_required',
      challenge: { provider: 'turnstile', site_key: siteKey, action: 'login' },
    });
    expect(passwordHashesStarted()).toBe(before);
    const solved = await attempt(username, { ip, password, answer: await solve('login') });
    expect(solved.status).toBe(200);
  });

  it('takes an answer once, for its action, its host, and no other text', async () => {
    const { username } = await account();
    const ip = freshAddress();
    await statusesOf(3, () => attempt(username, { ip }));
    const once = await solve('login');
    expect((await attempt(username, { ip, answer: once })).status).toBe(401);
    for (const answer of [
      once,
      await solve('register'),
      await solve('login', 'evil.test'),
      'invented',
      'x'.repeat(2_048),
    ])
      expect(await problemOf(await attempt(username, { ip, password, answer }))).toMatchObject({
        status: 403,
        code: 'auth.challenge_failed',
      });
    expect((await attempt(username, { answer: 'x'.repeat(2_049) })).status).toBe(422);
    expect((await attempt(username, { ip, password, answer: await solve('login') })).status).toBe(200);
  });

  it('is not got past by a text the service stumbles over', async () => {
    const { username } = await account();
    const ip = freshAddress();
    await statusesOf(3, () => attempt(username, { ip }));
    const before = passwordHashesStarted();
    for (const answer of ['bad-request', 'internal-error', '\ud800'])
      expect(await problemOf(await attempt(username, { ip, password, answer }))).toMatchObject({
        status: 403,
        code: 'auth.challenge_failed',
      });
    expect(passwordHashesStarted()).toBe(before);
  });

  it('lets one of many requests with the same answer pass', async () => {
    const { username } = await account();
    await statusesOf(6, () => attempt(username));
    const answer = await solve('login');
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => attempt(username, { password, answer })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(7);
  });

  it('takes each answer once even where the verifier would take it again', async () => {
    const always = challengedBindings({ TURNSTILE_SECRET: '1x0000000000000000000000000000000AA' });
    const { username } = await account();
    await statusesOf(6, () => attempt(username, { bindings: always }));
    // The published secret that always passes tells no action: such answers are not for us.
    expect((await attempt(username, { bindings: always, password, answer: 'any' })).status).toBe(403);
    for (const secret of ['2x0000000000000000000000000000000AA', '3x0000000000000000000000000000000AA']) {
      const refusing = challengedBindings({ TURNSTILE_SECRET: secret });
      const refused = await attempt(username, { bindings: refusing, password, answer: await solve('login') });
      expect((await problemOf(refused)).code).toBe('auth.challenge_failed');
    }
  });

  it('is a way in for the owner when a distributed attack has filled the budget of the account', async () => {
    const { username } = await account();
    let solved = 0;
    const bot = async () => {
      solved += 1;
      return attempt(username, { answer: await solve('login') });
    };
    const attacked = await statusesOf(10, bot);
    expect(attacked).toEqual(times(10, 401));
    expect(solved).toBe(10);
    const home = freshAddress();
    expect((await problemOf(await attempt(username, { ip: home, password }))).code).toBe(
      'auth.challenge_required',
    );
    expect((await attempt(username, { ip: home, password, answer: await solve('login') })).status).toBe(200);
    // Now the network is known, and needs nothing.
    expect((await attempt(username, { ip: home, password })).status).toBe(200);
  });

  it('does not open what one network did to one account', async () => {
    const { username } = await account();
    const ip = freshAddress();
    const guess = async () => attempt(username, { ip, answer: await solve('login') });
    expect(await statusesOf(7, guess)).toEqual([...times(5, 401), 429, 429]);
    const owner = await attempt(username, { ip, password, answer: await solve('login') });
    expect((await problemOf(owner)).code).toBe('auth.too_many_failures');
  });

  it('bounds guessing however many challenges are bought', async () => {
    const { username } = await account();
    const statuses = await Promise.all(
      Array.from(
        { length: 40 },
        async () => (await attempt(username, { answer: await solve('login') })).status,
      ),
    );
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(25);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
  });

  it('is asked of accounts that do not exist alike', async () => {
    const { username } = await account();
    const seen: unknown[] = [];
    for (const name of [username, freshUsername()]) {
      const ip = freshAddress();
      const statuses = await statusesOf(5, () => attempt(name, { ip }));
      const { request_id: _, ...body } = (await (await attempt(name, { ip })).json()) as Record<
        string,
        unknown
      >;
      seen.push({ statuses, body });
    }
    expect(seen[0]).toEqual(seen[1]);
  });

  it('meets credential stuffing over many accounts from one network', async () => {
    const names = await Promise.all(Array.from({ length: 14 }, () => account()));
    // The verb itself, since the route lets no address try more than ten times a minute.
    const services = servicesOf(bindings);
    const ctx = { ...contextOf(), ...services, actor: { kind: 'anonymous' } as const, ip: '2001:db8:51::1' };
    const outcomes = [];
    for (const { username } of names)
      outcomes.push(
        await login(ctx, { identifier: username, password: 'from a list' }).catch(
          (error: { code?: string }) => error.code,
        ),
      );
    expect(outcomes).toEqual([
      ...Array<string>(10).fill('auth.invalid_credentials'),
      ...Array<string>(4).fill('auth.challenge_required'),
    ]);
  });

  it('sees stolen lists that are tried at reactivation, too', async () => {
    const ctx = { ...contextOf(), ...servicesOf(bindings) };
    const left = async () =>
      (await take(ctx, { throttle: 'loginAnomaly', subject: 'all' }, 0))?.remaining ?? 0;
    const before = await left();
    for (let count = 0; count < 6; count += 1) {
      const body = { identifier: freshUsername(), password: 'from a list' };
      expect((await call('POST', '/v1/auth/reactivate', { bindings, body })).status).toBe(401);
    }
    expect(await left()).toBeLessThan(before - 3);
  });

  it('never stands between the right password and its owner while Turnstile is down', async () => {
    const { username } = await account();
    const down = downBindings();
    const ip = freshAddress();
    expect(await statusesOf(4, () => attempt(username, { ip, bindings: down }))).toEqual(times(4, 401));
    expect((await attempt(username, { ip, bindings: down, password })).status).toBe(200);
    const unset = challengedBindings({ TURNSTILE_SECRET: 'not the secret of the site' });
    const { username: other } = await account();
    expect(await statusesOf(4, () => attempt(other, { ip: '192.0.2.9', bindings: unset }))).toEqual(
      times(4, 401),
    );
    expect((await attempt(other, { ip: '192.0.2.9', bindings: unset, password })).status).toBe(200);
    // The counts without challenges hold all the same.
    const { username: third } = await account();
    const guess = () => attempt(third, { bindings: down, answer: 'anything' });
    expect(await statusesOf(12, guess)).toEqual([...times(10, 401), 429, 429]);
  });

  it('is asked of strangers to an account while logins fail everywhere, and not of its own networks', async () => {
    const { username } = await account();
    const home = freshAddress();
    expect((await attempt(username, { ip: home, password })).status).toBe(200);
    const noted: Promise<unknown>[] = [];
    const ctx = {
      ...contextOf(),
      ...servicesOf(bindings),
      background: (task: () => Promise<unknown>) => void noted.push(task()),
    };
    for (let count = 0; count < 310; count += 1) noteLogin(ctx, 'failed');
    await Promise.all(noted);
    // An isolate that has not looked yet.
    const looking = challengedBindings();
    const stranger = await attempt(username, { bindings: looking, password });
    expect((await problemOf(stranger)).code).toBe('auth.challenge_required');
    expect((await attempt(username, { bindings: looking, ip: home, password })).status).toBe(200);
    const name = freshUsername();
    const body = { username: name, email: `${name}@example.com`, password };
    const registered = await call('POST', '/v1/auth/register', { bindings: looking, body });
    expect(await problemOf(registered)).toMatchObject({ code: 'auth.challenge_required', status: 403 });
    for (let count = 0; count < 160; count += 1) noteLogin(ctx, 'succeeded');
    await Promise.all(noted);
    expect((await attempt(username, { bindings: challengedBindings(), password })).status).toBe(200);
  });
});

describe('the challenge at registration', () => {
  const registration = (settings: Bindings, answer?: string) => {
    const username = freshUsername();
    const body = {
      username,
      email: `${username}@example.com`,
      password,
      ...(answer === undefined ? {} : { challenge_response: answer }),
    };
    return call('POST', '/v1/auth/register', { bindings: settings, body });
  };

  it('is asked for where configured, and then needed', async () => {
    const always = challengedBindings({ CHALLENGE_AT_REGISTRATION: 'true' });
    expect(await problemOf(await registration(always))).toMatchObject({
      code: 'auth.challenge_required',
      challenge: { action: 'register' },
    });
    const [{ count: before } = {}] = await sqlRows<{ count: string }>('SELECT count(*) FROM users');
    expect((await registration(always, await solve('login'))).status).toBe(403);
    const [{ count: after } = {}] = await sqlRows<{ count: string }>('SELECT count(*) FROM users');
    expect(after).toBe(before);
    const answer = await solve('register');
    expect((await registration(always, answer)).status).toBe(201);
    expect((await problemOf(await registration(always, answer))).code).toBe('auth.challenge_failed');
    expect((await registration(bindings)).status).toBe(201);
  });

  it('waits while Turnstile is down', async () => {
    const down = downBindings({ CHALLENGE_AT_REGISTRATION: 'true' });
    for (const answer of [undefined, 'anything']) {
      const refused = await registration(down, answer);
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('30');
    }
  });
});
