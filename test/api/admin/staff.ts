import { vi } from 'vitest';
import type { Role } from '../../../src/http/roles.ts';
import { call, seedUser, signToken, sqlRows, type TestUser } from '../../support/worker/client.ts';

/** An account with roles and a second factor, and a token that has just shown both. */
export async function seedStaff(...roles: readonly Role[]): Promise<TestUser> {
  const user = await seedUser();
  await sqlRows('UPDATE users SET roles = $2::text[] WHERE id = $1', [
    user.uuid,
    `{${['user', ...roles].join(',')}}`,
  ]);
  await sqlRows(
    `INSERT INTO totp_factors (user_id, sealed_secret, created_at, confirmed_at, last_step)
     VALUES ($1, decode(repeat('00', 48), 'hex'), now(), now(), 0)`,
    [user.uuid],
  );
  return { ...user, token: await tokenOf(user, ['user', ...roles]) };
}

/** A token of the user's session with these roles and the epoch the account has now. */
export async function tokenOf(user: TestUser, roles: readonly Role[]): Promise<string> {
  const [row] = await sqlRows<{ epoch: number }>('SELECT token_epoch AS epoch FROM users WHERE id = $1', [
    user.uuid,
  ]);
  return signToken({
    userUuid: user.uuid,
    sessionUuid: user.sessionUuid,
    claims: { scope: roles.join(' '), amr: ['pwd', 'otp'], epoch: row?.epoch ?? 0 },
  });
}

export const suspend = (staff: TestUser, target: TestUser, body: Record<string, unknown> = {}) =>
  call('POST', `/v1/admin/users/${target.id}/suspend`, {
    token: staff.token,
    body: { reason: 'spam', ...body },
  });

export const unsuspend = (staff: TestUser, target: TestUser) =>
  call('POST', `/v1/admin/users/${target.id}/unsuspend`, {
    token: staff.token,
    body: { reason: 'a mistake' },
  });

export const setRole = (method: 'PUT' | 'DELETE', staff: TestUser, target: TestUser, role: string) =>
  call(method, `/v1/admin/users/${target.id}/roles/${role}`, { token: staff.token });

export const propose = (staff: TestUser, target: TestUser) =>
  call('POST', '/v1/admin/proposals', {
    token: staff.token,
    body: { user_id: target.id, reason: 'joins the team' },
  });

export const approve = (staff: TestUser, proposalId: string) =>
  call('POST', `/v1/admin/proposals/${proposalId}/approve`, { token: staff.token });

export interface AccountState {
  readonly status: string;
  readonly roles: readonly string[];
  readonly epoch: number;
  readonly open_sessions: number;
}

export async function stateOf(user: TestUser): Promise<AccountState> {
  const [row] = await sqlRows<AccountState>(
    `SELECT status, array_to_json(roles) AS roles, token_epoch AS epoch,
       (SELECT count(*)::int FROM sessions WHERE user_id = users.id AND revoked_at IS NULL) AS open_sessions
     FROM users WHERE id = $1`,
    [user.uuid],
  );
  if (row === undefined) throw new Error('no such user');
  return row;
}

/** The audit entries about an account by staff, the oldest first. */
export const auditOf = (target: TestUser) =>
  sqlRows<{
    actor_kind: string;
    actor_id: string;
    action: string;
    outcome: string;
    detail: Record<string, unknown>;
  }>(
    `SELECT actor_kind, actor_id, action, outcome, detail FROM audit_log
     WHERE target_id = $1 AND action LIKE 'admin.%' ORDER BY created_at, id`,
    [target.uuid],
  );

export const later = (milliseconds: number) =>
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });
