import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { servicesOf } from '../../../src/context.ts';
import { maintainDatabase } from '../../../src/db/maintenance.ts';
import { systemContext } from '../../../src/jobs/system-context.ts';
import { rotateRefreshToken } from '../../../src/modules/auth/refresh.repository.ts';
import { refreshTokenHash } from '../../../src/modules/auth/usecases/open-session.ts';
import { call, callJson, roundTripsOf, seedUser, sqlRows } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { breakDatabase } from '../../support/worker/faults.ts';
import { takeMessages } from '../../support/worker/queues.ts';
import { logIn, problemOf, refresh, registerAccount, type TokenBody } from './accounts.ts';
import { seedRefreshToken } from './sessions.ts';

afterEach(() => {
  vi.useRealTimers();
});

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Moves time forward for the Worker; the database is told the time by it. */
const later = (milliseconds: number) => {
  const now = Date.now() + milliseconds;
  vi.useFakeTimers({ toFake: ['Date'], now });
};

const pairOf = async (response: Response): Promise<TokenBody> => {
  if (response.status !== 200)
    throw new Error(`refresh answered ${response.status}: ${await response.text()}`);
  return response.json();
};

const claimsOf = (token: string) =>
  JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'))) as Record<
    string,
    unknown
  >;

const familyOf = async (sessionUuid: string) => {
  const [family] = await sqlRows<{ revoked_reason: string | null; live: number; tokens: number }>(
    `SELECT revoked_reason, count(*) FILTER (WHERE rotated_at IS NULL)::int AS live, count(*)::int AS tokens
     FROM sessions JOIN refresh_tokens ON session_id = sessions.id WHERE sessions.id = $1 GROUP BY sessions.id`,
    [sessionUuid],
  );
  return family;
};

/** A session with a refresh token, without the cost of a password hash. */
const newFamily = async () => {
  const user = await seedUser();
  return { ...user, refreshToken: await seedRefreshToken(user.sessionUuid) };
};

describe('refreshing', () => {
  it('gives a new pair for the same session, in one round trip', async () => {
    const signedIn = await registerAccount();
    later(minuteMs);
    const response = await refresh(signedIn.refresh_token);
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
    expect(response.headers.get('cache-control')).toContain('no-store');
    const pair = await pairOf(response);
    expect(pair).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 1_800,
      refresh_token: expect.stringMatching(/^sfr_/),
      refresh_expires_in: 604_800,
    });
    expect(pair.refresh_token).not.toBe(signedIn.refresh_token);
    const [before, after] = [claimsOf(signedIn.access_token), claimsOf(pair.access_token)];
    for (const claim of ['iss', 'aud', 'sub', 'sid', 'epoch', 'scope', 'amr', 'auth_time'])
      expect(after[claim], claim).toEqual(before[claim]);
    expect(after.jti).not.toBe(before.jti);
    await callJson(200, 'GET', '/v1/me', { token: pair.access_token });
  });

  it('goes on for as long as each token is used in time', async () => {
    let { refreshToken } = await newFamily();
    for (let use = 0; use < 4; use += 1) {
      refreshToken = (await pairOf(await refresh(refreshToken))).refresh_token;
    }
    expect(refreshToken).toMatch(/^sfr_/);
  });

  it('puts new roles and a raised epoch into the next token', async () => {
    const family = await newFamily();
    await sqlRows("UPDATE users SET roles = '{user,creator}', token_epoch = 7 WHERE id = $1", [family.uuid]);
    const pair = await pairOf(await refresh(family.refreshToken));
    expect(claimsOf(pair.access_token)).toMatchObject({ scope: 'user creator', epoch: 7 });
  });

  it('gives a client that lost the answer the same pair again, in one round trip', async () => {
    const family = await newFamily();
    const pair = await pairOf(await refresh(family.refreshToken));
    later(20_000);
    const repeated = await refresh(family.refreshToken);
    expect(await roundTripsOf(repeated)).toMatchObject({ roundTrips: 1 });
    const again = await pairOf(repeated);
    expect(again.access_token).toBe(pair.access_token);
    expect(again.refresh_token).toBe(pair.refresh_token);
    expect(pair.expires_in - again.expires_in).toBeGreaterThanOrEqual(20);
    expect(pair.refresh_expires_in - again.refresh_expires_in).toBeGreaterThanOrEqual(20);
    expect(await familyOf(family.sessionUuid)).toEqual({ revoked_reason: null, live: 1, tokens: 2 });
    await callJson(200, 'GET', '/v1/me', { token: again.access_token });
    expect((await refresh(again.refresh_token)).status).toBe(200);
  });

  it('gives the same pair when the database lost the answer after it was written', async () => {
    const family = await newFamily();
    await breakDatabase({ mode: 'error', when: 'after', count: 1, sqlstate: '08006' });
    const lost = await refresh(family.refreshToken);
    await breakDatabase({ mode: 'none' });
    expect([200, 503]).toContain(lost.status);
    expect((await refresh(family.refreshToken)).status).toBe(200);
    expect(await familyOf(family.sessionUuid)).toEqual({ revoked_reason: null, live: 1, tokens: 2 });
  });

  it('takes a repeat by another user agent for a theft', async () => {
    const family = await newFamily();
    await pairOf(await refresh(family.refreshToken));
    const stolen = await call('POST', '/v1/auth/refresh', {
      body: { refresh_token: family.refreshToken },
      headers: { 'user-agent': 'Thief/1.0' },
    });
    expect(await problemOf(stolen)).toMatchObject({ status: 401, code: 'auth.refresh_reused' });
    expect(await familyOf(family.sessionUuid)).toMatchObject({ revoked_reason: 'refresh_reuse' });
  });

  it('repeats nothing once the session is over', async () => {
    const family = await newFamily();
    const pair = await pairOf(await refresh(family.refreshToken));
    expect((await call('POST', '/v1/auth/logout', { token: pair.access_token })).status).toBe(204);
    expect(await problemOf(await refresh(family.refreshToken))).toMatchObject({
      status: 401,
      code: 'auth.refresh_invalid',
    });
  });

  it('keeps the answer sealed, for its own row only, and forgets it with the exchange of its token', async () => {
    const families = [await newFamily(), await newFamily()] as const;
    const pairs = [
      await pairOf(await refresh(families[0].refreshToken)),
      await pairOf(await refresh(families[1].refreshToken)),
    ] as const;
    const blobOf = async (sessionUuid: string) =>
      (
        await sqlRows<{ id: string; blob: string }>(
          `SELECT id, encode(replay_blob, 'escape') AS blob FROM refresh_tokens
           WHERE session_id = $1 AND replay_blob IS NOT NULL`,
          [sessionUuid],
        )
      )[0];
    for (const [index, family] of families.entries()) {
      const blob = (await blobOf(family.sessionUuid))?.blob ?? '';
      expect(blob.length).toBeGreaterThan(60);
      expect(blob).not.toContain('sfr_');
      expect(blob).not.toContain(pairs[index]?.refresh_token.slice(4, 30));
    }
    const [first, second] = families;
    await sqlRows(
      `UPDATE refresh_tokens AS one SET replay_blob = other.replay_blob FROM refresh_tokens AS other
       WHERE one.session_id = $1 AND other.session_id = $2 AND one.generation = 1 AND other.generation = 1`,
      [first.sessionUuid, second.sessionUuid],
    );
    expect(await problemOf(await refresh(first.refreshToken))).toMatchObject({
      status: 409,
      code: 'auth.refresh_conflict',
    });
    await pairOf(await refresh(pairs[1].refresh_token));
    const [kept] = await sqlRows(
      'SELECT count(replay_blob)::int AS blobs FROM refresh_tokens WHERE session_id = $1 AND rotated_at IS NOT NULL',
      [second.sessionUuid],
    );
    expect(kept).toEqual({ blobs: 0 });
  });

  it('leaves no sealed answer behind when the window is over', async () => {
    const family = await newFamily();
    await pairOf(await refresh(family.refreshToken));
    const sealed = async () =>
      (
        await sqlRows<{ blobs: number }>(
          'SELECT count(replay_blob)::int AS blobs FROM refresh_tokens WHERE session_id = $1',
          [family.sessionUuid],
        )
      )[0]?.blobs;
    const ctx = systemContext(servicesOf(testEnv(env)), { job: 'test' });
    await maintainDatabase(ctx);
    expect(await sealed()).toBe(1);
    await maintainDatabase({ ...ctx, clock: { now: () => Date.now() + 31_000 } });
    expect(await sealed()).toBe(0);
  });

  it('ends the session when a token is shown again later, for the thief and the owner alike', async () => {
    const family = await newFamily();
    const pair = await pairOf(await refresh(family.refreshToken));
    later(31_000);
    const reuse = await refresh(family.refreshToken);
    expect(await roundTripsOf(reuse)).toMatchObject({ roundTrips: 1 });
    expect(await problemOf(reuse)).toMatchObject({ status: 401, code: 'auth.refresh_reused' });
    expect(await problemOf(await refresh(pair.refresh_token))).toMatchObject({
      status: 401,
      code: 'auth.refresh_invalid',
    });
    expect(await familyOf(family.sessionUuid)).toMatchObject({ revoked_reason: 'refresh_reuse' });
    const audit = await sqlRows(
      "SELECT outcome FROM audit_log WHERE action = 'auth.refresh_reused' AND target_id = $1",
      [family.uuid],
    );
    expect(audit).toEqual([{ outcome: 'denied' }]);
  });

  it('ends the session at once for a token older than the immediate predecessor', async () => {
    const family = await newFamily();
    const second = await pairOf(await refresh(family.refreshToken));
    await pairOf(await refresh(second.refresh_token));
    expect(await problemOf(await refresh(family.refreshToken))).toMatchObject({
      code: 'auth.refresh_reused',
    });
    expect(await familyOf(family.sessionUuid)).toMatchObject({ revoked_reason: 'refresh_reuse' });
  });

  it('closes the open sockets of a session it ends', async () => {
    const first = await registerAccount();
    const second = await pairOf(await refresh(first.refresh_token));
    await pairOf(await refresh(second.refresh_token));
    const { webSocket } = await call('GET', '/v1/realtime', {
      token: first.access_token,
      headers: { upgrade: 'websocket' },
    });
    if (webSocket === null) throw new Error('no socket');
    const closed = new Promise<number>((resolve) =>
      webSocket.addEventListener('close', ({ code }) => resolve(code)),
    );
    webSocket.accept();
    expect(await problemOf(await refresh(first.refresh_token))).toMatchObject({
      code: 'auth.refresh_reused',
    });
    expect(await closed).toBe(4401);
    webSocket.close();
  });

  it('stops the access tokens of a session it ends, and tells the owner where else they are logged in', async () => {
    takeMessages();
    const family = await newFamily();
    const pair = await pairOf(await refresh(family.refreshToken));
    await callJson(200, 'GET', '/v1/me', { token: pair.access_token });
    later(31_000);
    expect((await refresh(family.refreshToken)).status).toBe(401);
    expect((await call('GET', '/v1/me', { token: pair.access_token })).status).toBe(401);
    expect((await call('GET', '/v1/me', { token: family.token })).status).toBe(401);
    expect(takeMessages().map((message) => message.body)).toEqual([
      expect.objectContaining({
        type: 'user.access_ended',
        data: expect.objectContaining({
          user_id: family.uuid,
          session_ids: [family.sessionUuid],
          epoch: null,
          reason: 'refresh_reuse',
        }),
      }),
    ]);
  });

  it('leaves the other sessions of the user alone when one is ended', async () => {
    const account = await registerAccount();
    const other = (await (await logIn(account.user.username)).json()) as TokenBody;
    await pairOf(await refresh(account.refresh_token));
    later(31_000);
    expect((await refresh(account.refresh_token)).status).toBe(401);
    expect((await refresh(other.refresh_token)).status).toBe(200);
  });

  it('gives 50 concurrent requests with one token the same pair, and the family one head', async () => {
    const family = await newFamily();
    const responses = await Promise.all(Array.from({ length: 50 }, () => refresh(family.refreshToken)));
    const pairs = await Promise.all(responses.map(pairOf));
    expect(new Set(pairs.map((pair) => pair.refresh_token)).size).toBe(1);
    expect(new Set(pairs.map((pair) => pair.access_token)).size).toBe(1);
    expect(await familyOf(family.sessionUuid)).toEqual({ revoked_reason: null, live: 1, tokens: 2 });
    const next = await refresh(pairs[0]?.refresh_token ?? '');
    expect(next.status).toBe(200);
    expect(await problemOf(await refresh(family.refreshToken))).toMatchObject({
      code: 'auth.refresh_reused',
    });
  });

  it('ends no session by the second try of a request that lost a race to a client already gone on', async () => {
    const family = await newFamily();
    const second = await pairOf(await refresh(family.refreshToken));
    await pairOf(await refresh(second.refresh_token));
    const ctx = systemContext(servicesOf(testEnv(env)), { job: 'test' });
    const row = await rotateRefreshToken(ctx, {
      presentedHash: await refreshTokenHash(family.refreshToken),
      tokenId: ctx.ids.next(),
      tokenHash: await refreshTokenHash('unused'),
      now: new Date().toISOString(),
      expiresAt: new Date(Date.now() + dayMs).toISOString(),
      replay: undefined,
      endOnReuse: false,
    });
    expect(row).toMatchObject({ outcome: 'reused', replay: null });
    expect(await familyOf(family.sessionUuid)).toEqual({ revoked_reason: null, live: 1, tokens: 3 });
  });

  it('has ended for good after 50 concurrent reuses, with one audit entry', async () => {
    const family = await newFamily();
    await pairOf(await refresh(family.refreshToken));
    later(minuteMs);
    const responses = await Promise.all(Array.from({ length: 50 }, () => refresh(family.refreshToken)));
    expect(new Set(responses.map((response) => response.status))).toEqual(new Set([401]));
    expect(await familyOf(family.sessionUuid)).toMatchObject({ revoked_reason: 'refresh_reuse', live: 1 });
    const audit = await sqlRows(
      "SELECT FROM audit_log WHERE action = 'auth.refresh_reused' AND target_id = $1",
      [family.uuid],
    );
    expect(audit).toHaveLength(1);
  });

  it('never leaves a live session behind when it races a logout', async () => {
    for (let round = 0; round < 5; round += 1) {
      const family = await newFamily();
      const [refreshed, loggedOut] = await Promise.all([
        refresh(family.refreshToken),
        call('POST', '/v1/auth/logout', { token: family.token }),
      ]);
      expect(loggedOut.status).toBe(204);
      const next = refreshed.status === 200 ? (await pairOf(refreshed)).refresh_token : family.refreshToken;
      expect(await problemOf(await refresh(next))).toMatchObject({
        status: 401,
        code: 'auth.refresh_invalid',
      });
    }
  });

  it('ends after seven idle days', async () => {
    const family = await newFamily();
    const pair = await pairOf(await refresh(family.refreshToken));
    later(7 * dayMs + 1_000);
    expect(await problemOf(await refresh(pair.refresh_token))).toMatchObject({
      status: 401,
      code: 'auth.refresh_invalid',
    });
  });

  it('never goes beyond the absolute end of the session', async () => {
    const family = await newFamily();
    // seedUser gives its session one day.
    const pair = await pairOf(await refresh(family.refreshToken));
    expect(pair.refresh_expires_in).toBeGreaterThan(86_000);
    expect(pair.refresh_expires_in).toBeLessThanOrEqual(86_400);
    later(dayMs - 10 * minuteMs);
    const last = await pairOf(await refresh(pair.refresh_token));
    expect(last.expires_in).toBeLessThanOrEqual(600);
    expect(last.refresh_expires_in).toBeLessThanOrEqual(600);
    later(11 * minuteMs);
    expect((await refresh(last.refresh_token)).status).toBe(401);
  });

  it.each(['suspended', 'deactivated', 'deleted'])('is refused to a %s account', async (status) => {
    const family = await newFamily();
    await sqlRows('UPDATE users SET status = $2 WHERE id = $1', [family.uuid, status]);
    expect(await problemOf(await refresh(family.refreshToken))).toMatchObject({
      status: 401,
      code: 'auth.refresh_invalid',
    });
  });

  it('is refused to a well-formed token nobody was given', async () => {
    const response = await refresh(`sfr_${'A'.repeat(43)}DCtZhg`);
    expect(await problemOf(response)).toMatchObject({ status: 401, code: 'auth.refresh_invalid' });
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
  });

  it.each(['x', `sfr_${'A'.repeat(49)}`, "sfr_' OR 1=1 --", 'sfr_\u0000', '🦉'])(
    'is refused to %j without asking the database',
    async (token) => {
      const response = await refresh(token);
      expect(await problemOf(response)).toMatchObject({ status: 401, code: 'auth.refresh_invalid' });
      expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 0 });
    },
  );

  it('does not take an access token', async () => {
    const { token } = await seedUser();
    expect((await call('POST', '/v1/auth/refresh', { body: { refresh_token: token } })).status).not.toBe(200);
  });

  it.each([
    ['nothing', {}],
    ['a number', { refresh_token: 1 }],
    ['an unknown field', { refresh_token: 'sfr_x', scope: 'admin' }],
  ])('refuses a body with %s', async (_, body) => {
    expect(await problemOf(await call('POST', '/v1/auth/refresh', { body }))).toMatchObject({ status: 422 });
  });
});
