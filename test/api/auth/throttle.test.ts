import { beforeEach, describe, expect, it } from 'vitest';
import { passwordHashesStarted } from '../../../src/modules/auth/index.ts';
import { login } from '../../../src/modules/auth/usecases/login.ts';
import { call, freshAddress, seedUser, sqlRows } from '../../support/worker/client.ts';
import { contextOf } from '../../support/worker/films.ts';
import { freshUsername, logIn, password, problemOf, registerAccount } from './accounts.ts';
import { weakerHashOf } from './weaker-hash.ts';

// Guessing is slow by the cost of a hash; a weaker one leaves the counting as it is.
let hash: string;
beforeEach(async () => {
  hash = await weakerHashOf(password);
});

async function account(): Promise<{ readonly username: string; readonly uuid: string }> {
  const user = await seedUser();
  await sqlRows('UPDATE users SET password_hash = $2 WHERE id = $1', [user.uuid, hash]);
  return user;
}

const guess = (identifier: string, ip: string) => logIn(identifier, 'not the password', { ip });

async function statusesOf(count: number, attempt: () => Promise<Response>): Promise<number[]> {
  const statuses = [];
  for (let index = 0; index < count; index += 1) statuses.push((await attempt()).status);
  return statuses;
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

const times = (count: number, status: number) => Array<number>(count).fill(status);

describe('guessing passwords', () => {
  it('of one account from one network stops after five failures', async () => {
    const { username } = await account();
    const ip = freshAddress();
    expect(await statusesOf(7, () => guess(username, ip))).toEqual([...times(5, 401), 429, 429]);
    const blocked = await logIn(username, password, { ip });
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(60);
    expect(await problemOf(blocked)).toMatchObject({ status: 429, code: 'auth.too_many_failures' });
  });

  it('of one account from many networks stops after ten failures in all', async () => {
    const { username } = await account();
    expect(await statusesOf(15, () => guess(username, freshAddress()))).toEqual([
      ...times(10, 401),
      ...times(5, 429),
    ]);
  });

  it('of one account from many networks at once gets no further', async () => {
    const { username } = await account();
    const answers = await Promise.all(Array.from({ length: 20 }, () => guess(username, freshAddress())));
    expect(answers.filter((answer) => answer.status === 401).length).toBeLessThanOrEqual(10);
    expect(answers.filter((answer) => answer.status === 429).length).toBeGreaterThanOrEqual(10);
  });

  it('within one IPv6 /64 is one network', async () => {
    const { username } = await account();
    let host = 0;
    const attempt = () => {
      host += 1;
      return guess(username, `2001:db8:7:7::${host.toString(16)}`);
    };
    expect(await statusesOf(6, attempt)).toEqual([...times(5, 401), 429]);
  });

  it('does not tell whose an address is: name and address have a budget each, as those of strangers', async () => {
    const { username, uuid } = await account();
    await sqlRows('UPDATE users SET email_verified_at = now() WHERE id = $1', [uuid]);
    const addresses = [`${username}@EXAMPLE.com`, `${freshUsername()}@example.com`];
    const ip = freshAddress();
    await statusesOf(5, () => guess(username, ip));
    await statusesOf(10, () => guess(username, freshAddress()));
    for (const address of addresses) {
      const from = freshAddress();
      expect((await guess(address, ip)).status).toBe(401);
      expect(await statusesOf(6, () => guess(address, from))).toEqual([...times(5, 401), 429]);
    }
  });

  it('of one account in any spelling of its name spends one budget', async () => {
    const { username } = await account();
    const ip = freshAddress();
    await statusesOf(3, () => guess(username, ip));
    expect(await statusesOf(3, () => guess(username.toUpperCase(), ip))).toEqual([401, 401, 429]);
  });

  it('gets the same answers for accounts that do not exist', async () => {
    const { username } = await account();
    const strange = freshUsername();
    for (const from of [() => freshAddress, () => () => '192.0.2.77']) {
      const address = from();
      const [known, unknown] = [
        await statusesOf(12, () => guess(username, address())),
        await statusesOf(12, () => guess(strange, address())),
      ];
      expect(unknown).toEqual(known);
    }
    const bodies = [];
    for (const name of [username, strange]) {
      const { request_id: _, ...body } = (await (await guess(name, freshAddress())).json()) as Record<
        string,
        unknown
      >;
      bodies.push(body);
    }
    expect(bodies[0]).toEqual(bodies[1]);
    expect(bodies[0]).toMatchObject({ code: 'auth.too_many_failures' });
  });

  it('of many accounts from one network stops after twenty failures, and other networks go on', async () => {
    const names: string[] = [];
    for (let index = 0; index < 22; index += 1) names.push((await account()).username);
    // The verb itself, since the route lets no address try more than ten times a minute.
    const from = (ip: string) => ({ ...contextOf(), actor: { kind: 'anonymous' } as const, ip });
    const outcomes = [];
    for (const identifier of names)
      outcomes.push(await login(from('2001:db8:5::1'), { identifier, password: 'not it' }).catch(codeOf));
    expect(outcomes).toEqual([
      ...Array<string>(20).fill('auth.invalid_credentials'),
      'auth.too_many_failures',
      'auth.too_many_failures',
    ]);
    const identifier = freshUsername();
    expect(await login(from('2001:db8:9::1'), { identifier, password: 'not it' }).catch(codeOf)).toBe(
      'auth.invalid_credentials',
    );
  });

  it('is not let through when failures cannot be counted', async () => {
    const { username } = await account();
    const ctx = contextOf();
    const unreachable = {
      getByName: () => {
        throw new Error('no object');
      },
    } as unknown as typeof ctx.bindings.RATE_LIMITER;
    const broken = { ...ctx, bindings: { ...ctx.bindings, RATE_LIMITER: unreachable } };
    const before = passwordHashesStarted();
    expect(await login(broken, { identifier: username, password }).catch(codeOf)).toBe('service.unavailable');
    expect(passwordHashesStarted()).toBe(before);
  });
});

describe('the owner of an account under attack', () => {
  it('logs in from a network that was used before, whatever others did', async () => {
    const { username } = await account();
    const home = freshAddress();
    expect((await logIn(username, password, { ip: home })).status).toBe(200);
    await statusesOf(14, () => guess(username, freshAddress()));
    expect((await guess(username, freshAddress())).status).toBe(429);
    expect((await logIn(username, password, { ip: home })).status).toBe(200);
    expect((await guess(username, home)).status).toBe(401);
    expect((await logIn(username, password, { ip: home })).status).toBe(200);
  });

  it('logs in from where the account was registered', async () => {
    const ip = freshAddress();
    const username = freshUsername();
    const body = { username, email: `${username}@example.com`, password };
    expect((await call('POST', '/v1/auth/register', { ip, body })).status).toBe(201);
    await statusesOf(12, () => guess(username, freshAddress()));
    expect((await logIn(username, password, { ip })).status).toBe(200);
  });

  it('is not held up by guesses at other accounts from the same network', async () => {
    const { username } = await account();
    const ip = '2001:db8:6::1';
    expect((await logIn(username, password, { ip })).status).toBe(200);
    const other = await account();
    await statusesOf(6, () => guess(other.username, ip));
    expect((await logIn(username, password, { ip })).status).toBe(200);
  });

  it('pays nothing for logins that succeed', async () => {
    const { username } = await account();
    expect(await statusesOf(12, () => logIn(username, password, { ip: freshAddress() }))).toEqual(
      times(12, 200),
    );
    expect((await guess(username, freshAddress())).status).toBe(401);
  });

  it('is known by networks under a keyed hash, never by address', async () => {
    const { user } = await registerAccount();
    const rows = await sqlRows<{ length: number }>(
      `SELECT octet_length(network_hash) AS length FROM login_networks JOIN users ON users.id = user_id WHERE username = $1`,
      [user.username],
    );
    expect(rows).toEqual([{ length: 16 }]);
  });
});
