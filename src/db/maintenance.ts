import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../context.ts';
import { atomic, type Db } from './client.ts';
import {
  type Counter,
  counters,
  createdRecently,
  followId,
  likeId,
  processedEventsRetentionDays,
} from './counting.ts';
import { oldestEventAgeSeconds } from './outbox.ts';

const partitionMonthsAhead = 3;
const pruneBatch = 5_000;
// Each takes its refresh tokens along, up to some thousand.
const sessionPruneBatch = 100;
const maxPruneBatches = 200;
const endedSessionRetentionDays = 30;
// Longer than any queue keeps a message that could ask for the mail again.
const mailRetentionDays = 30;
// The limits on mails to one address count back a day.
const endedTokenRetentionDays = 2;
// Time for an operator to look and replay; messages hold what people typed.
const deadLetterRetentionDays = 60;
const reconcileBatch = 500;
const backlogSeconds = 300;
const dayMs = 86_400_000;

/**
 * Makes the coming months' partitions and forgets what `processed_events` and `inbound_events` need not remember any
 * more, mails sent and messages given up long ago, tokens of mails that are over, the answers refreshes can no longer repeat, and the addresses
 * of old audit entries.
 */
export async function maintainDatabase(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  const result = await primary.execute(
    sql`SELECT ensure_monthly_partitions('audit_log', ${partitionMonthsAhead}) AS made`,
  );
  await primary.execute(sql`SELECT keep_monthly_partitions(${partitionMonthsAhead}::integer)`);
  const cutoff = new Date(ctx.clock.now() - processedEventsRetentionDays * dayMs).toISOString();
  const processed = await prune(primary, 'processed_events', 'processed_at', cutoff);
  const inbound = await prune(primary, 'inbound_events', 'received_at', cutoff);
  const ended = new Date(ctx.clock.now() - endedSessionRetentionDays * dayMs).toISOString();
  const sessions = await prune(primary, 'sessions', 'expires_at', ended, sessionPruneBatch);
  await prune(primary, 'oauth_flows', 'expires_at', new Date(ctx.clock.now() - dayMs).toISOString());
  const now = new Date(ctx.clock.now()).toISOString();
  const replays = await forgetReplays(primary, now);
  await prune(primary, 'used_passkey_challenges', 'expires_at', now);
  await prune(primary, 'mfa_challenges', 'expires_at', now);
  await prune(primary, 'sms_codes', 'expires_at', now);
  const settled = new Date(ctx.clock.now() - mailRetentionDays * dayMs).toISOString();
  await prune(primary, 'mail_deliveries', 'claimed_until', settled);
  const over = new Date(ctx.clock.now() - endedTokenRetentionDays * dayMs).toISOString();
  await prune(primary, 'account_tokens', 'expires_at', over);
  const buried = new Date(ctx.clock.now() - deadLetterRetentionDays * dayMs).toISOString();
  await prune(primary, 'dead_letters', 'received_at', buried);
  const origins = await expireAuditAddresses(primary);
  ctx.log.log('info', 'database.maintained', {
    partitions_made: result.rows[0]?.made,
    processed_events_pruned: processed,
    inbound_events_pruned: inbound,
    sessions_pruned: sessions,
    replays_pruned: replays,
    audit_origins_erased: origins,
  });
}

// What a refresh answered is kept, encrypted, for clients that lost it; after the window it serves nobody honest.
async function forgetReplays(db: Db, now: string): Promise<number> {
  let total = 0;
  for (let batch = 0; batch < maxPruneBatches; batch += 1) {
    const result = await db.execute(sql`
      UPDATE refresh_tokens SET replay_blob = NULL, replay_expires_at = NULL WHERE id IN (
        SELECT id FROM refresh_tokens WHERE replay_expires_at < ${now}::timestamptz
        ORDER BY replay_expires_at LIMIT ${pruneBatch} FOR UPDATE SKIP LOCKED)`);
    total += result.rowCount;
    if (result.rowCount < pruneBatch) break;
  }
  return total;
}

// From where somebody acted is personal data and is kept for 180 days, which the function counts; the entry stays.
async function expireAuditAddresses(db: Db): Promise<number> {
  let total = 0;
  for (let batch = 0; batch < maxPruneBatches; batch += 1) {
    const result = await db.execute(sql`SELECT expire_audit_addresses(${pruneBatch}::integer) AS erased`);
    const erased = Number(result.rows[0]?.erased);
    total += erased;
    if (erased < pruneBatch) break;
  }
  return total;
}

/** Deletes rows older than `cutoff`, a batch at a time; what one run leaves, the next takes. */
async function prune(
  db: Db,
  table: string,
  column: string,
  cutoff: string,
  batchSize = pruneBatch,
): Promise<number> {
  const name = sql.identifier(table);
  let total = 0;
  for (let batch = 0; batch < maxPruneBatches; batch += 1) {
    const result = await db.execute(sql`
      DELETE FROM ${name} WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM ${name} WHERE ${sql.identifier(column)} < ${cutoff}::timestamptz LIMIT ${batchSize}))`);
    total += result.rowCount;
    if (result.rowCount < batchSize) break;
  }
  return total;
}

/**
 * Compares every user's and post's counters with the rows they count and corrects those that differ, page by page.
 * Waits for the next run while events are held up, since their changes are in the rows and not yet in the counters.
 * @returns how many users and posts had wrong counters.
 */
export async function reconcileCounters(ctx: RequestContext): Promise<{ users: number; posts: number }> {
  const { primary } = ctx.databases;
  if ((await oldestEventAgeSeconds(primary)) > backlogSeconds) {
    ctx.log.log('warn', 'counters.reconcile_postponed');
    return { users: 0, posts: 0 };
  }
  const nowMs = ctx.clock.now();
  const fixed = {
    users: await eachPage((after) => reconcileUsers(primary, after, nowMs)),
    posts: await eachPage((after) => reconcilePosts(primary, after, nowMs)),
  };
  ctx.log.log('info', 'counters.reconciled', fixed);
  return fixed;
}

interface ReconciledPage {
  readonly fixed: number;
  readonly lastId: string | null;
}

async function eachPage(run: (after: string | null) => Promise<ReconciledPage>): Promise<number> {
  let total = 0;
  let after: string | null = null;
  do {
    const page: ReconciledPage = await run(after);
    total += page.fixed;
    after = page.lastId;
  } while (after !== null);
  return total;
}

const pageOf = (table: SQL, after: string | null): SQL =>
  sql`SELECT id FROM ${table} WHERE ${after === null ? sql`true` : sql`id > ${after}::uuid`} ORDER BY id LIMIT ${reconcileBatch}`;

const pageResult = sql`SELECT (SELECT count(*) FROM fixed)::integer AS fixed,
  (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS "lastId"`;

// What the new value includes is marked as counted, so that a message still on its way does not count it again.
const markCounted = (counter: Counter, id: SQL, source: SQL): SQL =>
  sql`INSERT INTO processed_events (handler, event_id) SELECT ${counter}, ${id} FROM ${source} ON CONFLICT DO NOTHING`;

async function reconcileUsers(db: Db, after: string | null, nowMs: number): Promise<ReconciledPage> {
  const page = pageOf(sql`users`, after);
  const recent = createdRecently(sql`link.created_at`, nowMs);
  const [, result] = await atomic(db, [
    lockRows(db, sql`user_counters`, sql`user_id`, page),
    db.execute(sql`
      WITH page AS (${page}),
      truth AS (
        SELECT page.id, counters.user_id IS NULL AS missing,
          counters.followers AS old_followers, counters.following AS old_following, counters.posts AS old_posts,
          (SELECT count(*)::integer FROM follows WHERE followee_id = page.id) AS followers,
          (SELECT count(*)::integer FROM follows WHERE follower_id = page.id) AS following,
          (SELECT count(*)::integer FROM posts WHERE author_id = page.id AND deleted_at IS NULL) AS posts
        FROM page LEFT JOIN user_counters AS counters ON counters.user_id = page.id
      ),
      wrong AS (
        SELECT * FROM truth WHERE missing OR (old_followers, old_following, old_posts) <> (followers, following, posts)
      ),
      followers_marked AS (${markCounted(
        counters.followers,
        followId(sql`link`),
        sql`follows AS link JOIN wrong ON link.followee_id = wrong.id AND ${recent}`,
      )}),
      following_marked AS (${markCounted(
        counters.following,
        followId(sql`link`),
        sql`follows AS link JOIN wrong ON link.follower_id = wrong.id AND ${recent}`,
      )}),
      posts_marked AS (${markCounted(
        counters.posts,
        sql`link.id`,
        sql`posts AS link JOIN wrong ON link.author_id = wrong.id AND link.deleted_at IS NULL AND ${recent}`,
      )}),
      fixed AS (
        INSERT INTO user_counters (user_id, followers, following, posts)
        SELECT id, followers, following, posts FROM wrong
        ON CONFLICT (user_id) DO UPDATE
          SET followers = excluded.followers, following = excluded.following, posts = excluded.posts
        RETURNING 1
      )
      ${pageResult}`),
  ]);
  return result.rows[0] as unknown as ReconciledPage;
}

async function reconcilePosts(db: Db, after: string | null, nowMs: number): Promise<ReconciledPage> {
  const page = pageOf(sql`posts`, after);
  const recent = createdRecently(sql`link.created_at`, nowMs);
  const [, result] = await atomic(db, [
    lockRows(db, sql`post_counters`, sql`post_id`, page),
    db.execute(sql`
      WITH page AS (${page}),
      truth AS (
        SELECT page.id, counters.likes AS old_likes,
          (SELECT count(*)::integer FROM post_likes WHERE post_id = page.id) AS likes
        FROM page LEFT JOIN post_counters AS counters ON counters.post_id = page.id
      ),
      wrong AS (SELECT * FROM truth WHERE old_likes IS DISTINCT FROM likes),
      likes_marked AS (${markCounted(
        counters.likes,
        likeId(sql`link`),
        sql`post_likes AS link JOIN wrong ON link.post_id = wrong.id AND ${recent}`,
      )}),
      fixed AS (
        INSERT INTO post_counters (post_id, likes) SELECT id, likes FROM wrong
        ON CONFLICT (post_id) DO UPDATE SET likes = excluded.likes RETURNING 1
      )
      ${pageResult}`),
  ]);
  return result.rows[0] as unknown as ReconciledPage;
}

// Held to the end of the batch: handlers that move these counters wait, and the next statement sees what they did before.
const lockRows = (db: Db, table: SQL, key: SQL, page: SQL) =>
  db.execute(sql`WITH page AS (${page})
    SELECT 1 AS locked FROM ${table} WHERE ${key} IN (SELECT id FROM page) ORDER BY ${key} FOR NO KEY UPDATE`);
