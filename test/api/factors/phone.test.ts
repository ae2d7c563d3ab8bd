import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startPhone } from '../../../src/modules/factors/usecases/manage-phone.ts';
import { sha256 } from '../../../src/shared/crypto.ts';
import { hex, utf8 } from '../../../src/shared/encoding.ts';
import { call, callJson, seedUser, sqlRows } from '../../support/worker/client.ts';
import { breakDatabase } from '../../support/worker/faults.ts';
import { contextOf } from '../../support/worker/films.ts';
import { takeMessages } from '../../support/worker/recording-queue.ts';
import { problemOf } from '../auth/accounts.ts';
import { codeOf, enrol, passSeconds, restartClock, stopClock } from './enrol.ts';
import {
  confirmPhone,
  freshNumber,
  lastCodeTo,
  messagesTo,
  otherThan,
  provePhone,
  setPhone,
  steppedUp,
} from './phones.ts';

beforeEach(stopClock);
afterEach(restartClock);

/** A user with an authenticator, stepped up. */
async function protectedUser() {
  const user = await seedUser();
  const { secret } = await enrol(user.token);
  return { ...user, secret, token: await steppedUp(user.token, secret) };
}

const noticesOf = (uuid: string): Record<string, unknown>[] =>
  takeMessages()
    .filter(({ body }) => body.data.notice === 'phone_changed' && body.data.user_id === uuid)
    .map(({ body }) => body.data);
const phoneOf = async (token: string) =>
  (await callJson<{ phone: unknown }>(200, 'GET', '/v1/me/factors', { token })).phone;
const rowsOf = (uuid: string) => sqlRows('SELECT id FROM phone_factors WHERE user_id = $1', [uuid]);

describe('setting a phone number', () => {
  it('counts once the code sent to it is confirmed, and tells the owner', async () => {
    const user = await protectedUser();
    const number = freshNumber();
    const sent = await setPhone(user.token, number);
    expect(sent.status).toBe(202);
    expect(await sent.json()).toEqual({ expires_in: 600, last_digits: number.slice(-2) });
    expect(await phoneOf(user.token)).toBeNull();
    const [message] = await messagesTo(number);
    expect(message?.from).toBe('+15005550006');
    expect(message?.body).toMatch(/^\d{6} is your Social Flow code/);
    expect((await confirmPhone(user.token, await lastCodeTo(number))).status).toBe(204);
    expect(await phoneOf(user.token)).toEqual({
      last_digits: number.slice(-2),
      verified_at: new Date().toISOString(),
    });
    expect(noticesOf(user.uuid)).toMatchObject([{ notice: 'phone_changed', detail: { change: 'set' } }]);
    const audit = await sqlRows<{ action: string }>(
      `SELECT action FROM audit_log WHERE target_id = $1 AND action IN ('factors.sms_code_sent', 'factors.phone_set') ORDER BY action`,
      [user.uuid],
    );
    expect(audit.map(({ action }) => action)).toEqual(['factors.phone_set', 'factors.sms_code_sent']);
  });

  it('keeps neither number nor code in readable form, in any table', async () => {
    const user = await protectedUser();
    const number = freshNumber();
    await setPhone(user.token, number);
    const code = await lastCodeTo(number);
    await confirmPhone(user.token, code);
    const [row] = await sqlRows<{ text: string }>(
      `SELECT (SELECT phone_factors::text FROM phone_factors WHERE user_id = $1) ||
        (SELECT string_agg(sms_codes::text, '') FROM sms_codes WHERE user_id = $1) ||
        (SELECT string_agg(detail::text, '') FROM audit_log WHERE target_id = $1::text) AS text`,
      [user.uuid],
    );
    const kept = `${row?.text}${JSON.stringify(noticesOf(user.uuid))}`;
    expect(row?.text).toMatch(/\S/);
    for (const secret of [number, code]) {
      expect(kept).not.toContain(secret.replace('+', ''));
      // Bytes are hex in the text of a row; the digits alone are in it with a plus sign or without.
      expect(kept).not.toContain(hex(utf8(secret.replace('+', ''))));
      expect(kept).not.toContain(hex(await sha256(secret)));
    }
  });

  it('works beside an authenticator app only', async () => {
    const user = await seedUser();
    const number = freshNumber();
    expect(await problemOf(await setPhone(user.token, number))).toMatchObject({
      status: 409,
      code: 'factors.totp_required',
    });
    expect(await messagesTo(number)).toEqual([]);
  });

  it('needs a recent login by a second factor', async () => {
    const user = await seedUser();
    const { secret } = await enrol(user.token);
    const number = freshNumber();
    for (const attempt of [
      () => setPhone(user.token, number),
      () => confirmPhone(user.token, '000000'),
      () => call('DELETE', '/v1/me/factors/phone', { token: user.token }),
    ])
      expect(await problemOf(await attempt())).toMatchObject({ status: 401, code: 'auth.step_up_required' });
    expect(await messagesTo(number)).toEqual([]);
    expect(secret).toBeTruthy();
  });

  it.each([
    ['of letters', 'hello', 422],
    ['without a country', '912345678', 422],
    ['that is too long', '+3519123456789012', 422],
    ['with an extension', '+351912345678;ext=1', 422],
    ['with spaces', '+351 912 345 678', 422],
  ])('refuses a number %s', async (_, number, status) => {
    const user = await protectedUser();
    expect(await problemOf(await setPhone(user.token, number))).toMatchObject({
      status,
      code: 'request.invalid',
    });
  });

  it.each([
    ['a country that is not served', '+93701234567'],
    ['a costly island behind +1', '+18765551234'],
    ['a premium number', '+19005551234'],
    ['what the service calls invalid', '+15005550001'],
    ['what is no mobile phone', '+15005550009'],
    ['who asked for no messages', '+15005550004'],
  ])('refuses %s, and keeps no number', async (_, number) => {
    const user = await protectedUser();
    expect(await problemOf(await setPhone(user.token, number))).toMatchObject({
      status: 422,
      code: 'factors.phone_refused',
    });
    expect(await messagesTo(number)).toEqual([]);
    expect(await rowsOf(user.uuid)).toEqual([]);
  });

  it('tells nothing about who else has the number', async () => {
    const [one, other] = [await protectedUser(), await protectedUser()];
    const number = await provePhone(one.token);
    const free = freshNumber();
    const [taken, fresh] = [await setPhone(other.token, number), await setPhone(other.token, free)];
    expect(taken.status).toBe(fresh.status);
    expect(Object.keys((await taken.json()) as object)).toEqual(Object.keys((await fresh.json()) as object));
    expect((await confirmPhone(other.token, await lastCodeTo(free))).status).toBe(204);
    expect(await phoneOf(one.token)).toMatchObject({ last_digits: number.slice(-2) });
  });

  it('takes a code once of twenty confirmations at once, and tells once', async () => {
    const user = await protectedUser();
    const number = freshNumber();
    await setPhone(user.token, number);
    const code = await lastCodeTo(number);
    const answers = await Promise.all(Array.from({ length: 20 }, () => confirmPhone(user.token, code)));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 204))
      expect(await problemOf(answer)).toMatchObject({ status: 422, code: 'factors.code_invalid' });
    expect(noticesOf(user.uuid)).toHaveLength(1);
  });

  it('ends a code after five wrong ones, even for the right one', async () => {
    const user = await protectedUser();
    const number = freshNumber();
    await setPhone(user.token, number);
    const code = await lastCodeTo(number);
    for (let attempt = 0; attempt < 5; attempt += 1)
      expect((await confirmPhone(user.token, otherThan(code))).status).toBe(422);
    expect(await problemOf(await confirmPhone(user.token, code))).toMatchObject({
      code: 'factors.code_invalid',
    });
    expect(await rowsOf(user.uuid)).toEqual([]);
  });

  it('refuses a code that is late, replaced, or of another account', async () => {
    const [user, eve] = [await protectedUser(), await protectedUser()];
    const number = freshNumber();
    await setPhone(user.token, number);
    const first = await lastCodeTo(number);
    expect((await confirmPhone(eve.token, first)).status).toBe(422);
    await setPhone(user.token, number);
    const second = await lastCodeTo(number);
    if (first !== second) expect((await confirmPhone(user.token, first)).status).toBe(422);
    passSeconds(601);
    const later = await steppedUp(user.token, user.secret);
    expect((await confirmPhone(later, second)).status).toBe(422);
    expect(await rowsOf(user.uuid)).toEqual([]);
  });

  it('keeps the number before until another is proven, and voids codes sent to it then', async () => {
    const user = await protectedUser();
    const before = await provePhone(user.token);
    const after = freshNumber();
    await setPhone(user.token, after);
    expect(await phoneOf(user.token)).toMatchObject({ last_digits: before.slice(-2) });
    expect((await call('POST', '/v1/auth/step-up/sms', { token: user.token })).status).toBe(202);
    const old = await lastCodeTo(before);
    expect((await confirmPhone(user.token, await lastCodeTo(after))).status).toBe(204);
    const stale = await call('POST', '/v1/auth/step-up', { token: user.token, body: { sms_code: old } });
    expect(await problemOf(stale)).toMatchObject({ status: 401, code: 'auth.mfa_code_invalid' });
  });

  it('goes away with the authenticator, and stays away with the next one', async () => {
    const user = await protectedUser();
    const number = await provePhone(user.token);
    const token = await steppedUp(user.token, user.secret);
    expect((await call('DELETE', '/v1/me/factors/totp', { token })).status).toBe(204);
    expect(await rowsOf(user.uuid)).toEqual([]);
    expect(await problemOf(await call('POST', '/v1/auth/step-up/sms', { token }))).toMatchObject({
      status: 409,
      code: 'factors.sms_not_set_up',
    });
    expect(await messagesTo(number)).toHaveLength(1);
  });

  it('counts no number proven beside an earlier authenticator', async () => {
    const user = await protectedUser();
    await provePhone(user.token);
    await sqlRows(`UPDATE totp_factors SET confirmed_at = now() + interval '1 hour' WHERE user_id = $1`, [
      user.uuid,
    ]);
    expect(await phoneOf(user.token)).toBeNull();
  });

  it('is removed by its owner only, once', async () => {
    const [user, eve] = [await protectedUser(), await protectedUser()];
    await provePhone(user.token);
    expect((await call('DELETE', '/v1/me/factors/phone', { token: eve.token })).status).toBe(404);
    expect(await rowsOf(user.uuid)).toHaveLength(1);
    expect((await call('DELETE', '/v1/me/factors/phone', { token: user.token })).status).toBe(204);
    expect(await phoneOf(user.token)).toBeNull();
    expect(
      await problemOf(await call('DELETE', '/v1/me/factors/phone', { token: user.token })),
    ).toMatchObject({
      code: 'factors.phone_not_found',
    });
  });

  it('sends at most five codes an hour to one account, however many numbers it names', async () => {
    const user = await protectedUser();
    const statuses: number[] = [];
    for (let index = 0; index < 6; index += 1)
      statuses.push((await setPhone(user.token, freshNumber())).status);
    expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
    const refused = await setPhone(user.token, freshNumber());
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await problemOf(refused)).toMatchObject({ code: 'factors.sms_limited' });
  });

  it('sends at most five codes an hour to one number, whoever asks', async () => {
    const number = freshNumber();
    const statuses: number[] = [];
    for (const user of [await protectedUser(), await protectedUser()])
      for (let index = 0; index < 3; index += 1) statuses.push((await setPhone(user.token, number)).status);
    expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
    expect(await messagesTo(number)).toHaveLength(5);
  });

  it('sends no more than the deployment’s limit of a day', async () => {
    const outcomes: string[] = [];
    const settings = { SMS_DAILY_LIMIT: '8' };
    for (let index = 0; index < 3; index += 1) {
      const user = await protectedUser();
      outcomes.push(
        await startPhone(contextOf({ user, settings }), freshNumber()).then(
          () => 'sent',
          (error: { code: string }) => error.code,
        ),
      );
    }
    expect(outcomes.at(-1)).toBe('factors.sms_limited');
  });

  it('answers 503 when the service cannot be reached or refuses us, and keeps nothing that counts', async () => {
    const user = await protectedUser();
    for (const settings of [
      { SMS_API_URL: 'http://127.0.0.1:1' },
      { SMS_AUTH_TOKEN: 'not-the-token' },
      { SMS_ACCOUNT_SID: `AC${'0'.repeat(32)}` },
    ])
      await expect(startPhone(contextOf({ user, settings }), freshNumber())).rejects.toMatchObject({
        code: 'service.unavailable',
      });
    expect(await rowsOf(user.uuid)).toEqual([]);
  });

  it('is not offered where no service is configured', async () => {
    const user = await protectedUser();
    await expect(
      startPhone(contextOf({ user, settings: { SMS_ACCOUNT_SID: '' } }), freshNumber()),
    ).rejects.toMatchObject({ code: 'factors.sms_not_offered' });
  });

  it('sends nothing when the code could not be written', async () => {
    const user = await protectedUser();
    const number = freshNumber();
    await breakDatabase({ mode: 'down' });
    const lost = await setPhone(user.token, number);
    await breakDatabase({ mode: 'none' });
    expect(lost.status).toBe(503);
    expect(await messagesTo(number)).toEqual([]);
  });

  it('takes the code of an app for nothing here', async () => {
    const user = await protectedUser();
    await setPhone(user.token, freshNumber());
    expect((await confirmPhone(user.token, await codeOf(user.secret))).status).toBe(422);
  });
});
