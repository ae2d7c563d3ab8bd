import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../../src/context.ts';
import { notFound } from '../../../src/http/errors.ts';
import { quotaHeaders } from '../../../src/http/rate-limit/headers.ts';
import { hashedPartition, partitionOf } from '../../../src/http/rate-limit/partition.ts';
import {
  edgeGate,
  fareOf,
  type LimitName,
  rateLimit,
  rateLimitPolicies,
} from '../../../src/http/rate-limit.ts';
import { httpApp, httpContext, type LoggedLine, send } from '../../support/worker/http-app.ts';
import { type Item, parseList } from '../../support/worker/structured-fields.ts';

const user = (userId: string) =>
  ({ kind: 'user', userId, sessionId: '', scopes: [], amr: [], authTime: 0, epoch: 0 }) as const;

/** `t` of a RateLimit item. */
const secondsOf = (item: Item | undefined) => Number(item?.parameters.t ?? Number.NaN);
const pk = expect.any(Uint8Array);

let nextHost = 0;
const freshIp = () => {
  nextHost += 1;
  return `198.18.${nextHost >> 8}.${nextHost & 255}`;
};

function appWith(
  name: LimitName,
  overrides: Partial<RequestContext> = {},
  options: { units?: number; points?: number } = {},
) {
  const lines: LoggedLine[] = [];
  const base = httpContext({ ip: freshIp(), ...overrides }, lines);
  const app = httpApp((request) => {
    const ip = request.headers.get('x-test-ip');
    return ip === null ? base : { ...base, ip };
  });
  const fare = { limits: [name], points: 0, units: 1, ...fareOf({ limit: name }), ...options };
  app.get('/', edgeGate(), rateLimit(fare), (c) => c.json({}));
  app.get('/missing', rateLimit(fare), () => {
    throw notFound();
  });
  return {
    app,
    lines,
    get: (ip?: string, path = '/') =>
      send(app, path, ip === undefined ? {} : { headers: { 'x-test-ip': ip } }),
  };
}

describe('rate limiting', () => {
  it('tells quota and what is left of it on every answer, also on failures', async () => {
    const { get } = appWith('write');
    const first = await get();
    expect(parseList(first.headers.get('ratelimit-policy'))).toEqual([
      { value: 'write', parameters: { q: 120, w: 60, pk } },
      { value: 'network-budget', parameters: { q: 600, w: 60, pk } },
    ]);
    expect(parseList(first.headers.get('ratelimit'))).toEqual([
      { value: 'write', parameters: { r: 119, t: 1, pk } },
    ]);
    const failed = await get(undefined, '/missing');
    expect(failed.status).toBe(404);
    expect(parseList(failed.headers.get('ratelimit'))).toMatchObject([{ parameters: { r: 118 } }]);
  });

  it('lets exactly ten logins from an address pass, then answers 429 with a wait that is not too short', async () => {
    const { get } = appWith('auth');
    const answers = await Promise.all(Array.from({ length: 25 }, () => get()));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused).toBeDefined();
    const problem = (await refused?.json()) as { code: string; type: string };
    expect(problem.code).toBe('rate_limit.exceeded');
    expect(problem.type).toContain('quota-exceeded');
    const [left] = parseList(refused?.headers.get('ratelimit') ?? null);
    expect(left).toMatchObject({ value: 'auth', parameters: { r: 0 } });
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(secondsOf(left));
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });

  it('gives every IPv6 host of a /64 one quota, and another network its own', async () => {
    const { get } = appWith('auth');
    const prefix = `2001:db8:${Math.floor(Math.random() * 65_535).toString(16)}`;
    for (let host = 1; host <= 10; host += 1) await get(`${prefix}:7::${host.toString(16)}`);
    expect((await get(`${prefix.toUpperCase()}:0007:aaaa:0:0:1`)).status).toBe(429);
    expect((await get(`${prefix}:8::1`)).status).toBe(200);
  });

  it('counts an IPv4 address and its IPv6-mapped form together', async () => {
    const { get } = appWith('auth');
    const ip = freshIp();
    for (let count = 0; count < 10; count += 1) await get(ip);
    expect((await get(`::ffff:${ip}`)).status).toBe(429);
  });

  it('charges a signed-in user wherever they are, and strangers by address', async () => {
    const userId = crypto.randomUUID();
    const { get } = appWith('write', { actor: user(userId) }, { units: 60 });
    expect((await get(freshIp())).status).toBe(200);
    expect((await get(freshIp())).status).toBe(200);
    expect((await get(freshIp())).status).toBe(429);
    expect((await appWith('write').get(freshIp())).status).toBe(200);
  });

  it('gives each API key a budget of its own, and the windows of its account', async () => {
    const userId = crypto.randomUUID();
    const keyOf = (keyId: string) => ({ kind: 'api_key', keyId, userId, scopes: [] }) as const;
    const [one, two] = [keyOf(crypto.randomUUID()), keyOf(crypto.randomUUID())];
    const spent = await appWith('follow', { actor: one }, { points: 900 }).get();
    expect(parseList(spent.headers.get('ratelimit-policy'))[2]).toMatchObject({
      value: 'key-budget',
      parameters: { q: 900 },
    });
    const refused = await appWith('follow', { actor: one }).get();
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ 'violated-policies': ['key-budget'] });
    // Refused by the budget, charged to no window: 99 were left, of the account.
    for (const actor of [two, user(userId)])
      expect((await appWith('follow', { actor }).get()).status).toBe(200);
    const last = await appWith('follow', { actor: two }).get();
    expect(parseList(last.headers.get('ratelimit'))[0]).toMatchObject({
      value: 'follow-hour',
      parameters: { r: 96 },
    });
  });

  it('tells partitions by a hash that names nobody and differs by caller', async () => {
    const ip = freshIp();
    const keyOf = async (address: string) =>
      parseList((await appWith('write').get(address)).headers.get('ratelimit'))[0]?.parameters
        .pk as Uint8Array;
    const [mine, again, other] = [await keyOf(ip), await keyOf(ip), await keyOf(freshIp())];
    expect(mine).toHaveLength(6);
    expect(again).toEqual(mine);
    expect(other).not.toEqual(mine);
  });

  it('keeps policies apart', async () => {
    const actor = user(crypto.randomUUID());
    const writes = appWith('write', { actor }, { units: 120 });
    await writes.get();
    expect((await writes.get()).status).toBe(429);
    expect((await appWith('like', { actor }).get()).status).toBe(200);
  });

  it('lets a user follow a hundred an hour and says which window refused', async () => {
    const { get } = appWith('follow', { actor: user(crypto.randomUUID()) }, { units: 50 });
    const first = await get();
    expect(parseList(first.headers.get('ratelimit-policy'))).toEqual([
      { value: 'follow-hour', parameters: { q: 100, w: 3_600, pk } },
      { value: 'follow-day', parameters: { q: 400, w: 86_400, pk } },
      { value: 'user-budget', parameters: { q: 1_200, w: 60, pk } },
    ]);
    await get();
    const refused = await get();
    expect(refused.status).toBe(429);
    expect(parseList(refused.headers.get('ratelimit'))[0]?.value).toBe('follow-hour');
  });

  it('answers a busy reader from isolate memory for most requests', async () => {
    let calls = 0;
    const base = httpContext();
    const counted = {
      getByName: (name: string) => {
        calls += 1;
        return base.bindings.RATE_LIMITER.getByName(name);
      },
    };
    const { get } = appWith('read', {
      actor: user(crypto.randomUUID()),
      // All within one moment, however slow the machine.
      clock: { now: () => 1_790_000_000_000 },
      bindings: { ...base.bindings, RATE_LIMITER: counted as unknown as typeof base.bindings.RATE_LIMITER },
    });
    for (let count = 0; count < 60; count += 1) {
      const [left] = parseList((await get()).headers.get('ratelimit'));
      expect(Number(left?.parameters.r)).toBeGreaterThan(500);
      expect(Number(left?.parameters.r)).toBeLessThan(600);
    }
    expect(calls).toBeLessThan(12);
  });

  describe('when the count cannot be reached', () => {
    const unreachable = () => {
      const { bindings } = httpContext();
      const broken = { getByName: () => ({ take: () => Promise.reject(new Error('gone')) }) };
      return { ...bindings, RATE_LIMITER: broken as unknown as typeof bindings.RATE_LIMITER };
    };

    it('lets reads pass and says so in the log', async () => {
      const { get, lines } = appWith('read', { bindings: unreachable() });
      expect((await get()).status).toBe(200);
      expect(lines).toContainEqual(
        expect.objectContaining({
          event: 'rate_limit.unreachable',
          reason: 'failed_open',
          rate_limit_policy: 'read',
        }),
      );
    });

    it('refuses logins with 503 and says so in the log', async () => {
      for (const name of ['auth', 'refresh'] as const) {
        const { get, lines } = appWith(name, { bindings: unreachable() });
        const refused = await get();
        expect(refused.status).toBe(503);
        expect(refused.headers.get('retry-after')).not.toBeNull();
        expect(lines).toContainEqual(
          expect.objectContaining({
            event: 'rate_limit.unreachable',
            reason: 'failed_closed',
            level: 'error',
          }),
        );
      }
    });

    it('asks again with a new stub after a transient failure, and not when the object is overloaded', async () => {
      const { bindings } = httpContext();
      for (const [failure, status] of [
        [{ retryable: true }, 200],
        [{ retryable: true, overloaded: true }, 503],
      ] as const) {
        let stubs = 0;
        const flaky = {
          getByName: (name: string) => {
            stubs += 1;
            if (stubs > 1) return bindings.RATE_LIMITER.getByName(name);
            return { take: () => Promise.reject(Object.assign(new Error('moved'), failure)) };
          },
        };
        const { get } = appWith('auth', {
          bindings: { ...bindings, RATE_LIMITER: flaky as unknown as typeof bindings.RATE_LIMITER },
        });
        expect((await get()).status).toBe(status);
      }
    });
  });

  it('stops floods at the edge gate, by address, before the exact count', async () => {
    const { bindings } = httpContext();
    const keys: string[] = [];
    const ip = freshIp();
    const closed = {
      limit: async ({ key }: { key: string }) => {
        keys.push(key);
        return { success: false };
      },
    };
    const { get } = appWith('read', { ip, bindings: { ...bindings, EDGE_LIMIT: closed } });
    const refused = await get();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(
      secondsOf(parseList(refused.headers.get('ratelimit'))[0]),
    );
    expect(keys.join()).not.toContain(ip);
  });

  it('passes without the edge gate when that fails', async () => {
    const { bindings } = httpContext();
    const broken = { limit: () => Promise.reject(new Error('gone')) };
    expect((await appWith('read', { bindings: { ...bindings, EDGE_LIMIT: broken } }).get()).status).toBe(200);
  });

  it('does nothing when switched off', async () => {
    const { config } = httpContext();
    const off = { ...config, http: { ...config.http, rateLimitsEnabled: false } };
    const { get } = appWith('auth', { config: off }, { units: 1_000 });
    const response = await get();
    expect(response.status).toBe(200);
    expect(response.headers.get('ratelimit')).toBeNull();
  });
});

describe('who is charged', () => {
  it('is named in storage only by a keyed hash', async () => {
    const partition = partitionOf({ actor: { kind: 'anonymous' }, ip: '203.0.113.7' }, 'caller');
    const hashed = await hashedPartition('one secret of good length', partition);
    expect(hashed).toMatch(/^[0-9a-f]{32}$/);
    expect(await hashedPartition('one secret of good length', partition)).toBe(hashed);
    expect(await hashedPartition('another secret of length', partition)).not.toBe(hashed);
  });
});

describe('the policies', () => {
  it('have headers that parse, quotas that can be counted, and closed doors where passwords are tried', () => {
    for (const policy of Object.values(rateLimitPolicies)) {
      const [window] = policy.windows;
      const headers = quotaHeaders(policy.windows, { window, remaining: 0, resetSeconds: 1 });
      expect(parseList(headers['ratelimit-policy'] ?? null)).toHaveLength(policy.windows.length);
    }
    expect(rateLimitPolicies.auth).toMatchObject({ partition: 'ip', onFailure: 'closed', leaseUnits: 0 });
    expect(rateLimitPolicies.refresh).toMatchObject({ onFailure: 'closed', leaseUnits: 0 });
  });
});
