import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { servicesOf } from '../../../src/context.ts';
import { maintainDatabase } from '../../../src/db/maintenance.ts';
import { reconcileCounters } from '../../../src/db/reconciliation.ts';
import { systemContext } from '../../../src/jobs/system-context.ts';
import { createLogger } from '../../../src/observability/logger.ts';
import { decodeId, randomIds } from '../../../src/shared/ids.ts';
import { follow, getPost, like, post, profile, unfollow, unlike } from '../../api/posts/actions.ts';
import { call, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';

const dayMs = 86_400_000;
const contextAt = (nowMs = Date.now()) => ({
  ...systemContext(servicesOf(testEnv(env)), { job: 'test' }),
  clock: { now: () => nowMs },
});

const countersOf = async (user: TestUser) => (await profile(user)).counters;

it('tells the log how much it did', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger('info', {}, (line) => lines.push(JSON.parse(line)));
  await maintainDatabase({ ...contextAt(), log });
  await reconcileCounters({ ...contextAt(), log });
  expect(lines).toEqual([
    expect.objectContaining({
      event: 'database.maintained',
      partitions_made: 0,
      processed_events_pruned: 0,
      inbound_events_pruned: 0,
      sessions_pruned: 0,
    }),
    expect.objectContaining({ event: 'counters.reconciled', users: 0, posts: 0 }),
  ]);
});

describe('audit entries', () => {
  const writeEntry = (month: string) =>
    sqlRows(
      `INSERT INTO audit_log (id, created_at, actor_kind, action, outcome) VALUES (gen_random_uuid(), ${month}, 'system', 'test.entry', 'success')`,
    );
  const partitionsOfEntries = () =>
    sqlRows<{ place: string; n: number }>(
      "SELECT tableoid::regclass::text AS place, count(*)::int AS n FROM audit_log WHERE action = 'test.entry' GROUP BY 1 ORDER BY 1",
    );

  it('are taken even where no month stands ready, and move once it does', async () => {
    await writeEntry("now() + interval '6 months'");
    await writeEntry("now() + interval '5 years'");
    expect(await partitionsOfEntries()).toEqual([{ place: 'audit_log_default', n: 2 }]);
    await sqlRows("SELECT ensure_monthly_partitions('audit_log', 7)");
    expect(await partitionsOfEntries()).toEqual([
      { place: expect.stringMatching(/^audit_log_\d{4}_\d{2}$/), n: 1 },
      { place: 'audit_log_default', n: 1 },
    ]);
    expect(await sqlRows("SELECT ensure_monthly_partitions('audit_log', 7) AS made")).toEqual([{ made: 0 }]);
  });
});

it('forgets trips to providers a day after they could be finished', async () => {
  for (const [age, mark] of [
    ['23 hours', 'a'],
    ['25 hours', 'b'],
  ])
    await sqlRows(
      `INSERT INTO oauth_flows (id, provider, purpose, state_hash, client_challenge, return_to, created_at, expires_at)
       VALUES (gen_random_uuid(), 'google', 'sign_in', sha256(convert_to($2, 'UTF8')), repeat($2, 43), 'https://app.test/', now(), now() - $1::interval)`,
      [age, mark],
    );
  await maintainDatabase(contextAt());
  expect(await sqlRows('SELECT left(client_challenge, 1) AS mark FROM oauth_flows')).toEqual([{ mark: 'a' }]);
});

it('forgets messages that were given up two months ago', async () => {
  for (const days of [59, 61])
    await sqlRows(
      `INSERT INTO dead_letters (id, queue, body, received_at)
       VALUES (gen_random_uuid(), 'test-buried', jsonb_build_object('days', $1::int), now() - make_interval(days => $1::int))`,
      [days],
    );
  await maintainDatabase(contextAt());
  expect(await sqlRows("SELECT body FROM dead_letters WHERE queue = 'test-buried'")).toEqual([
    { body: { days: 59 } },
  ]);
});

it('forgets codes sent by SMS and logins that owe a second factor once they are over, whoever never comes back', async () => {
  const user = await seedUser();
  for (const age of ['1 minute', '-1 minute']) {
    await sqlRows(
      `INSERT INTO sms_codes (user_id, purpose, binding, phone_id, sealed_number, code_hash, created_at, expires_at)
       VALUES ($1, 'enrol', gen_random_uuid(), gen_random_uuid(), decode(repeat('00', 32), 'hex'), sha256('code'), now(), now() - $2::interval)`,
      [user.uuid, age],
    );
    await sqlRows(
      `INSERT INTO mfa_challenges (id, user_id, password_fingerprint, created_at, expires_at)
       VALUES (gen_random_uuid(), $1, sha256('hash'), now(), now() - $2::interval)`,
      [user.uuid, age],
    );
  }
  await maintainDatabase(contextAt());
  const [left] = await sqlRows(
    'SELECT (SELECT count(*)::int FROM sms_codes) AS codes, (SELECT count(*)::int FROM mfa_challenges) AS logins',
  );
  expect(left).toEqual({ codes: 1, logins: 1 });
});

it('forgets mails after a month and links two days after their end, and not before', async () => {
  const user = await seedUser();
  const insert = async (mailAge: string, tokenAge: string) => {
    await sqlRows(
      "INSERT INTO mail_deliveries (event_id, claimed_until, settled_at, outcome) VALUES (gen_random_uuid(), now() - $1::interval, now(), 'sent')",
      [mailAge],
    );
    await sqlRows(
      `INSERT INTO account_tokens (id, user_id, purpose, email, requested_at, expires_at)
       VALUES (gen_random_uuid(), $1, 'verify_email', 'a@example.com', now(), now() - $2::interval)`,
      [user.uuid, tokenAge],
    );
  };
  await insert('31 days', '49 hours');
  await insert('29 days', '47 hours');
  await maintainDatabase(contextAt());
  const [left] = await sqlRows(
    'SELECT (SELECT count(*)::int FROM mail_deliveries) AS mails, (SELECT count(*)::int FROM account_tokens) AS links',
  );
  expect(left).toEqual({ mails: 1, links: 1 });
});

describe('sessions', () => {
  it('are forgotten with their refresh tokens a month after their end, and not before', async () => {
    const user = await seedUser();
    const sessionEnded = async (ago: string): Promise<string> => {
      const id = randomIds.next();
      await sqlRows(
        `INSERT INTO sessions (id, user_id, amr, auth_time, expires_at, ip) VALUES ($1, $2, '{pwd}', now(), now() - $3::interval, '192.0.2.1')`,
        [id, user.uuid, ago],
      );
      await sqlRows(
        `INSERT INTO refresh_tokens (id, session_id, token_hash, generation, expires_at, rotated_at)
         SELECT gen_random_uuid(), $1::uuid, sha256(convert_to($1::uuid::text || generation, 'UTF8')), generation, now(), now() FROM generate_series(0, 2) AS generation`,
        [id],
      );
      return id;
    };
    const old = await sessionEnded('31 days');
    for (let more = 0; more < 120; more += 1) await sessionEnded('40 days');
    const recent = await sessionEnded('29 days');
    await maintainDatabase(contextAt());
    expect(
      await sqlRows<{ id: string }>('SELECT id FROM sessions WHERE user_id = $1 ORDER BY expires_at', [
        user.uuid,
      ]),
    ).toEqual([{ id: recent }, { id: user.sessionUuid }]);
    expect(await sqlRows('SELECT FROM refresh_tokens WHERE session_id = $1', [old])).toEqual([]);
    expect(await sqlRows('SELECT FROM refresh_tokens WHERE session_id = $1', [recent])).toHaveLength(3);
  });
});

describe('reconciling counters', () => {
  it('repairs what is wrong, creates what is missing, and leaves the rest alone', async () => {
    const [ada, bob, carol] = [await seedUser(), await seedUser(), await seedUser()];
    await follow(bob, ada);
    await follow(carol, ada);
    const first = await post(ada, '1');
    const second = await post(ada, '2');
    const gone = await post(ada, '3');
    await call('DELETE', `/v1/posts/${gone.id}`, { token: ada.token });
    await like(bob, first.id);
    await like(carol, first.id);
    await deliverEvents();
    expect(await reconcileCounters(contextAt())).toMatchObject({ users: 0, posts: 0 });

    await sqlRows('UPDATE user_counters SET followers = 77, following = 5, posts = 0 WHERE user_id = $1', [
      ada.uuid,
    ]);
    await sqlRows('DELETE FROM user_counters WHERE user_id = $1', [bob.uuid]);
    await sqlRows('UPDATE post_counters SET likes = 9 WHERE post_id = $1', [decodeId('post', first.id)]);
    await sqlRows('DELETE FROM post_counters WHERE post_id = $1', [decodeId('post', second.id)]);
    expect(await reconcileCounters(contextAt())).toMatchObject({ users: 2, posts: 2 });
    expect(await countersOf(ada)).toEqual({ followers: 2, following: 0, posts: 2 });
    expect(await countersOf(bob)).toEqual({ followers: 0, following: 1, posts: 0 });
    expect((await getPost(first.id)).like_count).toBe(2);
    expect(await reconcileCounters(contextAt())).toMatchObject({ users: 0, posts: 0 });
  });

  it('counts nothing twice whose message arrives afterwards', async () => {
    const [ada, bob, carol] = [await seedUser(), await seedUser(), await seedUser()];
    await follow(bob, ada);
    const { id } = await post(ada, 'x');
    await like(bob, id);
    await like(carol, id);
    const waiting = takeMessages();
    expect(await reconcileCounters(contextAt())).toMatchObject({ users: 2, posts: 1 });
    await deliver(waiting);
    await deliverEvents();
    expect(await countersOf(ada)).toEqual({ followers: 1, following: 0, posts: 1 });
    expect(await countersOf(bob)).toEqual({ followers: 0, following: 1, posts: 0 });
    expect((await getPost(id)).like_count).toBe(2);
    await unlike(carol, id);
    await unfollow(bob, ada);
    await deliverEvents();
    expect((await getPost(id)).like_count).toBe(1);
    expect((await countersOf(ada)).followers).toBe(0);
  });

  it('goes through more rows than one page holds', async () => {
    const [author, fan] = [await seedUser(), await seedUser()];
    await sqlRows(
      `WITH made AS (
         INSERT INTO posts (id, author_id, text) SELECT gen_random_uuid(), $1, 'x' FROM generate_series(1, 1203) RETURNING id
       )
       INSERT INTO post_likes (post_id, user_id) SELECT id, $2 FROM made`,
      [author.uuid, fan.uuid],
    );
    expect(await reconcileCounters(contextAt())).toMatchObject({ users: 1, posts: 1_203 });
    expect((await countersOf(author)).posts).toBe(1_203);
    expect(await reconcileCounters(contextAt())).toMatchObject({ users: 0, posts: 0 });
  });

  it('waits while events are held up', async () => {
    const ada = await seedUser();
    await sqlRows('UPDATE user_counters SET followers = 5 WHERE user_id = $1', [ada.uuid]);
    const stuck = randomIds.next();
    await sqlRows(
      `INSERT INTO outbox (id, type, payload, created_at) VALUES ($1, 'stuck', '{}', now() - interval '1 hour')`,
      [stuck],
    );
    expect(await reconcileCounters(contextAt())).toMatchObject({ users: 0, posts: 0 });
    await sqlRows('DELETE FROM outbox WHERE id = $1', [stuck]);
    expect(await reconcileCounters(contextAt())).toMatchObject({ users: 1, posts: 0 });
    expect((await countersOf(ada)).followers).toBe(0);
  });
});

describe('maintaining the database', () => {
  it('forgets handled events after fourteen days, and not before', async () => {
    await sqlRows(
      `INSERT INTO processed_events (handler, event_id) SELECT 'test', gen_random_uuid() FROM generate_series(1, 12000)`,
    );
    await sqlRows(
      `INSERT INTO inbound_events (source, event_id) SELECT 'test', n::text FROM generate_series(1, 30) AS n`,
    );
    const left = async () => {
      const [row] = await sqlRows(
        `SELECT (SELECT count(*)::integer FROM processed_events WHERE handler = 'test') AS processed,
                (SELECT count(*)::integer FROM inbound_events) AS inbound`,
      );
      return row;
    };
    await maintainDatabase(contextAt(Date.now() + 13.9 * dayMs));
    expect(await left()).toEqual({ processed: 12_000, inbound: 30 });
    await maintainDatabase(contextAt(Date.now() + 14.1 * dayMs));
    expect(await left()).toEqual({ processed: 0, inbound: 0 });
  });

  it('keeps partitions of the audit log ready for the months to come', async () => {
    await maintainDatabase(contextAt());
    const partitions = await sqlRows(
      `SELECT inhrelid FROM pg_inherits WHERE inhparent = 'audit_log'::regclass`,
    );
    expect(partitions.length).toBeGreaterThanOrEqual(5);
    await maintainDatabase(contextAt());
    expect(
      await sqlRows(`SELECT inhrelid FROM pg_inherits WHERE inhparent = 'audit_log'::regclass`),
    ).toHaveLength(partitions.length);
  });

  it('still takes an old like off the count once its message is forgotten', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const { id } = await post(ada, 'x');
    await like(bob, id);
    await deliverEvents();
    await sqlRows(`UPDATE post_likes SET created_at = now() - interval '20 days' WHERE post_id = $1`, [
      decodeId('post', id),
    ]);
    await sqlRows('DELETE FROM processed_events');
    await unlike(bob, id);
    await deliverEvents({ times: 2 });
    expect((await getPost(id)).like_count).toBe(0);
  });
});
