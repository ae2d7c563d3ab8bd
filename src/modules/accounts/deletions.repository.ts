import { sql } from 'drizzle-orm';
import { type AuditContext, insertAuditIfAny } from '../../db/audit.ts';
import type { Databases, Db } from '../../db/client.ts';
import { firstTime, insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';

/** In `processed_events` under an id made of the user and the date: the reminder was written. */
const deletionReminder = 'accounts.deletion_reminder';

type WriteContext = AuditContext & { readonly databases: Databases };

/**
 * Takes closed accounts whose grace is over: from here on nothing brings them back.
 * @returns how many were taken.
 */
export async function beginErasures(
  db: Db,
  { now, firstStep, limit }: { readonly now: string; readonly firstStep: string; readonly limit: number },
): Promise<number> {
  const result = await db.execute(sql`
    WITH due AS (
      SELECT id FROM users WHERE deletion_due_at <= ${now}::timestamptz AND status = 'deactivated'
      ORDER BY deletion_due_at LIMIT ${limit} FOR NO KEY UPDATE SKIP LOCKED
    ),
    taken AS (UPDATE users SET status = 'deleted' FROM due WHERE users.id = due.id RETURNING users.id)
    INSERT INTO account_deletions (user_id, step, next_attempt_at, started_at)
    SELECT id, ${firstStep}, ${now}::timestamptz, ${now}::timestamptz FROM taken
    ON CONFLICT (user_id) DO NOTHING`);
  return result.rowCount;
}

export interface Erasure {
  readonly userId: string;
  readonly step: string;
  /** Attempts at this step, this one included. */
  readonly attempts: number;
}

/** Takes the erasure that has waited longest; nobody else gets it until `leaseUntil`. */
export async function claimErasure(db: Db, now: string, leaseUntil: string): Promise<Erasure | undefined> {
  const result = await db.execute(sql`
    UPDATE account_deletions SET attempts = attempts + 1, next_attempt_at = ${leaseUntil}::timestamptz
    WHERE user_id = (
      SELECT user_id FROM account_deletions
      WHERE finished_at IS NULL AND next_attempt_at <= ${now}::timestamptz
      ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING user_id AS "userId", step, attempts`);
  return result.rows[0] as Erasure | undefined;
}

/** Notes that a step is done; false when somebody else has noted it before. */
export async function advanceErasure(
  db: Db,
  userId: string,
  from: string,
  to: string | undefined,
  now: string,
): Promise<boolean> {
  const result = await db.execute(sql`
    UPDATE account_deletions SET step = ${to ?? from}, attempts = 0, failure_code = NULL,
      finished_at = CASE WHEN ${to === undefined}::boolean THEN ${now}::timestamptz END
    WHERE user_id = ${userId}::uuid AND step = ${from} AND finished_at IS NULL`);
  return result.rowCount > 0;
}

/** Goes on to the step `to` though `from` could not be done, with an audit entry that says so. */
export async function giveUpStep(
  ctx: WriteContext,
  erasure: Erasure,
  to: string,
  given: { readonly now: string; readonly failureCode: string },
): Promise<void> {
  const { userId, step, attempts } = erasure;
  const audit = {
    action: 'account.erasure_step_given_up',
    target: { kind: 'user', id: userId },
    outcome: 'failure',
    detail: { step, attempts, failure_code: given.failureCode },
  } as const;
  await ctx.databases.primary.execute(sql`
    WITH passed AS (
      UPDATE account_deletions SET step = ${to}, attempts = 0, failure_code = NULL,
        next_attempt_at = ${given.now}::timestamptz
      WHERE user_id = ${userId}::uuid AND step = ${step} AND finished_at IS NULL RETURNING user_id
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`passed`)})
    SELECT FROM passed`);
}

/** Closed accounts that are erased before `until` and were not reminded of it. */
export async function listDeletionsToRemind(
  db: Db,
  times: { readonly now: string; readonly until: string; readonly days: number },
  limit: number,
): Promise<{ readonly userId: string; readonly due: string; readonly reminderId: string }[]> {
  const result = await db.execute(sql`
    SELECT users.id AS "userId", to_char(deletion_due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS due, reminder.id AS "reminderId"
    FROM users, LATERAL (SELECT md5(users.id::text || ' ' || extract(epoch FROM deletion_due_at))::uuid AS id) AS reminder
    WHERE status = 'deactivated' AND deletion_due_at > ${times.now}::timestamptz
      AND deletion_due_at <= ${times.until}::timestamptz
      AND deactivated_at < deletion_due_at - make_interval(days => ${times.days}::integer)
      AND NOT EXISTS (
        SELECT FROM processed_events WHERE handler = ${deletionReminder} AND event_id = reminder.id)
    ORDER BY deletion_due_at LIMIT ${limit}::integer`);
  return result.rows as unknown as { userId: string; due: string; reminderId: string }[];
}

/** Writes the reminder of one deletion, once. */
export async function remindOnce(db: Db, reminderId: string, notice: OutboxEvent): Promise<void> {
  await db.execute(sql`
    WITH first AS (${firstTime(deletionReminder, reminderId)}),
    told AS (${insertEventIfAny(notice, sql`first`)})
    SELECT FROM first`);
}

/** Lets an erasure wait until `nextAttemptAt`, with what went wrong. */
export async function postponeErasure(
  db: Db,
  userId: string,
  nextAttemptAt: string,
  failureCode: string | undefined,
): Promise<void> {
  await db.execute(sql`
    UPDATE account_deletions SET next_attempt_at = ${nextAttemptAt}::timestamptz,
      failure_code = coalesce(${failureCode ?? null}::text, failure_code)
    WHERE user_id = ${userId}::uuid AND finished_at IS NULL`);
}

/** The key of a user's picture, if there is one. */
export async function findAvatarKey(db: Db, userId: string): Promise<string | undefined> {
  const result = await db.execute(
    sql`SELECT avatar_key AS key FROM users WHERE id = ${userId}::uuid AND avatar_key IS NOT NULL`,
  );
  return (result.rows[0] as { key: string } | undefined)?.key;
}

/**
 * Leaves of a deleted account only a row that says so, which others' rows may refer to. Its name is reserved, by digest, as one
 * that was given up. The address is free again. `deletion_due_at` goes last and tells a second run that it was done.
 */
export async function anonymiseUser(
  ctx: WriteContext,
  user: {
    readonly id: string;
    readonly tombstone: string;
    readonly now: string;
    readonly reservedUntil: string;
  },
): Promise<void> {
  const audit = { action: 'account.erased', target: { kind: 'user', id: user.id } };
  await ctx.databases.primary.execute(sql`
    WITH owner AS (
      SELECT id, username_key FROM users
      WHERE id = ${user.id}::uuid AND status = 'deleted' AND deletion_due_at IS NOT NULL FOR NO KEY UPDATE
    ),
    reserved AS (
      INSERT INTO username_reservations (name_hash, user_id, reserved_until)
      SELECT sha256(convert_to(username_key, 'UTF8')), id, ${user.reservedUntil}::timestamptz FROM owner
      ON CONFLICT (name_hash) DO UPDATE
        SET user_id = excluded.user_id, reserved_until = excluded.reserved_until
    ),
    counters AS (
      UPDATE user_counters SET followers = 0, following = 0, posts = 0 FROM owner WHERE user_id = owner.id
    ),
    anonymised AS (
      UPDATE users SET username = ${user.tombstone}, email = ${`${user.tombstone}@deleted.invalid`},
        email_verified_at = NULL, password_hash = NULL, display_name = 'Deleted account', bio = '', website = NULL,
        avatar_key = NULL, roles = '{user}', deactivated_at = NULL, deletion_due_at = NULL,
        updated_at = ${user.now}::timestamptz
      FROM owner WHERE users.id = owner.id RETURNING users.id
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`anonymised`)})
    SELECT FROM anonymised`);
}

/** Erases the addresses in the audit entries of a user; the entries stay. */
export async function eraseAuditAddresses(db: Db, userId: string): Promise<void> {
  await db.execute(sql`SELECT erase_audit_addresses(${userId}::uuid)`);
}

/**
 * Deletes up to `limit` messages given up that name the user.
 * @returns how many there were.
 */
export async function deleteLeftovers(db: Db, userId: string, limit: number): Promise<number> {
  const result = await db.execute(sql`
    DELETE FROM dead_letters WHERE id IN (
      SELECT id FROM dead_letters WHERE body::text LIKE ${`%${userId}%`} LIMIT ${limit})`);
  return result.rowCount;
}

/** Forgets reservations that are over. */
export async function forgetReservations(db: Db, now: string): Promise<void> {
  await db.execute(sql`DELETE FROM username_reservations WHERE reserved_until < ${now}::timestamptz`);
}
