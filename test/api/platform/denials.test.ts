import { describe, expect, it } from 'vitest';
import { call, seedUser, signToken, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { seedStaff } from '../admin/staff.ts';
import { createKey } from '../api-keys/keys.ts';

const search = (token: string) => call('POST', '/v1/admin/users/search', { token, body: {} });

const denialsOf = ({ uuid }: TestUser) =>
  sqlRows<{ actor_kind: string; target_id: string; code: string }>(
    `SELECT actor_kind, target_id, detail ->> 'code' AS code FROM audit_log
     WHERE actor_id = $1 AND action = 'access.denied' AND outcome = 'denied' AND target_kind = 'operation'
       AND request_id IS NOT NULL AND ip IS NOT NULL ORDER BY created_at, id`,
    [uuid],
  );

describe('a refusal by the table of policies', () => {
  it('is in the audit log: the wrong role, a login too old, a second factor missing', async () => {
    const [user, admin] = [await seedUser(), await seedStaff('admin')];
    expect((await search(user.token)).status).toBe(403);
    expect(await denialsOf(user)).toEqual([
      { actor_kind: 'user', target_id: 'searchUsers', code: 'auth.forbidden' },
    ]);

    const auth_time = Math.floor(Date.now() / 1000) - 301;
    const old = await signToken({
      userUuid: admin.uuid,
      sessionUuid: admin.sessionUuid,
      claims: { scope: 'user admin', amr: ['pwd', 'otp'], auth_time },
    });
    expect((await search(old)).status).toBe(401);
    await sqlRows('DELETE FROM totp_factors WHERE user_id = $1', [admin.uuid]);
    expect((await search(admin.token)).status).toBe(403);
    expect((await denialsOf(admin)).map(({ code }) => code)).toEqual([
      'auth.step_up_required',
      'admin.second_factor_required',
    ]);
  });

  it('of an API key is there too, with the key', async () => {
    const user = await seedUser();
    const { secret, api_key } = await createKey(user, ['profile:read']);
    expect((await call('PATCH', '/v1/me', { token: secret, body: {} })).status).toBe(403);
    expect((await search(secret)).status).toBe(403);
    expect(await denialsOf(user)).toEqual([
      { actor_kind: 'api_key', target_id: 'updateMe', code: 'auth.insufficient_scope' },
      { actor_kind: 'api_key', target_id: 'searchUsers', code: 'auth.api_key_refused' },
    ]);
    const rows = await sqlRows<{ key: string }>(
      `SELECT DISTINCT detail ->> 'api_key_id' AS key FROM audit_log WHERE actor_id = $1 AND action = 'access.denied'`,
      [user.uuid],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.key).toMatch(/^[\da-f-]{36}$/);
    expect(api_key.id).not.toBe('');
  });

  it('is none where somebody is let through, unknown, or only asked to log in again for a thing of their own', async () => {
    const user = await seedUser();
    const before = await sqlRows("SELECT id FROM audit_log WHERE action = 'access.denied'");
    expect((await call('GET', '/v1/me', { token: user.token })).status).toBe(200);
    expect((await call('POST', '/v1/admin/users/search', { body: {} })).status).toBe(401);
    const auth_time = Math.floor(Date.now() / 1000) - 301;
    const old = await signToken({
      userUuid: user.uuid,
      sessionUuid: user.sessionUuid,
      claims: { auth_time },
    });
    expect((await call('POST', '/v1/me/factors/totp', { token: old })).status).toBe(401);
    expect(await sqlRows("SELECT id FROM audit_log WHERE action = 'access.denied'")).toEqual(before);
  });

  it('does not fill the log: each account has sixty an hour, and is refused all the same', async () => {
    const [user, other] = [await seedUser(), await seedUser()];
    for (let round = 0; round < 7; round += 1) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => search(user.token)));
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 403));
    }
    const written = (await denialsOf(user)).length;
    expect(written).toBeGreaterThanOrEqual(60);
    expect(written).toBeLessThan(64);
    expect((await search(other.token)).status).toBe(403);
    expect(await denialsOf(other)).toHaveLength(1);
  });
});
