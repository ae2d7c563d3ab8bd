import { describe, expect, it } from 'vitest';
import { decodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, seedUser, sqlRows } from '../../support/worker/client.ts';
import { logIn, registerAccount } from '../auth/accounts.ts';

interface EventBody {
  readonly id: string;
  readonly type: string;
  readonly actor: string;
  readonly occurred_at: string;
  readonly device_name: string | null;
  readonly country: string | null;
}
interface PageBody {
  readonly data: readonly EventBody[];
  readonly next_cursor: string | null;
}

const history = (token: string, query = '') =>
  callJson<PageBody>(200, 'GET', `/v1/me/security-events${query}`, { token });

const firefox = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
};

const entry = (changes: Record<string, string | null>) => {
  const row = {
    id: randomIds.next(),
    actor_kind: 'user',
    actor_id: null,
    action: 'auth.login',
    target_kind: 'user',
    outcome: 'success',
    ip: '198.51.100.9',
    user_agent: firefox['user-agent'],
    country: 'DE',
    detail: '{"reason": "secret detail"}',
    ...changes,
  };
  return sqlRows(
    `INSERT INTO audit_log (${Object.keys(row)}) VALUES (${Object.keys(row).map((_, index) => `$${index + 1}`)})`,
    Object.values(row),
  );
};

describe('the security history', () => {
  it('tells in plain words what happened, by whom and from which device, and nothing internal', async () => {
    const { user } = await registerAccount();
    await logIn(user.username, 'not the password', { headers: firefox });
    const login = await logIn(user.username, undefined, { headers: firefox });
    const { access_token: token } = (await login.json()) as { access_token: string };
    const { data, next_cursor } = await history(token);
    expect(data.map(({ type, actor, device_name }) => [type, actor, device_name])).toEqual([
      ['signed_in', 'unknown', 'Firefox on Linux'],
      ['sign_in_failed', 'unknown', 'Firefox on Linux'],
      ['account_created', 'unknown', null],
    ]);
    expect(next_cursor).toBeNull();
    for (const event of data) {
      expect(Object.keys(event).sort()).toEqual([
        'actor',
        'country',
        'device_name',
        'id',
        'occurred_at',
        'type',
      ]);
      expect(event.id).toMatch(/^sev_[0-9a-z]{26}$/);
      expect(event.occurred_at).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
    }
  });

  it('shows nobody else anything, in either direction', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    await entry({ target_id: ada.uuid });
    await entry({ target_id: bob.uuid, actor_id: ada.uuid, action: 'user.block' });
    expect((await history(ada.token)).data).toHaveLength(1);
    expect((await history(bob.token)).data).toEqual([]);
  });

  it('does not show where the staff sat, nor who of them acted', async () => {
    const [ada, admin] = [await seedUser(), await seedUser()];
    await entry({
      target_id: ada.uuid,
      actor_kind: 'admin',
      actor_id: admin.uuid,
      action: 'auth.sessions_ended',
    });
    const { data } = await history(ada.token);
    expect(data).toEqual([
      expect.objectContaining({ type: 'sessions_ended', actor: 'staff', device_name: null, country: null }),
    ]);
    expect(JSON.stringify(data)).not.toContain(admin.id);
  });

  it('leaves out what is no matter of security', async () => {
    const ada = await seedUser();
    for (const action of ['user.block', 'test.unknown', '__proto__', 'constructor'])
      await entry({ target_id: ada.uuid, actor_id: ada.uuid, action });
    expect((await history(ada.token)).data).toEqual([]);
  });

  it('goes on page by page without gaps or repeats, even within one microsecond', async () => {
    const ada = await seedUser();
    for (let index = 0; index < 7; index += 1)
      await entry({ target_id: ada.uuid, created_at: '2026-11-01T10:00:00.123456Z' });
    for (let index = 0; index < 4; index += 1) await entry({ target_id: ada.uuid });
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const found: PageBody = await history(ada.token, `?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...found.data.map(({ id }) => id));
      cursor = found.next_cursor;
    }
    expect(new Set(seen).size).toBe(11);
    expect(seen).toHaveLength(11);
    expect(seen).toEqual((await history(ada.token, '?limit=100')).data.map(({ id }) => id));
  });

  it('takes only cursors it gave to the same person', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    for (let index = 0; index < 2; index += 1) await entry({ target_id: ada.uuid });
    const { next_cursor: cursor } = await history(ada.token, '?limit=1');
    for (const [token, query] of [
      [bob.token, `?limit=1&cursor=${cursor}`],
      [ada.token, '?cursor=AAAA'],
      [ada.token, '?limit=101'],
      [ada.token, '?user_id=x'],
    ] as const)
      expect((await call('GET', `/v1/me/security-events${query}`, { token })).status).toBe(400);
  });

  it('needs a session that is still open', async () => {
    const ada = await seedUser();
    expect((await call('GET', '/v1/me/security-events')).status).toBe(401);
    await call('POST', '/v1/auth/logout', { token: ada.token });
    expect((await call('GET', '/v1/me/security-events', { token: ada.token })).status).toBe(401);
  });

  it('tells of API keys made and revoked', async () => {
    const ada = await seedUser();
    const created = await call('POST', '/v1/me/api-keys', {
      token: ada.token,
      body: { name: 'robot', scopes: ['posts:read'] },
    });
    expect(created.status).toBe(201);
    const { api_key: key } = (await created.json()) as { api_key?: { id: string } };
    if (key !== undefined) expect(decodeId('apiKey', key.id)).toBeDefined();
    expect((await history(ada.token)).data.map(({ type, actor }) => [type, actor])).toEqual([
      ['api_key_created', 'you'],
    ]);
  });
});
