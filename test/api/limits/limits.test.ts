import { describe, expect, it } from 'vitest';
import { policyOf } from '../../../src/http/rate-limit/policies.ts';
import { fareOf } from '../../../src/http/rate-limit.ts';
import { type RoutePolicy, routePolicies } from '../../../src/http/route-policies.ts';
import { call, freshAddress, seedUser } from '../../support/worker/client.ts';
import { parseList } from '../../support/worker/structured-fields.ts';
import { countedBindings, lostBindings } from './counted.ts';

const readNothing = '/v1/users/usr_nobody';

describe('limits of the whole Worker', () => {
  it('let 1,000 readers of one network, 200 at once, have the quota and no more, leases included', async () => {
    const ip = freshAddress();
    const { bindings, objects } = countedBindings();
    const startedAt = Date.now();
    const statuses: number[] = [];
    for (let wave = 0; wave < 5; wave += 1)
      statuses.push(
        ...(
          await Promise.all(Array.from({ length: 200 }, () => call('GET', readNothing, { ip, bindings })))
        ).map(({ status }) => status),
      );
    const refilled = Math.ceil(((Date.now() - startedAt) / 60_000) * 600);
    const granted = statuses.filter((status) => status === 404).length;
    expect(statuses.filter((status) => status === 429)).toHaveLength(1_000 - granted);
    expect(granted).toBeLessThanOrEqual(600 + refilled);
    expect(granted).toBeGreaterThan(500);
    expect(new Set(objects).size).toBe(1);
  });

  it('cost no hop within a lease and one without, however many windows a route has', async () => {
    const user = await seedUser();
    const { bindings, objects } = countedBindings();
    const target = await seedUser();
    const followed = await call('PUT', `/v1/users/${target.id}/follow`, { token: user.token, bindings });
    expect(parseList(followed.headers.get('ratelimit-policy'))).toHaveLength(3);
    expect(objects).toHaveLength(1);
    const posted = await call('POST', '/v1/posts', { token: user.token, bindings, body: { text: 'hello' } });
    expect(posted.status).toBe(201);
    // Whatever the route, one object has all counts of a caller.
    expect(objects).toEqual([objects[0], objects[0]]);
    objects.length = 0;
    const answers = [];
    for (let index = 0; index < 40; index += 1)
      answers.push(await call('GET', readNothing, { token: user.token, bindings }));
    expect(answers.every(({ status }) => status === 404)).toBe(true);
    expect(objects.length).toBeLessThan(20);
  });

  it('charge reads 1 and writes 5 to the budget of the account, over all routes', async () => {
    const user = await seedUser();
    const target = await seedUser();
    const like = () => call('PUT', '/v1/posts/post_nothing/like', { token: user.token });
    const write = () => call('PUT', `/v1/users/${target.id}/block`, { token: user.token });
    // 120 likes take 600 points and 115 writes 575 of the 1,200.
    for (const [count, send] of [
      [120, like],
      [115, write],
    ] as const)
      for (let sent = 0; sent < count; sent += 20)
        await Promise.all(Array.from({ length: Math.min(20, count - sent) }, send));
    const follow = await call('PUT', '/v1/users/usr_nobody/follow', { token: user.token });
    const [left] = parseList(follow.headers.get('ratelimit'));
    expect(left?.value).toBe('user-budget');
    // 20 left and what came back meanwhile, 20 points a second.
    expect(Number(left?.parameters.r)).toBeLessThan(1_200 - 600);
    expect(parseList(follow.headers.get('ratelimit-policy'))).toHaveLength(3);
  });

  it('cannot be escaped by forged addresses in forwarding headers', async () => {
    const ip = freshAddress();
    const statuses = [];
    for (let index = 0; index < 12; index += 1) {
      const forged = `203.0.113.${index}`;
      const headers = {
        'x-forwarded-for': forged,
        'x-real-ip': forged,
        forwarded: `for=${forged}`,
        'true-client-ip': forged,
        'x-client-ip': forged,
      };
      const body = { refresh_token: 'nonsense', more: 'refused before it is looked up' };
      const answer = await call('POST', '/v1/auth/login', { ip, headers, body });
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([...Array(10).fill(422), 429, 429]);
  });

  it('cannot be escaped by spreading over a /64, whatever the spelling, and hold no neighbour', async () => {
    const attempt = (ip: string) => call('POST', '/v1/auth/login', { ip, body: {} });
    const statuses = [];
    for (const host of [
      '::1',
      ':0:0:0:1',
      ':ffff:ffff:ffff:ffff',
      '::abcd',
      ':1:2:3:4',
      '::2',
      '::3',
      '::4',
      '::5',
      '::6',
      '::7',
    ])
      statuses.push((await attempt(`2001:DB8:77:1${host}`)).status);
    expect(statuses).toEqual([...Array(10).fill(422), 429]);
    expect((await attempt('2001:db8:77:2::1')).status).toBe(422);
  });

  it('hold floods of refresh tokens to 60 a minute of a network', async () => {
    const ip = freshAddress();
    const flood = () =>
      call('POST', '/v1/auth/refresh', { ip, body: { refresh_token: `sfr_${crypto.randomUUID()}` } });
    const answers = await Promise.all(Array.from({ length: 90 }, flood));
    const refused = answers.filter(({ status }) => status === 429);
    // One comes back each second.
    expect(refused.length).toBeGreaterThan(15);
    expect(refused.length).toBeLessThanOrEqual(30);
    for (const answer of refused) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(90 - refused.length);
  });

  it('count accounts of a network by hour and day too, and give back what was refused', async () => {
    const network = () => `2001:db8:99:9::${crypto.randomUUID().slice(0, 4)}`;
    const answer = await call('POST', '/v1/auth/register', { ip: network(), body: {} });
    expect(answer.status).toBe(422);
    expect(parseList(answer.headers.get('ratelimit-policy')).map(({ value }) => value)).toEqual([
      'auth', 'register-hour', 'register-day',
    ]); // biome-ignore format: one list
    const again = await call('POST', '/v1/auth/register', { ip: network(), body: {} });
    expect(parseList(again.headers.get('ratelimit'))[0]).toMatchObject({
      value: 'auth',
      parameters: { r: 8 },
    });
    const social = await call('POST', '/v1/auth/oauth/register', { ip: network(), body: {} });
    expect(social.status).toBe(422);
    expect(parseList(social.headers.get('ratelimit-policy')).map(({ value }) => value)).toEqual([
      'oauth', 'register-hour', 'register-day',
    ]); // biome-ignore format: one list
  });

  it('count new keys of an account by day too', async () => {
    const { token } = await seedUser();
    const answer = await call('POST', '/v1/me/api-keys', { token, body: {} });
    expect(answer.status).toBe(422);
    const policies = parseList(answer.headers.get('ratelimit-policy'));
    expect(policies.map(({ value }) => value)).toEqual(['keys', 'keys-day', 'user-budget']);
  });
});

describe('when the counts are lost', () => {
  it('closed policies answer 503 and nothing is done; open ones let through', async () => {
    const bindings = lostBindings();
    const user = await seedUser();
    for (const [path, body] of [
      ['/v1/auth/login', { identifier: 'ada', password: 'some password' }],
      ['/v1/auth/register', { username: 'ada', email: 'ada@example.com', password: 'some password' }],
      ['/v1/auth/refresh', { refresh_token: 'sfr_x' }],
    ] as const) {
      const refused = await call('POST', path, { bindings, body });
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await call('GET', readNothing, { bindings, token: user.token })).status).toBe(404);
  });

  it('every route about passwords, tokens, keys and staff is closed', () => {
    const entries: [string, RoutePolicy][] = Object.entries(routePolicies);
    const harmless = new Set(['read', 'docs', 'health', 'webhook']);
    for (const [operation, policy] of entries) {
      const fare = fareOf(policy);
      if (fare === undefined) continue;
      const needed =
        (policy.access.kind === 'public' && !fare.limits.every((name) => harmless.has(name))) ||
        /api_?key/i.test(operation) ||
        policy.roles !== undefined;
      if (needed)
        expect(
          fare.limits.some((name) => policyOf(name).onFailure === 'closed'),
          operation,
        ).toBe(true);
    }
  });
});

describe('the fares of routes', () => {
  it('count under one partition each, so that one object holds them, and cost at least what their kind says', () => {
    const entries: [string, RoutePolicy][] = Object.entries(routePolicies);
    for (const [operation, policy] of entries) {
      const fare = fareOf(policy);
      if (fare === undefined) continue;
      expect(new Set(fare.limits.map((name) => policyOf(name).partition)).size, operation).toBe(1);
      if (policy.access.kind === 'user') expect(fare.points, operation).toBeGreaterThan(0);
      for (const name of fare.limits)
        expect(fare.points, operation).toBeGreaterThanOrEqual(policyOf(name).points);
    }
  });
});
