import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import worker from '../../../src/index.ts';
import {
  call,
  callJson,
  freshAddress,
  origin,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { takeMessages } from '../../support/worker/queues.ts';
import { createKey } from '../api-keys/keys.ts';
import { problemOf, refresh } from '../auth/accounts.ts';
import { seedRefreshToken } from '../auth/sessions.ts';
import { approve, auditOf, later, propose, seedStaff, setRole, stateOf, suspend, tokenOf } from './staff.ts';

afterEach(() => {
  vi.useRealTimers();
});

const me = (token: string) => call('GET', '/v1/me', { token });
const search = (token: string) => call('POST', '/v1/admin/users/search', { token, body: {} });
const proposalOf = async (response: Response): Promise<string> => {
  expect(response.status).toBe(201);
  return ((await response.json()) as { id: string }).id;
};

describe('a role', () => {
  it('is given and taken by an administrator, audited and told, and ends tokens and keys but no session', async () => {
    const [admin, target] = [await seedStaff('admin'), await seedUser()];
    const refreshToken = await seedRefreshToken(target.sessionUuid);
    const { secret } = await createKey(target, ['profile:read']);
    expect((await me(secret)).status).toBe(200);
    takeMessages();
    expect((await setRole('PUT', admin, target, 'creator')).status).toBe(204);
    expect(await stateOf(target)).toEqual({
      status: 'active',
      roles: ['user', 'creator'],
      epoch: 1,
      open_sessions: 1,
    });
    expect((await me(target.token)).status).toBe(401);
    expect((await me(secret)).status).toBe(401);
    const renewed = (await (await refresh(refreshToken)).json()) as { access_token: string };
    expect(await (await me(renewed.access_token)).json()).toMatchObject({ roles: ['user', 'creator'] });
    const messages = takeMessages();
    expect(messages.find(({ body }) => body.type === 'account.security_notice')?.body.data).toMatchObject({
      notice: 'roles_changed',
      detail: { role: 'creator', change: 'granted' },
    });
    expect(messages.find(({ body }) => body.type === 'user.access_ended')?.body.data).toMatchObject({
      session_ids: [],
      epoch: 1,
      reason: 'roles_changed',
    });
    expect((await setRole('DELETE', admin, target, 'creator')).status).toBe(204);
    expect(await stateOf(target)).toMatchObject({ roles: ['user'], epoch: 2 });
    expect(await auditOf(target)).toMatchObject([
      {
        actor_kind: 'admin',
        actor_id: admin.uuid,
        action: 'admin.role_granted',
        detail: { role: 'creator' },
      },
      {
        actor_kind: 'admin',
        actor_id: admin.uuid,
        action: 'admin.role_revoked',
        detail: { role: 'creator' },
      },
    ]);
    expect(await sqlRows('SELECT revoked_reason FROM api_keys WHERE user_id = $1', [target.uuid])).toEqual([
      { revoked_reason: 'roles_changed' },
    ]);
  });

  it('that is there already, or not there, changes nothing', async () => {
    const [admin, target] = [await seedStaff('admin'), await seedStaff('creator')];
    expect((await setRole('PUT', admin, target, 'creator')).status).toBe(204);
    expect((await setRole('DELETE', admin, target, 'advertiser')).status).toBe(204);
    expect(await stateOf(target)).toMatchObject({ roles: ['user', 'creator'], epoch: 0 });
    expect(await auditOf(target)).toEqual([]);
  });

  it('given ten times at once is there once', async () => {
    const [admin, target] = [await seedStaff('admin'), await seedUser()];
    await Promise.all(Array.from({ length: 10 }, () => setRole('PUT', admin, target, 'moderator')));
    expect(await stateOf(target)).toMatchObject({ roles: ['user', 'moderator'], epoch: 1 });
  });

  it.each(['user', 'root', 'admin,moderator', '%7Badmin%7D', 'ADMIN'])('%s is none', async (role) => {
    const [admin, target] = [await seedStaff('admin'), await seedUser()];
    expect((await setRole('PUT', admin, target, role)).status).toBe(404);
    expect((await setRole('DELETE', admin, target, role)).status).toBe(404);
    expect(await stateOf(target)).toMatchObject({ roles: ['user'], epoch: 0 });
  });

  it('that nobody has defined is refused by the database, and so is not being a user', async () => {
    const user = await seedUser();
    for (const roles of ['{user,root}', '{admin}', '{}'])
      await expect(
        sqlRows('UPDATE users SET roles = $2::text[] WHERE id = $1', [user.uuid, roles]),
      ).rejects.toThrow(/users_roles/);
  });

  it('is not given to oneself, to nobody, or to an account that is not active', async () => {
    const [admin, target] = [await seedStaff('admin'), await seedUser()];
    expect(await problemOf(await setRole('PUT', admin, admin, 'creator'))).toMatchObject({
      code: 'admin.not_oneself',
    });
    const nobody = { ...target, id: 'usr_01jabcdefghjkmnpqrstvwxyz0' };
    expect(await problemOf(await setRole('PUT', admin, nobody, 'creator'))).toMatchObject({ status: 404 });
    await sqlRows("UPDATE users SET status = 'suspended' WHERE id = $1", [target.uuid]);
    expect(await problemOf(await setRole('PUT', admin, target, 'creator'))).toMatchObject({
      code: 'admin.wrong_status',
    });
  });

  it('taken away is gone at the next request, in isolates that remember the session too', async () => {
    const [admin, fired] = [await seedStaff('admin'), await seedStaff('moderator')];
    const bindings = { ...testEnv(env) };
    const elsewhere = async (path: string) => {
      const execution = createExecutionContext();
      const response = await worker.fetch(
        new Request(`${origin}${path}`, {
          method: 'POST',
          body: '{}',
          headers: {
            'content-type': 'application/json',
            authorization: `Bearer ${fired.token}`,
            'cf-connecting-ip': freshAddress(),
          },
        }) as Parameters<typeof worker.fetch>[0],
        bindings,
        execution,
      );
      await waitOnExecutionContext(execution);
      return response;
    };
    expect((await search(fired.token)).status).toBe(200);
    expect((await elsewhere('/v1/admin/users/search')).status).toBe(200);
    expect((await setRole('DELETE', admin, fired, 'moderator')).status).toBe(204);
    expect([401, 403]).toContain((await elsewhere('/v1/admin/users/search')).status);
    expect([401, 403]).toContain((await search(fired.token)).status);
    expect((await search(await tokenOf(fired, ['user']))).status).toBe(403);
  });

  it('changed by another isolate holds at once where a role is needed, elsewhere within ten seconds', async () => {
    const fired = await seedStaff('moderator');
    expect((await me(fired.token)).status).toBe(200);
    await sqlRows("UPDATE users SET roles = '{user}', token_epoch = 1 WHERE id = $1", [fired.uuid]);
    await testEnv(env)
      .SESSION_GUARD.getByName(`user:${fired.uuid}`)
      .end({ sessionIds: [], epoch: 1, untilMs: Date.now() + 1_860_000 });
    // This isolate still holds its lease.
    expect((await me(fired.token)).status).toBe(200);
    expect((await search(fired.token)).status).toBe(401);
    expect((await me(fired.token)).status).toBe(401);

    const reader = await seedStaff('moderator');
    expect((await me(reader.token)).status).toBe(200);
    await testEnv(env)
      .SESSION_GUARD.getByName(`user:${reader.uuid}`)
      .end({ sessionIds: [], epoch: 1, untilMs: Date.now() + 1_860_000 });
    later(10_000);
    expect((await me(reader.token)).status).toBe(401);
  });
});

describe('an administrator', () => {
  it('is made by two: one proposes, another approves', async () => {
    const [first, second, target] = [await seedStaff('admin'), await seedStaff('admin'), await seedUser()];
    expect(await problemOf(await setRole('PUT', first, target, 'admin'))).toMatchObject({
      status: 403,
      code: 'admin.two_administrators_needed',
    });
    const id = await proposalOf(await propose(first, target));
    expect(await stateOf(target)).toMatchObject({ roles: ['user'], epoch: 0 });
    const { data } = await callJson<{ data: { id: string }[] }>(200, 'GET', '/v1/admin/proposals', {
      token: second.token,
    });
    expect(data).toContainEqual(
      expect.objectContaining({ id, user_id: target.id, username: target.username, proposed_by: first.id }),
    );
    expect(
      await sqlRows('SELECT action, actor_kind FROM audit_log WHERE actor_id = $1', [second.uuid]),
    ).toEqual([{ action: 'admin.proposals_listed', actor_kind: 'admin' }]);
    expect(await problemOf(await approve(first, id))).toMatchObject({
      status: 403,
      code: 'admin.own_proposal',
    });
    expect(await problemOf(await approve(target, id))).toMatchObject({ status: 403, code: 'auth.forbidden' });
    expect((await approve(second, id)).status).toBe(204);
    expect(await stateOf(target)).toMatchObject({ roles: ['user', 'admin'], epoch: 1, open_sessions: 1 });
    expect((await me(target.token)).status).toBe(401);
    expect(await problemOf(await approve(second, id))).toMatchObject({ code: 'admin.proposal_closed' });
    expect(
      (await auditOf(target)).map(({ actor_id, action, outcome }) => [actor_id, action, outcome]),
    ).toEqual([
      [first.uuid, 'admin.role_granted', 'denied'],
      [first.uuid, 'admin.admin_proposed', 'success'],
      [first.uuid, 'admin.role_granted', 'denied'],
      [second.uuid, 'admin.role_granted', 'success'],
      [second.uuid, 'admin.role_granted', 'denied'],
    ]);
  });

  it('is made once of two approvals at once', async () => {
    const [first, second, third] = [
      await seedStaff('admin'),
      await seedStaff('admin'),
      await seedStaff('admin'),
    ];
    const target = await seedUser();
    const id = await proposalOf(await propose(first, target));
    const answers = await Promise.all([approve(second, id), approve(third, id)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    expect(await stateOf(target)).toMatchObject({ roles: ['user', 'admin'], epoch: 1 });
    expect(await sqlRows('SELECT outcome FROM admin_proposals WHERE user_id = $1', [target.uuid])).toEqual([
      { outcome: 'approved' },
    ]);
  });

  it('is proposed once, not oneself, not twice, not to be what they are', async () => {
    const [first, second, target] = [await seedStaff('admin'), await seedStaff('admin'), await seedUser()];
    expect(await problemOf(await propose(first, first))).toMatchObject({ code: 'admin.not_oneself' });
    expect(await problemOf(await propose(first, second))).toMatchObject({
      status: 409,
      code: 'admin.already_administrator',
    });
    const answers = await Promise.all([
      propose(first, target),
      propose(second, target),
      propose(first, target),
    ]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409]);
    const nobody = { ...target, id: 'usr_01jabcdefghjkmnpqrstvwxyz0' };
    expect(await problemOf(await propose(first, nobody))).toMatchObject({
      status: 404,
      code: 'users.not_found',
    });
  });

  it('is not made when the proposal is a day old, was withdrawn, or its proposer is none any more', async () => {
    const [first, second, third] = [
      await seedStaff('admin'),
      await seedStaff('admin'),
      await seedStaff('admin'),
    ];
    const closed = async (id: string) =>
      expect(await problemOf(await approve(second, id))).toMatchObject({
        status: 409,
        code: 'admin.proposal_closed',
      });

    const withdrawn = await seedUser();
    const id = await proposalOf(await propose(first, withdrawn));
    const withdraw = () => call('DELETE', `/v1/admin/proposals/${id}`, { token: third.token });
    expect((await withdraw()).status).toBe(204);
    expect(await problemOf(await withdraw())).toMatchObject({ code: 'admin.proposal_closed' });
    await closed(id);

    const demotedTarget = await seedUser();
    const demoted = await proposalOf(await propose(third, demotedTarget));
    expect((await setRole('DELETE', first, third, 'admin')).status).toBe(204);
    await closed(demoted);
    expect(
      await sqlRows('SELECT outcome FROM admin_proposals WHERE user_id = $1', [demotedTarget.uuid]),
    ).toEqual([{ outcome: 'void' }]);

    const suspendedTarget = await seedUser();
    const fourth = await seedStaff('admin');
    const suspended = await proposalOf(await propose(fourth, suspendedTarget));
    expect((await suspend(first, fourth)).status).toBe(204);
    await closed(suspended);

    const aged = await seedUser();
    const old = await proposalOf(await propose(first, aged));
    await sqlRows(
      "UPDATE admin_proposals SET created_at = created_at - interval '1 day', expires_at = now() WHERE user_id = $1",
      [aged.uuid],
    );
    await closed(old);
    expect((await propose(first, aged)).status).toBe(201);

    for (const user of [withdrawn, demotedTarget, suspendedTarget, aged])
      expect(await stateOf(user)).toMatchObject({ roles: ['user'], epoch: 0 });
    const unknown = await approve(second, 'prop_01jabcdefghjkmnpqrstvwxyz0');
    expect(await problemOf(unknown)).toMatchObject({ status: 404, code: 'admin.proposal_not_found' });
  });

  it('cannot close the account', async () => {
    const admin = await seedStaff('admin');
    for (const path of ['/v1/me/deactivation', '/v1/me/deletion'])
      expect(await problemOf(await call('POST', path, { token: admin.token }))).toMatchObject({
        status: 409,
        code: 'accounts.administrator_stays',
      });
    expect(await stateOf(admin)).toMatchObject({ status: 'active', epoch: 0, open_sessions: 1 });
  });

  it('cannot give up the role, and two cannot take it from each other: one always remains', async () => {
    await sqlRows("UPDATE users SET roles = '{user}' WHERE 'admin' = ANY (roles)");
    const [first, second] = [await seedStaff('admin'), await seedStaff('admin')];
    expect(await problemOf(await setRole('DELETE', first, first, 'admin'))).toMatchObject({
      status: 403,
      code: 'admin.not_oneself',
    });
    const answers = await Promise.all([
      setRole('DELETE', first, second, 'admin'),
      setRole('DELETE', second, first, 'admin'),
      suspend(first, second),
      suspend(second, first),
    ]);
    expect(answers.filter(({ status }) => status === 204).length).toBeGreaterThanOrEqual(1);
    const left = await sqlRows<{ id: string }>(
      "SELECT id FROM users WHERE 'admin' = ANY (roles) AND status = 'active'",
    );
    expect(left).toHaveLength(1);
    const remaining = [first, second].find(({ uuid }) => uuid === left[0]?.id) as TestUser;
    expect(await stateOf(remaining)).toMatchObject({ status: 'active', epoch: 0 });
  });
});
