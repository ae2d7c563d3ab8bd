import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { servicesOf } from '../../../src/context.ts';
import { systemContext } from '../../../src/jobs/system-context.ts';
import { endAllAccess } from '../../../src/modules/auth/index.ts';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, roundTripsOf, seedUser, signToken, sqlRows } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { logIn, password, problemOf, refresh, registerAccount, type SignedInBody } from './accounts.ts';
import { seedRefreshToken } from './sessions.ts';

afterEach(() => {
  vi.useRealTimers();
});

interface SessionBody {
  readonly id: string;
  readonly device_name: string;
  readonly country: string | null;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly expires_at: string;
  readonly current: boolean;
}

const listOf = async (token: string): Promise<SessionBody[]> =>
  (await callJson<{ data: SessionBody[] }>(200, 'GET', '/v1/me/sessions', { token })).data;

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const safari =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1';

const signIn = async (username: string, userAgent: string): Promise<SignedInBody> => {
  const response = await logIn(username, password, { headers: { 'user-agent': userAgent } });
  if (response.status !== 200) throw new Error(`login answered ${response.status}`);
  return response.json();
};

const later = (milliseconds: number) =>
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });

/** Another open session of a seeded user, with its tokens. */
const seedSession = async (userUuid: string, lastUsed = 'now()') => {
  const sessionUuid = randomIds.next();
  await sqlRows(
    `INSERT INTO sessions (id, user_id, amr, auth_time, expires_at, last_used_at)
     VALUES ($1, $2, '{pwd}', now(), now() + interval '1 day', ${lastUsed})`,
    [sessionUuid, userUuid],
  );
  return {
    sessionUuid,
    id: encodeId('session', sessionUuid),
    token: await signToken({ userUuid, sessionUuid }),
    refreshToken: await seedRefreshToken(sessionUuid),
  };
};

const statusOfMe = async (token: string) => (await call('GET', '/v1/me', { token })).status;
const context = () => systemContext(servicesOf(testEnv(env)), { job: 'test' });
const eventsOfType = (type: string) =>
  takeMessages()
    .filter((message) => message.body.type === type)
    .map((message) => message.body.data);

describe('my sessions', () => {
  it('are listed in one round trip, the one used last first, with device and time, and this one marked', async () => {
    const first = await registerAccount();
    const second = await signIn(first.user.username, firefox);
    later(60_000);
    await refresh(first.refresh_token);
    const response = await call('GET', '/v1/me/sessions', { token: second.access_token });
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
    const body = (await response.json()) as { data: SessionBody[]; next_cursor: unknown };
    expect(body.next_cursor).toBeNull();
    expect(body.data).toHaveLength(2);
    const [refreshed, current] = body.data;
    expect(refreshed).toMatchObject({ device_name: 'Unknown device', country: null, current: false });
    expect(current).toMatchObject({ device_name: 'Firefox on Linux', current: true });
    expect(current?.id).toMatch(/^ses_/);
    const spent = Date.parse(refreshed?.last_used_at ?? '') - Date.parse(refreshed?.created_at ?? '');
    expect(spent).toBeGreaterThan(59_000);
    expect(Object.keys(current ?? {}).sort()).toEqual(
      ['id', 'device_name', 'country', 'created_at', 'last_used_at', 'expires_at', 'current'].sort(),
    );
  });

  it('are only mine and only open ones', async () => {
    const [alice, bob] = [await seedUser(), await seedUser()];
    const ended = await seedSession(alice.uuid);
    const over = await seedSession(alice.uuid);
    await sqlRows("UPDATE sessions SET revoked_at = now(), revoked_reason = 'logout' WHERE id = $1", [
      ended.sessionUuid,
    ]);
    await sqlRows("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = $1", [
      over.sessionUuid,
    ]);
    expect((await listOf(alice.token)).map(({ id }) => id)).toEqual([encodeId('session', alice.sessionUuid)]);
    expect((await listOf(bob.token)).map(({ id }) => id)).toEqual([encodeId('session', bob.sessionUuid)]);
  });

  it('can be ended one by one: its tokens stop, the others go on', async () => {
    const user = await seedUser();
    const other = await seedSession(user.uuid);
    expect(await statusOfMe(other.token)).toBe(200);
    const response = await call('DELETE', `/v1/me/sessions/${other.id}`, { token: user.token });
    expect(response.status).toBe(204);
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
    expect(await statusOfMe(other.token)).toBe(401);
    expect((await refresh(other.refreshToken)).status).toBe(401);
    expect(await statusOfMe(user.token)).toBe(200);
    expect(await listOf(user.token)).toHaveLength(1);
    expect(
      await problemOf(await call('DELETE', `/v1/me/sessions/${other.id}`, { token: user.token })),
    ).toMatchObject({ status: 404, code: 'sessions.not_found' });
    const audit = await sqlRows(
      "SELECT actor_id, detail->>'session_id' AS session FROM audit_log WHERE action = 'auth.logout' AND target_id = $1",
      [user.uuid],
    );
    expect(audit).toEqual([{ actor_id: user.uuid, session: other.sessionUuid }]);
  });

  it("are beyond anybody else's reach: ending one is 404 and changes nothing", async () => {
    const [owner, attacker] = [await seedUser(), await seedUser()];
    for (const id of [
      encodeId('session', owner.sessionUuid),
      encodeId('session', randomIds.next()),
      encodeId('user', owner.uuid),
      "ses_' OR 1=1 --",
      'x',
    ]) {
      const response = await call('DELETE', `/v1/me/sessions/${encodeURIComponent(id)}`, {
        token: attacker.token,
      });
      expect(response.status, id).toBe(404);
    }
    expect(await statusOfMe(owner.token)).toBe(200);
    const [session] = await sqlRows('SELECT revoked_at FROM sessions WHERE id = $1', [owner.sessionUuid]);
    expect(session).toEqual({ revoked_at: null });
  });
});

describe('too many sessions', () => {
  it('end the one used longest ago, with its tokens, and tell why', async () => {
    const account = await registerAccount();
    const [{ id: userUuid } = { id: '' }] = await sqlRows<{ id: string }>(
      'SELECT id FROM users WHERE username = $1',
      [account.user.username],
    );
    const oldest = await seedSession(userUuid, "now() - interval '2 days'");
    for (let count = 0; count < 18; count += 1) await seedSession(userUuid, "now() - interval '1 day'");
    expect(await listOf(account.access_token)).toHaveLength(20);
    expect(await statusOfMe(oldest.token)).toBe(200);
    takeMessages();
    const response = await logIn(account.user.username);
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 2 });
    const { access_token: token } = (await response.json()) as SignedInBody;
    const open = await listOf(token);
    expect(open).toHaveLength(20);
    expect(open.map(({ id }) => id)).not.toContain(oldest.id);
    expect(await statusOfMe(oldest.token)).toBe(401);
    expect((await refresh(oldest.refreshToken)).status).toBe(401);
    const [session] = await sqlRows('SELECT revoked_reason FROM sessions WHERE id = $1', [
      oldest.sessionUuid,
    ]);
    expect(session).toEqual({ revoked_reason: 'limit' });
    expect(eventsOfType('user.access_ended')).toEqual([
      expect.objectContaining({ reason: 'limit', session_ids: [oldest.sessionUuid] }),
    ]);
  });

  it('never are, even by logins at the same moment', async () => {
    const account = await registerAccount();
    const [{ id: userUuid } = { id: '' }] = await sqlRows<{ id: string }>(
      'SELECT id FROM users WHERE username = $1',
      [account.user.username],
    );
    for (let count = 0; count < 19; count += 1) await seedSession(userUuid, "now() - interval '1 day'");
    const responses = await Promise.all(Array.from({ length: 6 }, () => logIn(account.user.username)));
    expect(responses.map((response) => response.status)).toEqual(Array(6).fill(200));
    expect(await listOf(account.access_token)).toHaveLength(20);
  });
});

describe('a login on a new device', () => {
  it('is told to the other devices, once for each device and never for the first', async () => {
    takeMessages();
    const account = await registerAccount();
    expect(eventsOfType('session.started_on_new_device')).toEqual([]);
    const phone = await signIn(account.user.username, safari);
    const events = takeMessages();
    expect(events.map((message) => message.body)).toEqual([
      expect.objectContaining({
        type: 'session.started_on_new_device',
        data: expect.objectContaining({ device_name: 'Safari on iPhone', country: null }),
      }),
    ]);
    await signIn(account.user.username, safari.replaceAll('19', '20'));
    expect(eventsOfType('session.started_on_new_device')).toEqual([]);

    const { webSocket } = await call('GET', '/v1/realtime?after=0', {
      token: account.access_token,
      headers: { upgrade: 'websocket' },
    });
    if (webSocket === null) throw new Error('no socket');
    const frames: { type: string; event?: { type: string; data: Record<string, unknown> } }[] = [];
    const heard = new Promise<void>((resolve) =>
      webSocket.addEventListener('message', ({ data }) => {
        frames.push(JSON.parse(String(data)));
        if (frames.some((frame) => frame.type === 'event')) resolve();
      }),
    );
    webSocket.accept();
    await deliver(events);
    await deliver(events);
    await heard;
    webSocket.close();
    const told = frames.filter((frame) => frame.type === 'event').map((frame) => frame.event);
    const sid = JSON.parse(
      atob(phone.access_token.split('.')[1]?.replaceAll('-', '+').replaceAll('_', '/') ?? ''),
    ).sid;
    expect(told).toEqual([
      {
        id: expect.any(String),
        type: 'session.started_on_new_device',
        data: {
          session_id: sid,
          device_name: 'Safari on iPhone',
          country: null,
          started_at: expect.stringMatching(/Z$/),
        },
      },
    ]);
  });

  it('is told to the owner of an account whose earlier sessions were all forgotten', async () => {
    const account = await registerAccount();
    await sqlRows('DELETE FROM sessions USING users WHERE users.id = user_id AND username = $1', [
      account.user.username,
    ]);
    takeMessages();
    await signIn(account.user.username, firefox);
    expect(eventsOfType('session.started_on_new_device')).toHaveLength(1);
  });

  it('is one again from another country', async () => {
    const account = await registerAccount();
    await signIn(account.user.username, firefox);
    await sqlRows(
      "UPDATE sessions SET country = 'PT' FROM users WHERE users.id = user_id AND username = $1",
      [account.user.username],
    );
    takeMessages();
    await signIn(account.user.username, firefox);
    expect(eventsOfType('session.started_on_new_device')).toHaveLength(1);
  });
});

describe('logging out everywhere', () => {
  it('ends every session and every access token of the user, and of nobody else', async () => {
    const [user, stranger] = [await seedUser(), await seedUser()];
    const others = [await seedSession(user.uuid), await seedSession(user.uuid)];
    for (const { token } of others) expect(await statusOfMe(token)).toBe(200);
    const response = await call('POST', '/v1/auth/logout-all', { token: user.token });
    expect(response.status).toBe(204);
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 1 });
    for (const { token, refreshToken } of others) {
      expect(await statusOfMe(token)).toBe(401);
      expect((await refresh(refreshToken)).status).toBe(401);
    }
    expect(await statusOfMe(user.token)).toBe(401);
    expect(await statusOfMe(stranger.token)).toBe(200);
    const reasons = await sqlRows('SELECT DISTINCT revoked_reason FROM sessions WHERE user_id = $1', [
      user.uuid,
    ]);
    expect(reasons).toEqual([{ revoked_reason: 'logout_all' }]);
    const audit = await sqlRows(
      "SELECT count(*)::int AS entries FROM audit_log WHERE action = 'auth.sessions_ended' AND target_id = $1",
      [user.uuid],
    );
    expect(audit).toEqual([{ entries: 1 }]);
  });

  it('lets the user log in again, with tokens that work', async () => {
    const account = await registerAccount();
    expect((await call('POST', '/v1/auth/logout-all', { token: account.access_token })).status).toBe(204);
    const again = (await (await logIn(account.user.username)).json()) as SignedInBody;
    expect(await statusOfMe(again.access_token)).toBe(200);
    expect(await listOf(again.access_token)).toHaveLength(1);
  });

  it('leaves no session behind when a login or refresh runs at the same time', async () => {
    for (let round = 0; round < 3; round += 1) {
      const account = await registerAccount();
      const [refreshed, , loggedIn] = await Promise.all([
        refresh(account.refresh_token),
        call('POST', '/v1/auth/logout-all', { token: account.access_token }),
        logIn(account.user.username),
      ]);
      if (refreshed.status === 200)
        expect(await statusOfMe(((await refreshed.json()) as SignedInBody).access_token)).toBe(401);
      // The login came before, and its session is over, or after, and it is open: never in between.
      const body = (await loggedIn.json()) as SignedInBody;
      const works = (await statusOfMe(body.access_token)) === 200;
      expect((await refresh(body.refresh_token)).status).toBe(works ? 200 : 401);
    }
  });
});

describe('ending all access of a user', () => {
  it('for a password change may keep the session that asked for it', async () => {
    const user = await seedUser();
    const other = await seedSession(user.uuid);
    expect(await statusOfMe(other.token)).toBe(200);
    const taken = await endAllAccess(context(), {
      userId: user.uuid,
      reason: 'password_change',
      keepSessionId: user.sessionUuid,
    });
    expect(taken).toBe(true);
    expect(await statusOfMe(other.token)).toBe(401);
    expect(await statusOfMe(user.token)).toBe(200);
    expect((await listOf(user.token)).map(({ id }) => id)).toEqual([encodeId('session', user.sessionUuid)]);
  });

  it('for a suspension ends access tokens at once, those of sessions unknown here too', async () => {
    const user = await seedUser();
    await sqlRows("UPDATE users SET status = 'suspended' WHERE id = $1", [user.uuid]);
    const unknown = await signToken({ userUuid: user.uuid, sessionUuid: randomIds.next() });
    await endAllAccess(context(), { userId: user.uuid, reason: 'disabled' });
    expect(await statusOfMe(user.token)).toBe(401);
    expect(await statusOfMe(unknown)).toBe(401);
  });

  it('reaches the guard by the event too, in any order and twice, should the call have been lost', async () => {
    const user = await seedUser();
    const guard = testEnv(env).SESSION_GUARD.getByName(`user:${user.uuid}`);
    const event = (epoch: number | null, sessionIds: string[]) => ({
      queue: 'social-flow-events',
      body: {
        id: randomIds.next(),
        type: 'user.access_ended',
        occurred_at: new Date().toISOString(),
        data: {
          user_id: user.uuid,
          session_ids: sessionIds,
          epoch,
          reason: 'admin',
          ended_at: new Date().toISOString(),
        },
      },
    });
    const events = [event(5, []), event(4, []), event(null, [user.sessionUuid])];
    for (const order of [events, events.toReversed()])
      expect(await deliver(order)).toEqual({ acked: 3, retried: 0 });
    const state = await guard.read();
    expect(state.epoch).toBe(5);
    expect(state.ended.map(({ sessionId }) => sessionId)).toEqual([user.sessionUuid]);
    expect(await statusOfMe(user.token)).toBe(401);
  });

  it('is told to the devices of the user', async () => {
    const user = await seedUser();
    const other = await seedSession(user.uuid);
    takeMessages();
    await call('DELETE', `/v1/me/sessions/${other.id}`, { token: user.token });
    const delivered = await deliverEvents();
    expect(delivered.map((message) => message.body.type)).toEqual(['user.access_ended']);
    expect(await sqlRows('SELECT id FROM outbox WHERE type = $1', ['user.access_ended'])).toEqual([]);
  });
});
