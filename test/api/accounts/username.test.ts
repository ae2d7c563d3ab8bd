import { describe, expect, it } from 'vitest';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { registerAccount } from '../auth/accounts.ts';

let next = 0;
const freshName = (): string => {
  next += 1;
  return `Renamed_${next}_name`;
};

const rename = (user: TestUser, username: string) =>
  call('PUT', '/v1/me/username', { token: user.token, body: { username } });

const codeOf = async (response: Response): Promise<string | undefined> =>
  ((await response.json()) as { code?: string }).code;

const yearAgo = (user: TestUser) =>
  sqlRows(`UPDATE username_changes SET changed_at = now() - interval '1 year' WHERE user_id = $1`, [
    user.uuid,
  ]);

describe('changing a username', () => {
  it('takes the new name at once; the old one finds nobody', async () => {
    const user = await seedUser();
    const name = freshName();
    const response = await rename(user, name);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ id: user.id, username: name });
    expect((await callJson(200, 'GET', `/v1/users/${name.toLowerCase()}`)).id).toBe(user.id);
    expect((await call('GET', `/v1/users/${user.username}`)).status).toBe(404);
    const [change] = await sqlRows(
      'SELECT old_username, new_username FROM username_changes WHERE user_id = $1',
      [user.uuid],
    );
    expect(change).toEqual({ old_username: user.username, new_username: name });
    const audit = await sqlRows('SELECT action FROM audit_log WHERE actor_id = $1', [user.uuid]);
    expect(audit).toEqual([{ action: 'account.username_changed' }]);
  });

  it('is allowed once in thirty days, and says when again', async () => {
    const user = await seedUser();
    const name = freshName();
    expect((await rename(user, name)).status).toBe(200);
    const refused = await rename(user, freshName());
    expect(refused.status).toBe(409);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(29 * 86_400);
    expect(await codeOf(refused)).toBe('accounts.username_changed_recently');
    const [row] = await sqlRows('SELECT username FROM users WHERE id = $1', [user.uuid]);
    expect(row).toEqual({ username: name });
    await yearAgo(user);
    expect((await rename(user, freshName())).status).toBe(200);
  });

  it('lets another spelling of the same name through at any time', async () => {
    const user = await seedUser();
    const name = freshName();
    await rename(user, name);
    for (const spelling of [name.toUpperCase(), name.toLowerCase(), name.toLowerCase()])
      expect((await rename(user, spelling)).status).toBe(200);
    expect(await sqlRows('SELECT 1 FROM username_changes WHERE user_id = $1', [user.uuid])).toHaveLength(1);
  });

  it('keeps the old name for its former owner, against renaming and registering alike', async () => {
    const user = await seedUser();
    const stranger = await seedUser();
    await rename(user, freshName());
    expect(await codeOf(await rename(stranger, user.username.toUpperCase()))).toBe('users.username_taken');
    const registered = await call('POST', '/v1/auth/register', {
      body: { username: user.username, email: 'x@example.com', password: 'seven ravens over the moor' },
    });
    expect(registered.status).toBe(409);
    expect(await codeOf(registered)).toBe('users.username_taken');
    await yearAgo(user);
    expect((await rename(user, user.username)).status).toBe(200);
  });

  it('frees the old name when the reservation is over', async () => {
    const user = await seedUser();
    const stranger = await seedUser();
    await rename(user, freshName());
    await sqlRows('UPDATE username_reservations SET reserved_until = now() WHERE user_id = $1', [user.uuid]);
    expect((await rename(stranger, user.username)).status).toBe(200);
  });

  it('gives a name two want at once to one of them', async () => {
    const users = await Promise.all([seedUser(), seedUser(), seedUser()]);
    const name = freshName();
    const answers = await Promise.all(users.map((user) => rename(user, name)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409, 409]);
    for (const answer of answers)
      if (answer.status === 409) expect(await codeOf(answer)).toBe('users.username_taken');
    expect(await sqlRows('SELECT 1 FROM users WHERE username_key = lower($1)', [name])).toHaveLength(1);
  });

  it('never hands a name over while it is being given up', async () => {
    for (let round = 0; round < 5; round += 1) {
      const user = await seedUser();
      const stranger = await seedUser();
      const [left, taken] = await Promise.all([rename(user, freshName()), rename(stranger, user.username)]);
      expect(left.status).toBe(200);
      expect(taken.status).toBe(409);
    }
  });

  it('lets one of two changes by the same user at once through', async () => {
    const user = await seedUser();
    const answers = await Promise.all([rename(user, freshName()), rename(user, freshName())]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409]);
  });

  it('refuses reserved, malformed and look-alike names and changes nothing', async () => {
    const user = await seedUser();
    for (const username of ['admin', 'Deleted_abc', user.id, 'no spaces', 'ab', 'ünicode', ''])
      expect((await rename(user, username)).status, username).toBe(422);
    expect((await call('PUT', '/v1/me/username', { token: user.token, body: {} })).status).toBe(422);
    const [row] = await sqlRows('SELECT username FROM users WHERE id = $1', [user.uuid]);
    expect(row).toEqual({ username: user.username });
  });

  it('needs a recent login', async () => {
    const { access_token } = await registerAccount();
    const user = await seedUser();
    await sqlRows(`UPDATE sessions SET revoked_at = now(), revoked_reason = 'logout' WHERE id = $1`, [
      user.sessionUuid,
    ]);
    expect((await rename(user, freshName())).status).toBe(401);
    const body = { username: freshName() };
    expect((await call('PUT', '/v1/me/username', { token: access_token, body })).status).toBe(200);
  });
});
