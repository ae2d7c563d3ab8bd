import { sql } from 'drizzle-orm';
import type { RequestContext } from '../context.ts';
import type { Db } from './client.ts';
import { processedEventsRetentionDays } from './counting.ts';

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
  await prune(primary, 'view_flushes', 'flushed_at', settled);
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
