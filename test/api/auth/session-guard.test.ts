import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AccessEnd } from '../../../durable-objects/session-guard/session-guard.ts';
import worker from '../../../src/index.ts';
import {
  call,
  freshAddress,
  origin,
  roundTripsOf,
  seedUser,
  signToken,
  sqlRows,
} from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { deliverEvents } from '../../support/worker/queues.ts';
import { problemOf } from './accounts.ts';

afterEach(() => {
  vi.useRealTimers();
});

const later = (milliseconds: number) =>
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });

type Namespace = ReturnType<typeof testEnv>['SESSION_GUARD'];

/** The Worker with a session guard of the test's making; the databases are this file's. */
const workerWith = (guard: object) => {
  const bindings = { ...testEnv(env), SESSION_GUARD: guard as Namespace };
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

/** A guard that counts its calls. */
const countingGuard = () => {
  const { SESSION_GUARD } = testEnv(env);
  const calls: string[] = [];
  return {
    calls,
    getByName: (name: string) => {
      const stub = SESSION_GUARD.getByName(name);
      return {
        read: () => {
          calls.push('read');
          return stub.read();
        },
        end: (end: AccessEnd) => {
          calls.push('end');
          return stub.end(end);
        },
      };
    },
  };
};

const brokenGuard = {
  getByName: () => ({
    read: () => Promise.reject(new Error('unreachable')),
    end: () => Promise.reject(new Error('unreachable')),
  }),
};

/** Ends a session as another isolate would: this one hears of it only by asking. */
const endElsewhere = (user: { uuid: string; sessionUuid: string }) =>
  testEnv(env)
    .SESSION_GUARD.getByName(`user:${user.uuid}`)
    .end({ sessionIds: [user.sessionUuid], untilMs: Date.now() + 1_860_000 });

describe('whether a session has ended', () => {
  it('is asked for once in a lease, and never of the database', async () => {
    const [user, guard] = [await seedUser(), countingGuard()];
    const worker = workerWith(guard);
    for (let request = 0; request < 5; request += 1)
      expect(await roundTripsOf(await worker('GET', '/v1/me', user.token))).toMatchObject({ roundTrips: 1 });
    expect(guard.calls).toEqual(['read']);
    later(9_500);
    expect((await worker('GET', '/v1/me', user.token)).status).toBe(200);
    expect(guard.calls).toEqual(['read', 'read']);
  });

  it('is asked for every time where it matters most', async () => {
    const [user, guard] = [await seedUser(), countingGuard()];
    const worker = workerWith(guard);
    for (let request = 0; request < 3; request += 1)
      expect((await worker('GET', '/v1/me/sessions', user.token)).status).toBe(200);
    expect(guard.calls).toEqual(['read', 'read', 'read']);
  });

  it('is not asked for by strangers or for public routes', async () => {
    const [user, guard] = [await seedUser(), countingGuard()];
    const worker = workerWith(guard);
    expect((await worker('GET', '/.well-known/jwks.json', user.token)).status).toBe(200);
    expect((await worker('GET', '/v1/me', 'not.a.token')).status).toBe(401);
    expect(guard.calls).toEqual([]);
  });

  it('reaches sensitive routes of other isolates at once and the rest within ten seconds', async () => {
    const user = await seedUser();
    expect((await call('GET', '/v1/me', { token: user.token })).status).toBe(200);
    const profile = `/v1/users/${user.username}`;
    expect((await call('GET', profile, { token: user.token })).status).toBe(200);
    await endElsewhere(user);
    expect((await call('GET', '/v1/me', { token: user.token })).status).toBe(200);
    const socket = await call('GET', '/v1/realtime', {
      token: user.token,
      headers: { upgrade: 'websocket' },
    });
    expect(socket.status).toBe(401);
    // Having asked, this isolate knows.
    expect((await call('GET', '/v1/me', { token: user.token })).status).toBe(401);
    expect((await call('GET', profile, { token: user.token })).status).toBe(401);

    const reader = await seedUser();
    expect((await call('GET', '/v1/me', { token: reader.token })).status).toBe(200);
    await endElsewhere(reader);
    later(10_000);
    expect((await call('GET', '/v1/me', { token: reader.token })).status).toBe(401);
  });

  it('stays known here although another isolate has not heard of it in the database', async () => {
    const user = await seedUser();
    await endElsewhere(user);
    const response = await call('GET', '/v1/me', { token: user.token });
    expect(await problemOf(response)).toMatchObject({ status: 401, code: 'auth.unauthenticated' });
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 0 });
  });
});

describe('while the guard cannot be reached', () => {
  it('sensitive routes are closed, and change nothing', async () => {
    const user = await seedUser();
    const worker = workerWith(brokenGuard);
    for (const [method, path] of [
      ['GET', '/v1/me/sessions'],
      ['POST', '/v1/auth/logout-all'],
    ] as const) {
      const response = await worker(method, path, user.token);
      expect(response.headers.get('retry-after')).toBe('5');
      expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 0 });
      expect(await problemOf(response)).toMatchObject({ status: 503, code: 'service.unavailable' });
    }
    const [session] = await sqlRows('SELECT revoked_at FROM sessions WHERE id = $1', [user.sessionUuid]);
    expect(session).toEqual({ revoked_at: null });
  });

  it('other routes take tokens of the last five minutes, and no older ones', async () => {
    const user = await seedUser();
    const worker = workerWith(brokenGuard);
    const signed = (secondsAgo: number) =>
      signToken({
        userUuid: user.uuid,
        sessionUuid: user.sessionUuid,
        claims: { iat: Math.floor(Date.now() / 1000) - secondsAgo },
      });
    expect((await worker('GET', '/v1/me', await signed(290))).status).toBe(200);
    expect(await problemOf(await worker('GET', '/v1/me', await signed(310)))).toMatchObject({ status: 503 });
  });

  it('a session known to have ended stays ended', async () => {
    const user = await seedUser();
    await endElsewhere(user);
    expect((await call('GET', '/v1/me', { token: user.token })).status).toBe(401);
    later(20_000);
    expect((await workerWith(brokenGuard)('GET', '/v1/me', user.token)).status).toBe(401);
  });

  it('a logout ends the session, says that tokens may live on, and is made good by its event', async () => {
    const user = await seedUser();
    const broken = workerWith(brokenGuard);
    expect(await problemOf(await broken('POST', '/v1/auth/logout', user.token))).toMatchObject({
      status: 503,
      code: 'service.unavailable',
    });
    const [session] = await sqlRows('SELECT revoked_reason FROM sessions WHERE id = $1', [user.sessionUuid]);
    expect(session).toEqual({ revoked_reason: 'logout' });
    expect((await broken('GET', '/v1/me', user.token)).status).toBe(401);
    expect((await testEnv(env).SESSION_GUARD.getByName(`user:${user.uuid}`).read()).ended).toEqual([]);
    await deliverEvents();
    const { ended } = await testEnv(env).SESSION_GUARD.getByName(`user:${user.uuid}`).read();
    expect(ended.map(({ sessionId }) => sessionId)).toEqual([user.sessionUuid]);
  });
});
