import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { call, callJson, seedUser, signToken, sqlRows } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { problemOf } from '../auth/accounts.ts';
import { challengeOf, freshPerson, newVerifier, registerBy, returnTo, startPath, travel } from './flow.ts';

const withoutGitHub = { ...testEnv(env), GITHUB_CLIENT_ID: '', GITHUB_CLIENT_SECRET: '' };

describe('a provider that is not configured', () => {
  it('is not offered', async () => {
    const response = await call('GET', '/v1/auth/oauth/providers', { bindings: withoutGitHub });
    const { data } = (await response.json()) as { data: { provider: string }[] };
    expect(data.map(({ provider }) => provider)).toEqual(['google', 'facebook', 'x', 'apple']);
  });

  it('begins nothing, for logins and links alike', async () => {
    const { token } = await seedUser();
    const body = { return_to: returnTo, code_challenge: await challengeOf(newVerifier()) };
    const before = await sqlRows('SELECT count(*) AS n FROM oauth_flows');
    for (const [path, caller] of [
      [startPath('github'), {}],
      ['/v1/me/identities/github/start', { token }],
    ] as const) {
      const response = await call('POST', path, { ...caller, body, bindings: withoutGitHub });
      expect(await problemOf(response), path).toMatchObject({
        status: 404,
        code: 'identities.provider_not_configured',
      });
    }
    expect(await sqlRows('SELECT count(*) AS n FROM oauth_flows')).toEqual(before);
  });
});

describe('the code a client comes back with', () => {
  it.each([
    ['x', 25],
    ['github', 60],
  ] as const)('from %s lives no longer than what it stands for: %i s', async (provider, seconds) => {
    await travel(provider, freshPerson());
    const [row] = await sqlRows<{ seconds: number }>(
      `SELECT extract(epoch FROM handoff_expires_at - returned_at)::int AS seconds FROM oauth_flows
       WHERE provider = $1 ORDER BY created_at DESC LIMIT 1`,
      [provider],
    );
    expect(row?.seconds).toBe(seconds);
  });
});

describe('the last way in', () => {
  it('may be unlinked once a passkey is another', async () => {
    const { user, access_token: token } = await registerBy('google', freshPerson());
    const [owner] = await sqlRows<{ user_id: string; session_id: string }>(
      `SELECT user_id, sessions.id AS session_id FROM sessions JOIN users ON users.id = user_id WHERE username = $1`,
      [user.username],
    );
    const userUuid = owner?.user_id ?? '';
    const { data } = await callJson<{ data: { id: string }[] }>(200, 'GET', '/v1/me/identities', { token });
    const unlink = (by: string) => call('DELETE', `/v1/me/identities/${data[0]?.id}`, { token: by });
    const refused = await problemOf(await unlink(token));
    expect(refused).toMatchObject({ status: 409, code: 'identities.last_sign_in' });
    await sqlRows(
      `INSERT INTO passkeys (id, user_id, credential_id, public_key, sign_count, transports, backup_eligible, backed_up, aaguid, name, created_at)
       VALUES (gen_random_uuid(), $1::uuid, convert_to($2, 'UTF8'), convert_to($2, 'UTF8'), 0, '{}', false, false, gen_random_uuid(), 'key', now())`,
      [userUuid, userUuid],
    );
    // The passkey is a second factor by now, which the first token has not shown.
    expect((await problemOf(await unlink(token))).code).toBe('auth.step_up_required');
    const shown = await signToken({
      userUuid,
      sessionUuid: owner?.session_id ?? '',
      claims: { amr: ['fed', 'hwk'] },
    });
    expect((await unlink(shown)).status).toBe(204);
    expect(await sqlRows('SELECT id FROM identities WHERE user_id = $1', [userUuid])).toEqual([]);
  });
});
