import { describe, expect, it } from 'vitest';
import { call, callJson, seedUser, type TestUser } from '../../support/worker/client.ts';
import { takeMessages } from '../../support/worker/queues.ts';
import { problemOf } from '../auth/accounts.ts';
import { auditOf, seedStaff } from './staff.ts';

const state = (user: TestUser, birth_date: string) =>
  call('PUT', '/v1/me/birth-date', { token: user.token, body: { birth_date } });
const clear = (
  staff: TestUser,
  target: TestUser,
  body: Record<string, unknown> = { reason: 'passport seen' },
) => call('POST', `/v1/admin/users/${target.id}/birth-date/clear`, { token: staff.token, body });
/** What the owner was told since last asked. */
const noticesTo = (user: TestUser) =>
  takeMessages().flatMap(({ body }) =>
    body.type === 'account.security_notice' && body.data.user_id === user.uuid ? [body.data.notice] : [],
  );

describe('a date of birth stated by mistake', () => {
  it('is cleared by staff, and then stated anew, once', async () => {
    const [moderator, user, other] = [await seedStaff('moderator'), await seedUser(), await seedUser()];
    for (const person of [user, other]) expect((await state(person, '2010-12-31')).status).toBe(200);
    expect((await state(user, '1990-12-31')).status).toBe(409);
    expect((await clear(moderator, user)).status).toBe(204);
    expect((await state(user, '1990-12-31')).status).toBe(200);
    expect(await problemOf(await state(user, '1980-01-01'))).toMatchObject({
      status: 409,
      code: 'users.birth_date_fixed',
    });
    expect((await state(other, '1990-12-31')).status).toBe(409);
  });

  it('is cleared for a reason that is written down, and told to its owner, without the date', async () => {
    const [admin, user] = [await seedStaff('admin'), await seedUser()];
    await state(user, '2010-12-31');
    expect((await clear(admin, user)).status).toBe(204);
    const cleared = (await auditOf(user)).filter(({ action }) => action === 'admin.birth_date_cleared');
    expect(cleared).toMatchObject([{ outcome: 'success', detail: { reason: 'passport seen' } }]);
    expect(JSON.stringify(cleared)).not.toContain('2010');
    expect(noticesTo(user)).toEqual(['birth_date_cleared']);
    const events = await callJson<{ data: { type: string; actor: string }[] }>(
      200,
      'GET',
      '/v1/me/security-events',
      { token: user.token },
    );
    expect(events.data).toContainEqual(
      expect.objectContaining({ type: 'birth_date_cleared', actor: 'staff' }),
    );
    // Nothing is left to clear, and nothing more is told.
    expect((await clear(admin, user)).status).toBe(204);
    expect(noticesTo(user)).toEqual([]);
    expect((await auditOf(user)).filter(({ action }) => action === 'admin.birth_date_cleared')).toHaveLength(
      1,
    );
    // The owner stays signed in.
    expect((await call('GET', '/v1/me', { token: user.token })).status).toBe(200);
  });

  it('is not cleared by its owner, whoever that is, nor without a reason', async () => {
    const [moderator, user, colleague] = [
      await seedStaff('moderator'),
      await seedUser(),
      await seedStaff('moderator'),
    ];
    for (const person of [moderator, user, colleague]) await state(person, '2010-12-31');
    expect(await problemOf(await clear(user, user))).toMatchObject({ status: 403, code: 'auth.forbidden' });
    expect(await problemOf(await clear(moderator, moderator))).toMatchObject({ code: 'admin.not_oneself' });
    expect(await problemOf(await clear(moderator, colleague))).toMatchObject({
      code: 'admin.staff_protected',
    });
    for (const body of [{}, { reason: '' }, { reason: 'x', birth_date: '1990-01-01' }])
      expect((await clear(moderator, user, body)).status).toBe(422);
    for (const person of [moderator, user, colleague])
      expect((await state(person, '1990-12-31')).status).toBe(409);
  });

  it('is cleared once by many at a time, and stated once after', async () => {
    const [admin, user] = [await seedStaff('admin'), await seedUser()];
    await state(user, '2010-12-31');
    const cleared = await Promise.all(Array.from({ length: 4 }, () => clear(admin, user)));
    expect(cleared.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
    expect(noticesTo(user)).toEqual(['birth_date_cleared']);
    const stated = await Promise.all(
      ['1990-01-01', '1991-01-01', '1992-01-01'].map((date) => state(user, date)),
    );
    expect(stated.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
  });
});
