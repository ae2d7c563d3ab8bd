import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { liftEndedSuspensions } from '../../../src/modules/admin/index.ts';
import { encodeId } from '../../../src/shared/ids.ts';
import { call, callJson, seedUser, signToken, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { contextOf } from '../../support/worker/films.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { createKey } from '../api-keys/keys.ts';
import { logIn, password, problemOf, refresh, registerAccount } from '../auth/accounts.ts';
import { seedRefreshToken } from '../auth/sessions.ts';
import { auditOf, later, seedStaff, stateOf, suspend, tokenOf, unsuspend } from './staff.ts';

afterEach(() => {
  vi.useRealTimers();
});

const me = (token: string) => call('GET', '/v1/me', { token });
const view = (staff: TestUser, target: TestUser) =>
  call('GET', `/v1/admin/users/${target.id}`, { token: staff.token });
const searchAs = (token: string, body: Record<string, unknown>) =>
  call('POST', '/v1/admin/users/search', { token, body });
const logOut = (staff: TestUser, target: TestUser) =>
  call('POST', `/v1/admin/users/${target.id}/logout`, { token: staff.token });

describe('who may administer', () => {
  it('needs a role, a second factor and a recent login', async () => {
    const target = await seedUser();
    const admin = await seedStaff('admin');
    const signed = (claims: Record<string, unknown>) =>
      signToken({ userUuid: admin.uuid, sessionUuid: admin.sessionUuid, claims });
    const search = async (token: string) => problemOf(await searchAs(token, {}));
    const scope = 'user admin';
    expect((await searchAs(admin.token, {})).status).toBe(200);
    expect(await search(target.token)).toMatchObject({ status: 403, code: 'auth.forbidden' });
    expect(await search(await signed({ scope, amr: ['pwd'] }))).toMatchObject({
      status: 401,
      code: 'auth.step_up_required',
    });
    const auth_time = Math.floor(Date.now() / 1000) - 301;
    expect(await search(await signed({ scope, amr: ['pwd', 'otp'], auth_time }))).toMatchObject({
      code: 'auth.step_up_required',
    });
    await sqlRows('DELETE FROM totp_factors WHERE user_id = $1', [admin.uuid]);
    expect(await search(admin.token)).toMatchObject({ status: 403, code: 'admin.second_factor_required' });
    expect(await problemOf(await suspend(admin, target))).toMatchObject({
      code: 'admin.second_factor_required',
    });
    expect(await stateOf(target)).toMatchObject({ status: 'active', epoch: 0 });
  });

  it('is not who only claims to: a role in a token whose account lost it', async () => {
    const [admin, target] = [await seedStaff('admin'), await seedUser()];
    await sqlRows("UPDATE users SET roles = '{user}' WHERE id = $1", [admin.uuid]);
    expect(await problemOf(await suspend(admin, target))).toMatchObject({
      status: 403,
      code: 'auth.forbidden',
    });
    expect(await stateOf(target)).toMatchObject({ status: 'active' });
    expect(await auditOf(target)).toMatchObject([{ action: 'admin.user_suspended', outcome: 'denied' }]);
  });
});

describe('searching accounts', () => {
  type Found = { data: { id: string; username: string }[]; next_cursor: string | null };
  const search = (staff: TestUser, body: Record<string, unknown>) =>
    callJson<Found>(200, 'POST', '/v1/admin/users/search', { token: staff.token, body });

  it('finds by id, beginning of the username, verified address, status and role, page by page', async () => {
    const admin = await seedStaff('admin');
    const people = [];
    for (const name of ['quin_a', 'Quin_b', 'quinXc', 'quin_d'])
      people.push(await seedUser({ username: name }));
    const [first, second, , fourth] = people as [TestUser, TestUser, TestUser, TestUser];
    await sqlRows("UPDATE users SET status = 'suspended' WHERE id = $1", [second.uuid]);
    await sqlRows('UPDATE users SET email_verified_at = now() WHERE id = $1', [fourth.uuid]);
    const names = (found: Found) => found.data.map(({ username }) => username);
    expect(names(await search(admin, { username: 'QUIN_' }))).toEqual(['quin_d', 'Quin_b', 'quin_a']);
    expect(names(await search(admin, { username: 'quin_', status: 'suspended' }))).toEqual(['Quin_b']);
    expect(names(await search(admin, { id: first.id }))).toEqual(['quin_a']);
    expect(names(await search(admin, { email: 'QUIN_D@example.com' }))).toEqual(['quin_d']);
    expect(names(await search(admin, { email: 'quin_a@example.com' }))).toEqual([]);
    expect(names(await search(admin, { role: 'admin' }))).toContain(admin.username);
    expect(names(await search(admin, { role: 'advertiser' }))).toEqual([]);
    const page = await search(admin, { username: 'quin', limit: 3 });
    expect(names(page)).toEqual(['quin_d', 'quinXc', 'Quin_b']);
    const next = await search(admin, { username: 'quin', limit: 3, cursor: page.next_cursor });
    expect(names(next)).toEqual(['quin_a']);
    expect(next.next_cursor).toBeNull();
    expect(JSON.stringify(page)).not.toMatch(/example\.com|password/);
    const other = await seedStaff('admin');
    for (const [staff, username] of [
      [admin, 'qui'],
      [other, 'quin'],
    ] as const) {
      const body = { username, limit: 3, cursor: page.next_cursor };
      expect(await problemOf(await searchAs(staff.token, body))).toMatchObject({
        status: 400,
        code: 'request.invalid_cursor',
      });
    }
  });

  it('refuses what is no filter', async () => {
    const admin = await seedStaff('admin');
    for (const body of [
      { username: 'a%' },
      { status: 'banned' },
      { role: 'user' },
      { role: 'root' },
      { id: 'usr_x' },
      { order: 'email' },
      { limit: '3' },
      { limit: 101 },
      { cursor: null },
    ])
      expect((await searchAs(admin.token, body)).status, JSON.stringify(body)).toBe(422);
  });

  it('takes no address of a person in the address of a request', async () => {
    const admin = await seedStaff('admin');
    const query = '?email=someone%40example.com';
    expect((await call('GET', `/v1/admin/users${query}`, { token: admin.token })).status).toBe(404);
    expect((await call('GET', `/v1/admin/users/search${query}`, { token: admin.token })).status).toBe(404);
  });

  it('is audited every time, found or not, without the name or address', async () => {
    const admin = await seedStaff('admin');
    await search(admin, { username: 'nobody_at_all', role: 'creator' });
    await search(admin, { email: 'someone@example.com' });
    const rows = await sqlRows<{ actor_kind: string; detail: unknown }>(
      "SELECT actor_kind, detail FROM audit_log WHERE action = 'admin.users_searched' AND actor_id = $1 ORDER BY id",
      [admin.uuid],
    );
    expect(rows).toEqual([
      { actor_kind: 'admin', detail: { by_username: true, by_email: false, role: 'creator' } },
      { actor_kind: 'admin', detail: { by_username: false, by_email: true } },
    ]);
  });

  it('by address is not for moderators, nor is the address', async () => {
    const [moderator, admin, target] = [
      await seedStaff('moderator'),
      await seedStaff('admin'),
      await seedUser(),
    ];
    const refused = await searchAs(moderator.token, { email: 'someone@example.com' });
    expect(await problemOf(refused)).toMatchObject({ status: 403, code: 'auth.forbidden' });
    expect(
      await sqlRows('SELECT action, outcome, detail FROM audit_log WHERE actor_id = $1', [moderator.uuid]),
    ).toEqual([{ action: 'admin.users_searched', outcome: 'denied', detail: { by_email: true } }]);
    expect(await (await view(moderator, target)).json()).toMatchObject({ id: target.id, email: null });
    expect(await (await view(admin, target)).json()).toMatchObject({
      email: `${target.username}@example.com`,
      status: 'active',
      roles: ['user'],
      open_sessions: 1,
      api_keys: 0,
      factors: [],
      identities: [],
      suspension: null,
    });
    expect(await auditOf(target)).toMatchObject([
      { actor_kind: 'admin', actor_id: moderator.uuid, action: 'admin.account_viewed' },
      { actor_kind: 'admin', actor_id: admin.uuid, action: 'admin.account_viewed' },
    ]);
    const response = await call('GET', '/v1/admin/users/usr_01jabcdefghjkmnpqrstvwxyz0', {
      token: admin.token,
    });
    expect(await problemOf(response)).toMatchObject({ status: 404, code: 'users.not_found' });
  });
});

describe('a suspension', () => {
  it('ends everything at once: tokens, refresh, keys, sockets; and login says so to who knows the password', async () => {
    const admin = await seedStaff('admin');
    const { access_token, refresh_token, user } = await registerAccount();
    const [row] = await sqlRows<{ id: string }>('SELECT id FROM users WHERE username = $1', [user.username]);
    const target = {
      id: user.id,
      uuid: row?.id ?? '',
      username: user.username,
      sessionUuid: '',
      token: access_token,
    };
    const { secret } = await createKey(target, ['profile:read', 'profile:write']);
    expect((await me(secret)).status).toBe(200);
    const socket = await call('GET', '/v1/realtime', {
      token: access_token,
      headers: { upgrade: 'websocket' },
    });
    expect(socket.status).toBe(101);
    socket.webSocket?.accept();
    const closed = new Promise<number>((resolve) =>
      socket.webSocket?.addEventListener('close', ({ code }) => resolve(code)),
    );
    takeMessages();

    expect((await suspend(admin, target, { reason: 'sells fake watches' })).status).toBe(204);
    expect((await me(access_token)).status).toBe(401);
    expect((await me(secret)).status).toBe(401);
    expect((await refresh(refresh_token)).status).toBe(401);
    expect(await closed).toBeGreaterThanOrEqual(1000);
    expect(await problemOf(await logIn(user.username, password))).toMatchObject({
      status: 403,
      code: 'auth.account_suspended',
    });
    expect(await problemOf(await logIn(user.username, 'not the password'))).toMatchObject({
      status: 401,
      code: 'auth.invalid_credentials',
    });
    expect(await stateOf(target)).toEqual({
      status: 'suspended',
      roles: ['user'],
      epoch: 1,
      open_sessions: 0,
    });
    const messages = takeMessages();
    expect(messages.find(({ body }) => body.type === 'account.security_notice')?.body.data).toMatchObject({
      user_id: target.uuid,
      notice: 'account_suspended',
      detail: { reason: 'sells fake watches' },
    });
    expect(messages.find(({ body }) => body.type === 'user.access_ended')?.body.data).toMatchObject({
      epoch: 1,
      reason: 'disabled',
    });
    expect(await auditOf(target)).toMatchObject([
      {
        actor_kind: 'admin',
        actor_id: admin.uuid,
        action: 'admin.user_suspended',
        outcome: 'success',
        detail: { reason: 'sells fake watches' },
      },
    ]);
    expect(await (await view(admin, target)).json()).toMatchObject({
      status: 'suspended',
      suspension: { reason: 'sells fake watches', suspended_by: admin.id, until: null },
    });

    expect((await unsuspend(admin, target)).status).toBe(204);
    expect((await logIn(user.username, password)).status).toBe(200);
    // What ended stays ended; keys live again with their account.
    expect((await me(access_token)).status).toBe(401);
    expect((await refresh(refresh_token)).status).toBe(401);
    expect((await me(secret)).status).toBe(200);
    expect(await sqlRows('SELECT 1 AS one FROM suspensions WHERE user_id = $1', [target.uuid])).toEqual([]);
  });

  it('hides what the account published, and gives it back', async () => {
    const [admin, target, reader] = [await seedStaff('admin'), await seedUser(), await seedUser()];
    const { id } = await callJson<{ id: string }>(201, 'POST', '/v1/posts', {
      token: target.token,
      body: { text: 'still here?' },
    });
    const [video] = await sqlRows<{ id: string }>(
      `INSERT INTO videos (id, owner_id, title, state, published_at, hls_key, dash_key)
       VALUES (gen_random_uuid(), $1, 'Mine', 'published', now(), 'media/x.m3u8', 'media/x.mpd') RETURNING id`,
      [target.uuid],
    );
    const paths = [
      `/v1/users/${target.username}`,
      `/v1/posts/${id}`,
      `/v1/videos/${encodeId('video', video?.id ?? '')}`,
    ];
    const seen = async () => {
      const statuses = [];
      for (const path of paths) statuses.push((await call('GET', path, { token: reader.token })).status);
      return statuses;
    };
    expect(await seen()).toEqual([200, 200, 200]);
    expect((await suspend(admin, target)).status).toBe(204);
    expect(await seen()).toEqual([404, 404, 404]);
    expect((await unsuspend(admin, target)).status).toBe(204);
    later(60_000);
    expect(await seen()).toEqual([200, 200, 200]);
  });

  it('with an end is lifted when that has come, once', async () => {
    const [admin, target] = [await seedStaff('admin'), await seedUser()];
    const until = new Date(Date.now() + 3_600_000).toISOString();
    expect((await suspend(admin, target, { until })).status).toBe(204);
    const lift = (clockMs: number) => liftEndedSuspensions(contextOf({ clockMs }));
    expect(await lift(Date.parse(until) - 1)).toBe(0);
    expect(await stateOf(target)).toMatchObject({ status: 'suspended' });
    const runs = await Promise.all([lift(Date.parse(until)), lift(Date.parse(until))]);
    expect(runs.toSorted()).toEqual([0, 1]);
    expect(await stateOf(target)).toMatchObject({ status: 'active' });
    expect(await auditOf(target)).toMatchObject([
      { action: 'admin.user_suspended', detail: { until } },
      { action: 'admin.user_unsuspended', actor_kind: 'system' },
    ]);
  });

  it('gives a deactivated account back as it was, and is refused where the status does not allow it', async () => {
    const [admin, target] = [await seedStaff('admin'), await seedUser()];
    expect(await problemOf(await unsuspend(admin, target))).toMatchObject({
      status: 409,
      code: 'admin.wrong_status',
    });
    await sqlRows("UPDATE users SET status = 'deactivated' WHERE id = $1", [target.uuid]);
    expect((await suspend(admin, target)).status).toBe(204);
    expect(await problemOf(await suspend(admin, target))).toMatchObject({ code: 'admin.wrong_status' });
    expect((await unsuspend(admin, target)).status).toBe(204);
    expect(await stateOf(target)).toMatchObject({ status: 'deactivated' });
    await sqlRows("UPDATE users SET status = 'deleted' WHERE id = $1", [target.uuid]);
    expect(await problemOf(await suspend(admin, target))).toMatchObject({ code: 'users.not_found' });
  });

  it.each([
    [{ reason: '' }],
    [{ reason: undefined }],
    [{ reason: 'x'.repeat(501) }],
    [{ until: '2001-01-01T00:00:00Z' }],
    [{ until: '2999-01-01T00:00:00Z' }],
    [{ until: 'tomorrow' }],
    [{ status: 'deleted' }],
    [{ roles: ['admin'] }],
  ])('is not made of %j', async (body) => {
    const [admin, target] = [await seedStaff('admin'), await seedUser()];
    expect((await suspend(admin, target, body)).status).toBe(422);
    expect(await stateOf(target)).toMatchObject({ status: 'active', epoch: 0 });
  });

  it('is made once of several at once', async () => {
    const [admin, other, target] = [await seedStaff('admin'), await seedStaff('moderator'), await seedUser()];
    const answers = await Promise.all([admin, other, admin, other].map((staff) => suspend(staff, target)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409, 409, 409]);
    expect(await stateOf(target)).toMatchObject({ epoch: 1 });
    expect((await auditOf(target)).filter(({ outcome }) => outcome === 'success')).toHaveLength(1);
  });

  it('whose guard was not reached is made, says so, and is made good by its event', async () => {
    const [admin, target] = [await seedStaff('admin'), await seedUser()];
    const { SESSION_GUARD } = testEnv(env);
    const broken = vi.spyOn(SESSION_GUARD, 'getByName').mockImplementation((name) => {
      if (name === `user:${target.uuid}`) throw new Error('unreachable');
      return SESSION_GUARD.get(SESSION_GUARD.idFromName(name));
    });
    try {
      expect((await suspend(admin, target)).status).toBe(202);
    } finally {
      broken.mockRestore();
    }
    expect(await stateOf(target)).toMatchObject({ status: 'suspended', open_sessions: 0 });
    await deliverEvents();
    expect((await SESSION_GUARD.getByName(`user:${target.uuid}`).read()).epoch).toBe(1);
  });
});

describe('moderators', () => {
  it('suspend and log out accounts that are not staff, and no others', async () => {
    const moderator = await seedStaff('moderator');
    const target = await seedUser();
    expect((await suspend(moderator, target)).status).toBe(204);
    expect((await unsuspend(moderator, target)).status).toBe(204);
    expect((await logOut(moderator, target)).status).toBe(204);
    for (const colleague of [await seedStaff('moderator'), await seedStaff('admin')]) {
      for (const act of [suspend, logOut])
        expect(await problemOf(await act(moderator, colleague))).toMatchObject({
          status: 403,
          code: 'admin.staff_protected',
        });
      expect(await stateOf(colleague)).toMatchObject({ status: 'active', epoch: 0, open_sessions: 1 });
      expect((await auditOf(colleague)).map(({ outcome }) => outcome)).toEqual(['denied', 'denied']);
    }
    const path = `/v1/admin/users/${target.id}/roles/creator`;
    expect((await call('PUT', path, { token: moderator.token })).status).toBe(403);
    expect((await call('GET', '/v1/admin/proposals', { token: moderator.token })).status).toBe(403);
  });
});

describe('nobody', () => {
  it('suspends, logs out or frees themselves here', async () => {
    for (const staff of [await seedStaff('admin'), await seedStaff('moderator')]) {
      for (const act of [suspend, unsuspend, logOut])
        expect(await problemOf(await act(staff, staff))).toMatchObject({
          status: 403,
          code: 'admin.not_oneself',
        });
      expect(await stateOf(staff)).toMatchObject({ status: 'active', epoch: 0, open_sessions: 1 });
    }
  });
});

describe('logging somebody out', () => {
  it('ends every session and token, and leaves the account', async () => {
    const [admin, target] = [await seedStaff('admin'), await seedUser()];
    const refreshToken = await seedRefreshToken(target.sessionUuid);
    expect((await logOut(admin, target)).status).toBe(204);
    expect((await me(target.token)).status).toBe(401);
    expect((await refresh(refreshToken)).status).toBe(401);
    expect(await stateOf(target)).toEqual({ status: 'active', roles: ['user'], epoch: 1, open_sessions: 0 });
    expect(await sqlRows('SELECT revoked_reason FROM sessions WHERE user_id = $1', [target.uuid])).toEqual([
      { revoked_reason: 'admin' },
    ]);
    expect(await auditOf(target)).toMatchObject([{ action: 'admin.user_logged_out', outcome: 'success' }]);
    later(10_000);
    expect((await me(await tokenOf(target, ['user']))).status).toBe(200);
  });
});
