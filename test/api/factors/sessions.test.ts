import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCredentials, insertSession } from '../../../src/modules/auth/auth.repository.ts';
import { changePassword } from '../../../src/modules/auth/usecases/change-password.ts';
import { prepareSession } from '../../../src/modules/auth/usecases/open-session.ts';
import { decodeId, randomIds } from '../../../src/shared/ids.ts';
import {
  call,
  callJson,
  freshAddress,
  roundTripsOf,
  seedUser,
  signToken,
  sqlRows,
} from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { contextOf } from '../../support/worker/films.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { logIn, password, refresh, registerAccount, type SignedInBody } from '../auth/accounts.ts';
import { askForFactor, codeOf, enrol, restartClock, stopClock } from './enrol.ts';

beforeEach(stopClock);
afterEach(restartClock);

const next = 'eleven herons in the reeds';
const change = (token: string) =>
  call('POST', '/v1/me/password', { token, body: { current_password: password, new_password: next } });

const uuidOf = ({ user }: SignedInBody): string => decodeId('user', user.id) ?? '';

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')));
const sessionOf = (token: string): string => decodeId('session', String(claimsOf(token).sid)) ?? '';

const statusOf = async (path: string, token: string) => (await call('GET', path, { token })).status;
const openSessions = async (token: string) =>
  (await callJson<{ data: { id: string }[] }>(200, 'GET', '/v1/me/sessions', { token })).data;

const guardOf = (userUuid: string) => testEnv(env).SESSION_GUARD.getByName(`user:${userUuid}`);
const refusedBy = async (userUuid: string): Promise<string[]> =>
  (await guardOf(userUuid).read()).ended.map(({ sessionId }) => sessionId);

const eventsOfType = (type: string) =>
  takeMessages()
    .filter((message) => message.body.type === type)
    .map((message) => message.body.data);

const seedSession = async (userUuid: string, lastUsed: string) => {
  const sessionUuid = randomIds.next();
  await sqlRows(
    `INSERT INTO sessions (id, user_id, amr, auth_time, expires_at, last_used_at)
     VALUES ($1, $2, '{pwd}', now(), now() + interval '1 day', ${lastUsed})`,
    [sessionUuid, userUuid],
  );
  return { sessionUuid, token: await signToken({ userUuid, sessionUuid }) };
};

async function finish(account: SignedInBody, proof: Record<string, unknown>): Promise<Response> {
  const ip = freshAddress();
  const { mfa_token } = await askForFactor(account.user.username, password, { ip });
  return call('POST', '/v1/auth/mfa', { ip, body: { mfa_token, ...proof } });
}

describe('a password change', () => {
  it('ends the access tokens of all other sessions at once, and none of its own', async () => {
    const mine = await registerAccount();
    const other = (await (await logIn(mine.user.username)).json()) as SignedInBody;
    for (const { access_token } of [mine, other])
      for (const path of ['/v1/me', '/v1/me/sessions']) expect(await statusOf(path, access_token)).toBe(200);
    takeMessages();
    const response = await change(mine.access_token);
    expect(response.status).toBe(204);
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 3 });
    const ended = sessionOf(other.access_token);
    // The guard knows, so every other isolate refuses it, too.
    expect(await refusedBy(uuidOf(mine))).toEqual([ended]);
    for (const path of ['/v1/me/sessions', '/v1/me']) {
      expect(await statusOf(path, other.access_token)).toBe(401);
      expect(await statusOf(path, mine.access_token)).toBe(200);
    }
    expect(await openSessions(mine.access_token)).toHaveLength(1);
    expect(eventsOfType('user.access_ended')).toEqual([
      expect.objectContaining({ reason: 'password_change', session_ids: [ended], epoch: null }),
    ]);
  });

  it('tells nobody of an end when there was no other session', async () => {
    const { access_token } = await registerAccount();
    takeMessages();
    expect((await change(access_token)).status).toBe(204);
    expect(eventsOfType('user.access_ended')).toEqual([]);
  });

  it('is made good by its event when the guard could not be reached', async () => {
    const mine = await registerAccount();
    const other = (await (await logIn(mine.user.username)).json()) as SignedInBody;
    const lost = () => Promise.reject(new Error('unreachable'));
    const ctx = contextOf();
    const { auth_time } = claimsOf(mine.access_token);
    await changePassword(
      {
        ...ctx,
        bindings: {
          ...ctx.bindings,
          SESSION_GUARD: {
            getByName: () => ({ read: lost, end: lost }),
          } as unknown as typeof ctx.bindings.SESSION_GUARD,
        },
        actor: {
          kind: 'user',
          userId: uuidOf(mine),
          sessionId: sessionOf(mine.access_token),
          scopes: [],
          amr: ['pwd'],
          epoch: 0,
          authTime: Number(auth_time),
        },
      },
      { currentPassword: password, newPassword: next },
    );
    expect(await refusedBy(uuidOf(mine))).toEqual([]);
    await deliverEvents();
    expect(await refusedBy(uuidOf(mine))).toEqual([sessionOf(other.access_token)]);
  });

  it('at the moment of a login leaves no session of the old password open', async () => {
    for (let round = 0; round < 3; round += 1) {
      const account = await registerAccount();
      const [loggedIn, changed] = await Promise.all([
        logIn(account.user.username),
        change(account.access_token),
      ]);
      expect(changed.status).toBe(204);
      if (loggedIn.status === 200) {
        const body = (await loggedIn.json()) as SignedInBody;
        expect((await refresh(body.refresh_token)).status).toBe(401);
        expect(await statusOf('/v1/me/sessions', body.access_token)).toBe(401);
      } else expect(loggedIn.status).toBe(401);
    }
  });
});

describe('a login finished by a second factor', () => {
  it('beyond the limit ends the session used longest ago, at once', async () => {
    const account = await registerAccount();
    const { secret } = await enrol(account.access_token);
    const oldest = await seedSession(uuidOf(account), "now() - interval '2 days'");
    for (let count = 0; count < 18; count += 1)
      await seedSession(uuidOf(account), "now() - interval '1 day'");
    expect(await statusOf('/v1/me', oldest.token)).toBe(200);
    takeMessages();
    const response = await finish(account, { code: await codeOf(secret) });
    expect(await roundTripsOf(response)).toMatchObject({ roundTrips: 2 });
    const { access_token } = (await response.json()) as SignedInBody;
    expect(await openSessions(access_token)).toHaveLength(20);
    expect(await statusOf('/v1/me', oldest.token)).toBe(401);
    expect(await refusedBy(uuidOf(account))).toEqual([oldest.sessionUuid]);
    expect(eventsOfType('user.access_ended')).toEqual([
      expect.objectContaining({ reason: 'limit', session_ids: [oldest.sessionUuid] }),
    ]);
  });

  it('keeps the limit among others at the same moment', async () => {
    const account = await registerAccount();
    const { backupCodes } = await enrol(account.access_token);
    for (let count = 0; count < 19; count += 1)
      await seedSession(uuidOf(account), "now() - interval '1 day'");
    const answers = await Promise.all(
      backupCodes.slice(0, 4).map((backup_code) => finish(account, { backup_code })),
    );
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
    expect(await openSessions(account.access_token)).toHaveLength(20);
  });

  it('is told to the other devices when the device is new', async () => {
    const account = await registerAccount();
    const { secret } = await enrol(account.access_token);
    const options = {
      ip: freshAddress(),
      headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' },
    };
    takeMessages();
    const { mfa_token } = await askForFactor(account.user.username, password, options);
    expect(eventsOfType('session.started_on_new_device')).toEqual([]);
    const body = { mfa_token, code: await codeOf(secret) };
    const signedIn = await callJson<SignedInBody>(200, 'POST', '/v1/auth/mfa', { ...options, body });
    expect(eventsOfType('session.started_on_new_device')).toEqual([
      expect.objectContaining({
        session_id: sessionOf(signedIn.access_token),
        device_name: 'Firefox on Linux',
      }),
    ]);
  });
});

describe('a login by password alone', () => {
  it('opens nothing when a second factor was set up after the password was read', async () => {
    const account = await registerAccount();
    const ctx = contextOf();
    const identifier = { kind: 'username', username: account.user.username } as const;
    const known = await findCredentials(ctx.databases.primary, identifier, '00'.repeat(16));
    expect(known?.factors).toEqual([]);
    await enrol(account.access_token);
    const hashes = { checkedHash: known?.passwordHash ?? '', newHash: undefined };
    for (const newHash of [undefined, hashes.checkedHash])
      expect(
        await insertSession(
          ctx,
          uuidOf(account),
          { ...hashes, newHash },
          await prepareSession(ctx, ['pwd']),
          1,
        ),
      ).toBeUndefined();
    expect(await openSessions(account.access_token)).toHaveLength(1);
  });
});

describe('the access token of a step-up', () => {
  it('is one of the same session: it works where sessions are asked for, and ends with its session', async () => {
    const mine = await registerAccount();
    const other = (await (await logIn(mine.user.username)).json()) as SignedInBody;
    const { access_token } = await callJson<{ access_token: string }>(200, 'POST', '/v1/auth/step-up', {
      token: other.access_token,
      body: { password },
    });
    const { sid, epoch } = claimsOf(other.access_token);
    expect(claimsOf(access_token)).toMatchObject({ sid, epoch });
    expect(await statusOf('/v1/me/sessions', access_token)).toBe(200);
    expect((await call('DELETE', `/v1/me/sessions/${sid}`, { token: mine.access_token })).status).toBe(204);
    expect(await statusOf('/v1/me', access_token)).toBe(401);
    expect((await call('POST', '/v1/auth/step-up', { token: access_token, body: { password } })).status).toBe(
      401,
    );
  });

  it('is not given to a token of an epoch that is over', async () => {
    const user = await seedUser();
    await sqlRows('UPDATE users SET token_epoch = token_epoch + 1 WHERE id = $1', [user.uuid]);
    expect((await call('POST', '/v1/auth/step-up', { token: user.token, body: { password } })).status).toBe(
      401,
    );
  });
});
