import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { servicesOf } from '../../../src/context.ts';
import { runCron } from '../../../src/jobs/cron.ts';
import { createLogger } from '../../../src/observability/logger.ts';
import { decodeId } from '../../../src/shared/ids.ts';
import { logIn, password, registerAccount } from '../../api/auth/accounts.ts';
import { call, freshAddress, sqlRows } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';

interface EntryRow {
  readonly action: string;
  readonly outcome: string;
  readonly actor_kind: string;
  readonly actor_id: string | null;
  readonly target_id: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
}

const entriesOf = (userUuid: string) =>
  sqlRows<EntryRow>(
    `SELECT action, outcome, actor_kind, actor_id, target_id, host(ip) AS ip, user_agent, request_id FROM audit_log
     WHERE target_id = $1 ORDER BY created_at, id`,
    [userUuid],
  );

describe('an audit entry', () => {
  it('says who did what to whom, from where, with which outcome, in which request', async () => {
    const { user, access_token: token } = await registerAccount();
    const uuid = decodeId('user', user.id) ?? '';
    const ip = freshAddress();
    const headers = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko Firefox/140.0' };
    const failed = await logIn(user.username, 'not the password', { ip, headers });
    const loggedOut = await call('POST', '/v1/auth/logout', { ip, headers, token });
    expect([failed.status, loggedOut.status]).toEqual([401, 204]);
    const from = { ip, user_agent: headers['user-agent'], target_id: uuid };
    expect((await entriesOf(uuid)).slice(1)).toEqual([
      {
        ...from,
        action: 'auth.login',
        outcome: 'failure',
        actor_kind: 'anonymous',
        actor_id: null,
        request_id: failed.headers.get('x-request-id'),
      },
      {
        ...from,
        action: 'auth.logout',
        outcome: 'success',
        actor_kind: 'user',
        actor_id: uuid,
        request_id: loggedOut.headers.get('x-request-id'),
      },
    ]);
  });

  it('cannot be changed or deleted through the connection of the Worker', async () => {
    const { user } = await registerAccount();
    const uuid = decodeId('user', user.id) ?? '';
    for (const statement of [
      "UPDATE audit_log SET outcome = 'failure'",
      'DELETE FROM audit_log',
      'TRUNCATE audit_log',
    ])
      await expect(sqlRows(statement)).rejects.toThrow('permission denied');
    expect(await entriesOf(uuid)).toHaveLength(1);
  });

  it('never holds a password', async () => {
    const rows = await sqlRows<{ text: string }>('SELECT audit_log::text AS text FROM audit_log');
    expect(rows.length).toBeGreaterThan(2);
    for (const { text } of rows) expect(text).not.toContain(password);
  });
});

describe('the cron that seals the audit log', () => {
  const runAndRead = async () => {
    const lines: Record<string, unknown>[] = [];
    const log = createLogger('info', {}, (line) => lines.push(JSON.parse(line)));
    const waiting: Promise<unknown>[] = [];
    await runCron({ cron: '* * * * *' }, { ...servicesOf(testEnv(env)), log }, (task) => waiting.push(task));
    await Promise.all(waiting);
    return lines.find(({ event }) => event === 'audit.sealed');
  };

  it('puts every entry into the chain and tells the log its head, which later ones build on', async () => {
    await registerAccount();
    const first = await runAndRead();
    expect(first).toMatchObject({
      audit_seq: expect.any(Number),
      audit_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const [total] = await sqlRows<{ n: number }>('SELECT count(*)::int AS n FROM audit_log');
    expect(first).toMatchObject({ count: total?.n, audit_seq: total?.n });
    expect(await runAndRead()).toMatchObject({
      audit_seq: first?.audit_seq,
      audit_hash: first?.audit_hash,
      count: 0,
    });
    await registerAccount();
    const next = await runAndRead();
    expect(next).toMatchObject({ count: 1, audit_seq: Number(total?.n) + 1 });
    expect(next?.audit_hash).not.toBe(first?.audit_hash);
  });

  it('loses nothing when two run at once', async () => {
    for (let user = 0; user < 5; user += 1) await registerAccount();
    await Promise.all([runAndRead(), runAndRead(), runAndRead()]);
    const [total] = await sqlRows<{ n: number }>('SELECT count(*)::int AS n FROM audit_log');
    await vi.waitFor(async () => expect(await runAndRead()).toMatchObject({ audit_seq: total?.n }));
  });
});
