import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import worker from '../../../src/index.ts';
import { randomBytes, sha256 } from '../../../src/shared/crypto.ts';
import { hex } from '../../../src/shared/encoding.ts';
import { formatSecretToken } from '../../../src/shared/secret-token.ts';
import {
  call,
  callJson,
  freshAddress,
  origin,
  roundTripsOf,
  seedUser,
  signToken,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { takeMessages } from '../../support/worker/queues.ts';
import { problemOf } from '../auth/accounts.ts';
import { enrol } from '../factors/enrol.ts';
import { type ApiKeyJson, createKey, requestKey } from './keys.ts';

afterEach(() => {
  vi.useRealTimers();
});

const later = (milliseconds: number) =>
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });

const me = (secret: string, ip?: string) =>
  call('GET', '/v1/me', { token: secret, ...(ip === undefined ? {} : { ip }) });
const write = (secret: string) => call('PATCH', '/v1/me', { token: secret, body: { bio: 'by a key' } });
const keysOf = async (user: TestUser) =>
  (await callJson<{ data: ApiKeyJson[] }>(200, 'GET', '/v1/me/api-keys', { token: user.token })).data;

/** The Worker of another isolate: it shares the databases and remembers nothing. */
const otherIsolate = () => {
  const bindings = { ...testEnv(env) };
  return async (method: string, path: string, token: string): Promise<Response> => {
    const execution = createExecutionContext();
    const response = await worker.fetch(
      new Request(`${origin}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'cf-connecting-ip': freshAddress() },
      }) as Parameters<typeof worker.fetch>[0],
      bindings,
      execution,
    );
    await waitOnExecutionContext(execution);
    return response;
  };
};

describe('an API key', () => {
  it('is shown once, kept as a hash, listed without it, told to its owner and audited', async () => {
    const user = await seedUser();
    takeMessages();
    const { api_key, secret } = await createKey(user, ['profile:read', 'posts:write'], {
      name: 'nightly export',
      expires_in_days: 7,
      networks: ['10.0.0.0/8', '2001:DB8::/32'],
    });
    expect(secret).toMatch(/^sfk_[A-Za-z0-9_-]{49}$/);
    expect(api_key).toMatchObject({
      name: 'nightly export',
      hint: secret.slice(-4),
      scopes: ['profile:read', 'posts:write'],
      networks: ['10.0.0.0/8', '2001:db8::/32'],
      last_used_at: null,
      last_used_country: null,
    });
    expect(Date.parse(api_key.expires_at) - Date.parse(api_key.created_at)).toBe(7 * 86_400_000);
    expect(await keysOf(user)).toEqual([api_key]);

    const [row] = await sqlRows<{ key_hash: string; row: string }>(
      "SELECT encode(key_hash, 'hex') AS key_hash, api_keys::text AS row FROM api_keys WHERE user_id = $1",
      [user.uuid],
    );
    expect(row?.key_hash).toBe(hex(await sha256(secret)));
    expect(row?.row).not.toContain(secret.slice(4, 20));
    const told = takeMessages().filter(({ body }) => body.type === 'account.security_notice');
    expect(told.map(({ body }) => body.data)).toMatchObject([
      {
        user_id: user.uuid,
        notice: 'api_key_created',
        detail: { name: 'nightly export', scopes: 'profile:read posts:write' },
      },
    ]);
    expect(JSON.stringify(told)).not.toContain(secret);
    expect(
      await sqlRows(
        `SELECT actor_kind, action, outcome, detail->'scopes' AS scopes FROM audit_log
         WHERE target_kind = 'api_key' AND actor_id = $1`,
        [user.uuid],
      ),
    ).toEqual([
      {
        actor_kind: 'user',
        action: 'api_keys.created',
        outcome: 'success',
        scopes: ['profile:read', 'posts:write'],
      },
    ]);
  });

  it('lives 90 days unless told, and a year at the most', async () => {
    const user = await seedUser();
    const { api_key } = await createKey(user, ['profile:read']);
    expect(Date.parse(api_key.expires_at) - Date.parse(api_key.created_at)).toBe(90 * 86_400_000);
    expect((await requestKey(user, { expires_in_days: 365 })).status).toBe(201);
    for (const expires_in_days of [0, -1, 366, 1.5, '30', null, 1e9])
      expect((await requestKey(user, { expires_in_days })).status, String(expires_in_days)).toBe(422);
  });

  it.each([
    [{ scopes: [] }],
    [{ scopes: ['admin'] }],
    [{ scopes: ['*'] }],
    [{ scopes: ['profile:read', 'profile:read'] }],
    [{ scopes: 'profile:read' }],
    [{ scopes: undefined }],
    [{ name: '' }],
    [{ name: 'x'.repeat(51) }],
    [{ name: 'two\nlines' }],
    [{ networks: ['10.0.0.1/8'] }],
    [{ networks: ['everywhere'] }],
    [{ networks: ['10.0.0.0/33'] }],
    [{ networks: Array.from({ length: 11 }, (_, index) => `10.0.0.${index}`) }],
    [{ user_id: 'usr_00000000000000000000000000' }],
    [{ id: 'key_00000000000000000000000000' }],
    [{ secret: 'sfk_mine' }],
    [{ roles: ['admin'] }],
  ])('is not made of %j', async (changes) => {
    const user = await seedUser();
    expect(await problemOf(await requestKey(user, changes))).toMatchObject({
      status: 422,
      code: 'request.invalid',
    });
    expect(await sqlRows('SELECT 1 AS one FROM api_keys WHERE user_id = $1', [user.uuid])).toEqual([]);
  });

  it('needs a recent login, by a second factor where there is one', async () => {
    const user = await seedUser();
    const stale = await signToken({
      userUuid: user.uuid,
      sessionUuid: user.sessionUuid,
      claims: { auth_time: Math.floor(Date.now() / 1000) - 301 },
    });
    expect(await problemOf(await requestKey({ ...user, token: stale }))).toMatchObject({
      code: 'auth.step_up_required',
    });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    await enrol(user.token);
    expect(await problemOf(await requestKey(user))).toMatchObject({ code: 'auth.step_up_required' });
    expect(await sqlRows('SELECT 1 AS one FROM api_keys WHERE user_id = $1', [user.uuid])).toEqual([]);
  });

  it('is limited to twenty live ones, however many are asked for at once', async () => {
    const user = await seedUser();
    await sqlRows(
      `INSERT INTO api_keys (id, user_id, name, key_hash, hint, scopes, created_at, expires_at)
       SELECT gen_random_uuid(), $1::uuid, 'old ' || n, sha256(convert_to($1::text || n, 'UTF8')), 'abcd', '{profile:read}', now(), now() + interval '1 day'
       FROM generate_series(1, 17) AS n`,
      [user.uuid],
    );
    const answers = await Promise.all(Array.from({ length: 8 }, () => requestKey(user)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 201, 409, 409, 409, 409, 409]);
    const refused = answers.find(({ status }) => status === 409);
    expect(await problemOf(refused as Response)).toMatchObject({ code: 'api_keys.too_many' });
    const [first] = await keysOf(user);
    expect((await call('DELETE', `/v1/me/api-keys/${first?.id}`, { token: user.token })).status).toBe(204);
    expect((await requestKey(user)).status).toBe(201);
    expect((await requestKey(user)).status).toBe(409);
  });

  it('may be renamed, and nothing else of it may change', async () => {
    const user = await seedUser();
    const { api_key } = await createKey(user, ['profile:read']);
    const path = `/v1/me/api-keys/${api_key.id}`;
    const rename = (body: unknown) => call('PATCH', path, { token: user.token, body });
    expect(await (await rename({ name: 'the export' })).json()).toEqual({ ...api_key, name: 'the export' });
    for (const body of [
      {},
      { name: '' },
      { name: 'x', scopes: ['posts:write'] },
      { name: 'x', expires_at: '2099-01-01T00:00:00Z' },
    ])
      expect((await rename(body)).status, JSON.stringify(body)).toBe(422);
    expect(await keysOf(user)).toEqual([{ ...api_key, name: 'the export' }]);
  });

  it('of another account is as little there as one that never was', async () => {
    const [owner, other] = [await seedUser(), await seedUser()];
    const { api_key, secret } = await createKey(owner, ['profile:read']);
    const neverWas = 'key_01jabcdefghjkmnpqrstvwxyz0';
    for (const id of [api_key.id, neverWas, 'usr_01jabcdefghjkmnpqrstvwxyz0', 'nonsense'])
      for (const [method, body] of [
        ['DELETE', undefined],
        ['PATCH', { name: 'mine now' }],
      ] as const) {
        const response = await call(method, `/v1/me/api-keys/${id}`, { token: other.token, body });
        expect(response.status, `${method} ${id}`).toBe(404);
      }
    expect(await keysOf(other)).toEqual([]);
    expect(await keysOf(owner)).toHaveLength(1);
    expect((await me(secret)).status).toBe(200);
  });
});

describe('a call by an API key', () => {
  it('acts for its account within its scopes, and nowhere else', async () => {
    const user = await seedUser();
    const { secret } = await createKey(user, ['profile:read']);
    expect(await (await me(secret)).json()).toMatchObject({ id: user.id });
    const refused = await write(secret);
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer realm="social-flow", error="insufficient_scope", scope="profile:write"',
    );
    expect(await problemOf(refused)).toMatchObject({ status: 403, code: 'auth.insufficient_scope' });
    expect((await call('GET', '/v1/me/blocks', { token: secret })).status).toBe(403);
    expect((await call('GET', `/v1/users/${user.username}`, { token: secret })).status).toBe(200);
    const [row] = await sqlRows('SELECT bio FROM users WHERE id = $1', [user.uuid]);
    expect(row).toEqual({ bio: '' });
  });

  it('is refused wherever a session is needed, and so makes no keys', async () => {
    const user = await seedUser();
    const { secret, api_key } = await createKey(user, ['profile:read', 'profile:write', 'posts:write']);
    for (const [method, path, body] of [
      ['POST', '/v1/me/api-keys', { name: 'child', scopes: ['profile:read'] }],
      ['GET', '/v1/me/api-keys', undefined],
      ['DELETE', `/v1/me/api-keys/${api_key.id}`, undefined],
      ['GET', '/v1/me/sessions', undefined],
      ['POST', '/v1/auth/logout', undefined],
      ['POST', '/v1/auth/step-up', { password: 'x' }],
      ['POST', '/v1/me/factors/totp', undefined],
      ['POST', '/v1/me/password', { current_password: 'x', new_password: 'y' }],
    ] as const) {
      const response = await call(method, path, { token: secret, body });
      expect(await problemOf(response), `${method} ${path}`).toMatchObject({
        status: 403,
        code: 'auth.api_key_refused',
      });
    }
    expect(await keysOf(user)).toHaveLength(1);
  });

  it('stands in the audit log as that key', async () => {
    const user = await seedUser();
    const { secret, api_key } = await createKey(user, ['posts:write']);
    const response = await call('POST', '/v1/posts', { token: secret, body: { text: 'by a program' } });
    expect(response.status).toBe(201);
    const rows = await sqlRows<{ actor_kind: string; key: string }>(
      `SELECT actor_kind, detail->>'api_key_id' AS key FROM audit_log WHERE actor_id = $1 AND actor_kind = 'api_key'`,
      [user.uuid],
    );
    expect(rows).toHaveLength(1);
    expect(api_key.id).toContain('key_');
    expect(rows[0]?.key).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('costs one trip, none for reads while the isolate remembers, and always one for writes', async () => {
    const user = await seedUser();
    const { secret } = await createKey(user, ['profile:read', 'profile:write']);
    expect(await roundTripsOf(await me(secret))).toMatchObject({ roundTrips: 2, background: 1 });
    expect(await roundTripsOf(await me(secret))).toMatchObject({ roundTrips: 1, background: 0 });
    expect(await roundTripsOf(await write(secret))).toMatchObject({ roundTrips: 2, background: 0 });
    later(9_100);
    expect(await roundTripsOf(await me(secret))).toMatchObject({ roundTrips: 2, background: 0 });
  });

  it('notes when and where it was used, once a minute', async () => {
    const user = await seedUser();
    const { secret } = await createKey(user, ['profile:read']);
    const used = () =>
      sqlRows<{ at: string; network: string; same: boolean }>(
        `SELECT last_used_at::text AS at, encode(last_used_network, 'hex') AS network FROM api_keys WHERE user_id = $1`,
        [user.uuid],
      );
    await me(secret, '10.9.8.7');
    const first = await used();
    expect(first[0]?.network).toMatch(/^[0-9a-f]{32}$/);
    expect(Date.now() - Date.parse((await keysOf(user))[0]?.last_used_at ?? '')).toBeLessThan(60_000);
    later(30_000);
    await me(secret, '10.9.8.6');
    expect(await used()).toEqual(first);
    later(61_000);
    await me(secret, '10.9.8.6');
    const [next] = await used();
    expect(next?.network).not.toBe(first[0]?.network);
    expect(next?.at).not.toBe(first[0]?.at);
  });

  it('is refused without a trip when the key is malformed or its checksum is wrong', async () => {
    const { secret } = await createKey(await seedUser(), ['profile:read']);
    const flipped = secret.endsWith('A') ? `${secret.slice(0, -1)}B` : `${secret.slice(0, -1)}A`;
    for (const forged of [
      flipped,
      `${secret}A`,
      secret.slice(0, -1),
      'sfk_',
      'sfk_x',
      secret.toUpperCase(),
    ]) {
      const response = await me(forged);
      expect(response.headers.get('www-authenticate')).toContain('invalid_token');
      expect(await roundTripsOf(response), forged).toMatchObject({ roundTrips: 0 });
      expect(await problemOf(response)).toMatchObject({ status: 401, code: 'auth.unauthenticated' });
    }
    const unknown = formatSecretToken('sfk_', randomBytes(32));
    for (const [ask, roundTrips] of [
      [me, 1],
      [me, 0],
      [write, 1],
    ] as const) {
      const response = await ask(unknown);
      expect(response.status).toBe(401);
      expect(await roundTripsOf(response)).toMatchObject({ roundTrips });
    }
    expect((await call('GET', '/v1/me', { token: secret.replace('sfk_', 'sfr_') })).status).toBe(401);
  });

  it('is not read from a cookie, where browsers would send it unasked', async () => {
    const { secret } = await createKey(await seedUser(), ['profile:read']);
    for (const cookie of [`__Host-sf_access=${secret}`, `sfk=${secret}`])
      expect((await call('GET', '/v1/me', { headers: { cookie } })).status).toBe(401);
    expect([400, 401]).toContain((await call('GET', `/v1/me?access_token=${secret}`)).status);
  });

  it('is refused from outside the networks of the key, as if there were none', async () => {
    const { secret } = await createKey(await seedUser(), ['profile:read'], {
      networks: ['192.0.2.0/24', '2001:db8:7::/48', '198.51.100.7'],
    });
    for (const ip of ['192.0.2.1', '192.0.2.255', '2001:db8:7:1::5', '198.51.100.7', '::ffff:192.0.2.9'])
      expect((await me(secret, ip)).status, ip).toBe(200);
    for (const ip of ['192.0.3.1', '2001:db8:8::1', '198.51.100.8', '10.0.0.1', 'nonsense'])
      expect(await problemOf(await me(secret, ip)), ip).toMatchObject({ code: 'auth.unauthenticated' });
  });
});

describe('the end of an API key', () => {
  const dead = async (secret: string) => [(await me(secret)).status, (await write(secret)).status];

  it('by revocation holds here at once, elsewhere at once for writes and within ten seconds for reads', async () => {
    const user = await seedUser();
    const { api_key, secret } = await createKey(user, ['profile:read', 'profile:write']);
    const elsewhere = otherIsolate();
    expect((await elsewhere('GET', '/v1/me', secret)).status).toBe(200);
    expect(await dead(secret)).toEqual([200, 200]);
    const path = `/v1/me/api-keys/${api_key.id}`;
    expect((await call('DELETE', path, { token: user.token })).status).toBe(204);
    expect(await dead(secret)).toEqual([401, 401]);
    expect((await elsewhere('GET', '/v1/me', secret)).status).toBe(200);
    expect((await elsewhere('PATCH', '/v1/me', secret)).status).toBe(401);
    // Having asked, that isolate knows.
    expect((await elsewhere('GET', '/v1/me', secret)).status).toBe(401);
    expect((await call('DELETE', path, { token: user.token })).status).toBe(404);
    expect(await keysOf(user)).toEqual([]);
    expect(
      await sqlRows("SELECT action FROM audit_log WHERE actor_id = $1 AND action = 'api_keys.revoked'", [
        user.uuid,
      ]),
    ).toHaveLength(1);

    const reader = await createKey(user, ['profile:read']);
    expect((await elsewhere('GET', '/v1/me', reader.secret)).status).toBe(200);
    await call('DELETE', `/v1/me/api-keys/${reader.api_key.id}`, { token: user.token });
    later(10_000);
    expect((await elsewhere('GET', '/v1/me', reader.secret)).status).toBe(401);
  });

  it('comes with its expiry, remembered or not', async () => {
    const user = await seedUser();
    const { secret } = await createKey(user, ['profile:read', 'profile:write'], { expires_in_days: 1 });
    later(86_400_000 - 2_000);
    expect(await dead(secret)).toEqual([200, 200]);
    later(2_100);
    expect(await dead(secret)).toEqual([401, 401]);
  });

  it.each(['suspended', 'deactivated', 'deleted'])('comes with its account being %s', async (status) => {
    const user = await seedUser();
    const { secret } = await createKey(user, ['profile:read', 'profile:write']);
    await sqlRows('UPDATE users SET status = $2 WHERE id = $1', [user.uuid, status]);
    expect(await dead(secret)).toEqual([401, 401]);
  });

  it('does not come with a session or a password of its owner', async () => {
    const user = await seedUser();
    const { secret } = await createKey(user, ['profile:read', 'profile:write']);
    expect((await call('POST', '/v1/auth/logout-all', { token: user.token })).status).toBe(204);
    expect(await dead(secret)).toEqual([200, 200]);
  });
});
