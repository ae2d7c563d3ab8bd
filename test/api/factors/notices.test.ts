import { afterEach, beforeEach, expect, it } from 'vitest';
import { call, callJson } from '../../support/worker/client.ts';
import { mailsTo } from '../../support/worker/mails.ts';
import { deliverEvents } from '../../support/worker/queues.ts';
import { problemOf } from '../auth/accounts.ts';
import { verifiedAccount } from '../auth/recovery.ts';
import { codeOf, enrol, restartClock, stopClock } from './enrol.ts';

beforeEach(stopClock);
afterEach(restartClock);

it('mails the owner each change of the second factor, once, and nothing when it is refused', async () => {
  const account = await verifiedAccount();
  const { secret, backupCodes } = await enrol(account.access_token);
  const refused = await call('POST', '/v1/me/factors/backup-codes', { token: account.access_token });
  expect(await problemOf(refused)).toMatchObject({ code: 'auth.step_up_required' });
  const { access_token: token } = await callJson<{ access_token: string }>(200, 'POST', '/v1/auth/step-up', {
    token: account.access_token,
    body: { code: await codeOf(secret) },
  });
  const renewed = await callJson<{ backup_codes: string[] }>(200, 'POST', '/v1/me/factors/backup-codes', {
    token,
  });
  expect((await call('DELETE', '/v1/me/factors/totp', { token })).status).toBe(204);
  expect((await call('DELETE', '/v1/me/factors/totp', { token })).status).toBe(404);
  await deliverEvents({ times: 2 });
  const mails = (await mailsTo(account.email)).filter(({ subject }) => /factor|backup/.test(subject));
  expect(mails.map(({ subject }) => subject).toSorted()).toEqual([
    'A second factor was added',
    'A second factor was removed',
    'Your backup codes were replaced',
  ]);
  const text = mails.map((mail) => mail.text + mail.html).join();
  for (const leak of [secret, ...backupCodes, ...renewed.backup_codes]) expect(text).not.toContain(leak);
});
