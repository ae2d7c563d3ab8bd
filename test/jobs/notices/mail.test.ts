import { describe, expect, it } from 'vitest';
import { securityNotices } from '../../../src/modules/notices/notices.events.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { failMails, mailsTo } from '../../support/worker/mails.ts';
import { deliver } from '../../support/worker/queues.ts';

const verifiedUser = async (
  options: { displayName?: string } = {},
): Promise<TestUser & { email: string }> => {
  const user = await seedUser(options);
  await sqlRows('UPDATE users SET email_verified_at = now() WHERE id = $1', [user.uuid]);
  return { ...user, email: `${user.username}@example.com` };
};

const notice = (userUuid: string, data: Record<string, unknown> = {}) => ({
  queue: 'social-flow-events',
  body: {
    id: randomIds.next(),
    type: 'account.security_notice',
    occurred_at: new Date().toISOString(),
    data: {
      user_id: userUuid,
      notice: 'password_changed',
      detail: {},
      email: null,
      occurred_at: '2026-11-26T19:20:21.000Z',
      ...data,
    },
  },
});

describe('the mail of a security notice', () => {
  it.each(securityNotices)('tells the owner of %s, and what to do about it', async (kind) => {
    const user = await verifiedUser();
    expect(await deliver([notice(user.uuid, { notice: kind })])).toEqual({ acked: 1, retried: 0 });
    const [mail, ...others] = await mailsTo(user.email);
    expect(others).toEqual([]);
    expect(mail?.from).toBe('no-reply@social-flow.test');
    expect(mail?.subject.length).toBeGreaterThan(10);
    expect(mail?.text).toContain(`Hello @${user.username},`);
    expect(mail?.text).toContain('When: 2026-11-26 19:20 UTC');
    expect(mail?.text).toMatch(/\bIf (this was not you|you (think|did) )/);
    expect(mail?.html).toContain(`Hello @${user.username},`);
  });

  it('goes out once however often its event arrives, also at the same time', async () => {
    const user = await verifiedUser();
    const message = notice(user.uuid);
    const results = await Promise.all([1, 2, 3, 4].map(() => deliver([message])));
    expect(results.some(({ acked }) => acked === 1)).toBe(true);
    expect(await deliver([message])).toEqual({ acked: 1, retried: 0 });
    expect(await mailsTo(user.email)).toHaveLength(1);
  });

  it('goes to nobody while the address is not verified: it may be a stranger’s', async () => {
    const user = await seedUser();
    expect(await deliver([notice(user.uuid)])).toEqual({ acked: 1, retried: 0 });
    expect(await mailsTo(`${user.username}@example.com`)).toEqual([]);
  });

  it('goes to the address the event names, and then to no other', async () => {
    const user = await verifiedUser();
    const old = `old.${user.username}@example.com`;
    await deliver([notice(user.uuid, { notice: 'email_changed', email: old })]);
    expect(await mailsTo(old)).toHaveLength(1);
    expect(await mailsTo(user.email)).toEqual([]);
  });

  it('is tried again when the mail service fails, and is not lost', async () => {
    const user = await verifiedUser();
    const message = notice(user.uuid);
    await failMails(2, { status: 500, code: 'InternalFailure' });
    expect(await deliver([message])).toEqual({ acked: 0, retried: 1 });
    expect(await deliver([message])).toEqual({ acked: 0, retried: 1 });
    expect(await mailsTo(user.email)).toEqual([]);
    expect(await deliver([message])).toEqual({ acked: 1, retried: 0 });
    expect(await mailsTo(user.email)).toHaveLength(1);
  });

  it('is tried again while sending is throttled or paused', async () => {
    const user = await verifiedUser();
    const message = notice(user.uuid);
    await failMails(2, { status: 429, code: 'TooManyRequestsException' });
    expect(await deliver([message])).toEqual({ acked: 0, retried: 1 });
    await failMails(1, { status: 400, code: 'SendingPausedException' });
    expect(await deliver([message])).toEqual({ acked: 0, retried: 1 });
    await deliver([message]);
    expect(await mailsTo(user.email)).toHaveLength(1);
  });

  it('is given up when the mail service will never take it', async () => {
    const user = await verifiedUser();
    const message = notice(user.uuid);
    await failMails(1, { status: 400, code: 'MessageRejected' });
    expect(await deliver([message])).toEqual({ acked: 1, retried: 0 });
    expect(await deliver([message])).toEqual({ acked: 1, retried: 0 });
    expect(await mailsTo(user.email)).toEqual([]);
    expect(
      await sqlRows('SELECT outcome FROM mail_deliveries WHERE event_id = $1', [message.body.id]),
    ).toEqual([{ outcome: 'refused' }]);
  });

  it('is sent by another when its sender died', async () => {
    const user = await verifiedUser();
    const message = notice(user.uuid);
    await sqlRows(
      "INSERT INTO mail_deliveries (event_id, claimed_until) VALUES ($1, now() + interval '1 minute')",
      [message.body.id],
    );
    expect(await deliver([message])).toEqual({ acked: 0, retried: 1 });
    await sqlRows(
      "UPDATE mail_deliveries SET claimed_until = now() - interval '1 second' WHERE event_id = $1",
      [message.body.id],
    );
    expect(await deliver([message])).toEqual({ acked: 1, retried: 0 });
    expect(await mailsTo(user.email)).toHaveLength(1);
  });

  it('encodes what others wrote, keeps it on one line, and shows no display name', async () => {
    const user = await verifiedUser({ displayName: '<img src=x onerror=alert(1)>' });
    const name =
      '<a href="https://evil.test">click</a>\r\nBcc: x@y.z\n\nHello <script>alert(1)</script> \u202egnp';
    await deliver([notice(user.uuid, { notice: 'api_key_created', detail: { key_name: name } })]);
    const [mail] = await mailsTo(user.email);
    expect(mail?.html).not.toMatch(/<(img|a|script)\b/);
    expect(mail?.html).toContain('&#60;script&#62;');
    expect(mail?.text).not.toContain('onerror');
    expect(mail?.text).toMatch(/^ {2}Key name: .*Bcc: x@y\.z Hello .*gnp$/m);
    expect(mail?.text).not.toContain('\u202e');
    expect(mail?.to).toEqual([user.email]);
  });

  it('refuses an address that would name further recipients', async () => {
    const user = await verifiedUser();
    for (const email of ['a@b.test,c@d.test', 'a@b.test\r\nBcc: c@d.test', 'A <a@b.test>', 'a b@c.test'])
      expect(await deliver([notice(user.uuid, { email })])).toEqual({ acked: 1, retried: 0 });
    for (const email of ['a@b.test', 'c@d.test']) expect(await mailsTo(email)).toEqual([]);
  });
});

describe('a login from a new device', () => {
  it('is mailed to the owner', async () => {
    const user = await verifiedUser();
    const message = {
      queue: 'social-flow-events',
      body: {
        id: randomIds.next(),
        type: 'session.started_on_new_device',
        occurred_at: new Date().toISOString(),
        data: {
          user_id: user.uuid,
          session_id: user.sessionUuid,
          device_name: 'Firefox on Linux',
          country: 'PT',
          started_at: '2026-11-26T19:20:21.000Z',
        },
      },
    };
    expect(await deliver([message, message])).toEqual({ acked: 2, retried: 0 });
    const mails = await mailsTo(user.email);
    expect(mails).toHaveLength(1);
    expect(mails[0]?.text).toContain('Device: Firefox on Linux');
    expect(mails[0]?.text).toContain('Country: PT');
    expect(mails[0]?.text).toContain('end all sessions');
  });
});
