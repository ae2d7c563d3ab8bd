import { afterEach, describe, expect, it, vi } from 'vitest';
import { call, callJson, roundTripsOf, seedUser, sqlRows } from '../../support/worker/client.ts';
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

  it('answers a repeat within seconds with a conflict and leaves the session alone', async () => {
    const family = await newFamily();
    const pair = await pairOf(await refresh(family.refreshToken));
    expect(await problemOf(await refresh(family.refreshToken))).toMatchObject({
      status: 409,
      code: 'auth.refresh_conflict',
    });
    expect((await refresh(pair.refresh_token)).status).toBe(200);
  });

  it('ends the session when a token is shown again later, for the thief and the owner alike', async () => {
    const family = await newFamily();
    const pair = await pairOf(await refresh(family.refreshToken));
    later(11_000);
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

  it('leaves the other sessions of the user alone when one is ended', async () => {
    const account = await registerAccount();
    const other = (await (await logIn(account.user.username)).json()) as TokenBody;
    await pairOf(await refresh(account.refresh_token));
    later(11_000);
    expect((await refresh(account.refresh_token)).status).toBe(401);
    expect((await refresh(other.refresh_token)).status).toBe(200);
  });

  it('lets exactly one of 50 concurrent requests with one token win, and the family goes on', async () => {
    const family = await newFamily();
    const responses = await Promise.all(Array.from({ length: 50 }, () => refresh(family.refreshToken)));
    const winners = responses.filter((response) => response.status === 200);
    expect(winners).toHaveLength(1);
    for (const response of responses.filter((one) => one.status !== 200))
      expect(await problemOf(response)).toMatchObject({ status: 409, code: 'auth.refresh_conflict' });
    expect(await familyOf(family.sessionUuid)).toEqual({ revoked_reason: null, live: 1, tokens: 2 });
    const [winner] = winners;
    if (winner === undefined) throw new Error('nobody won');
    expect((await refresh((await pairOf(winner)).refresh_token)).status).toBe(200);
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
