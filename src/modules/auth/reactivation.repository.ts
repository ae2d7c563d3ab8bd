import { sql } from 'drizzle-orm';
import { insertAuditIfAny } from '../../db/audit.ts';
import type { Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import { type FactorProof, hasConfirmedFactor, spendChallengeCte, useFactorCte } from '../factors/index.ts';
import type { WriteContext } from './sessions.repository.ts';

/** The sealed seed of a user's authenticator app, in hex. */
export async function findSealedSecret(db: Db, userId: string): Promise<string | undefined> {
  const result = await db.execute(sql`
    SELECT encode(sealed_secret, 'hex') AS secret FROM totp_factors
    WHERE user_id = ${userId}::uuid AND confirmed_at IS NOT NULL`);
  return (result.rows[0] as { secret: string } | undefined)?.secret;
}

/**
 * Opens a closed account again, using the proof up, and calls its deletion off. Without a hash the proof must suffice alone. The row is locked, so that the erasure either
 * began before and is seen, or finds the account open.
 * @returns undefined when it is not closed, its password changed meanwhile or the proof cannot be used; else whether a
 * deletion was called off, for which `cancelled` is written, `reopened` for every other.
 */
export async function reopenAccount(
  ctx: WriteContext,
  shown: {
    readonly userId: string;
    readonly checkedHash: string | undefined;
    readonly proof: FactorProof | undefined;
  },
  events: { readonly reopened: OutboxEvent; readonly cancelled: OutboxEvent },
  now: string,
): Promise<{ readonly deletionCancelled: boolean } | undefined> {
  const { userId, checkedHash, proof } = shown;
  const audit = { action: 'account.reactivated', target: { kind: 'user', id: userId } };
  const used =
    proof === undefined
      ? sql`SELECT user_id FROM owner WHERE NOT ${hasConfirmedFactor(sql`owner.user_id`)}`
      : useFactorCte(proof, sql`owner`, now);
  const samePassword = checkedHash === undefined ? sql`true` : sql`password_hash = ${checkedHash}`;
  const result = await ctx.databases.primary.execute(sql`
    WITH owner AS (
      SELECT id AS user_id, deletion_due_at FROM users
      WHERE id = ${userId}::uuid AND status = 'deactivated' AND ${samePassword} FOR NO KEY UPDATE
    ),
    ${proof === undefined ? sql`` : spendChallengeCte(proof)}
    used AS (${used}),
    opened AS (
      UPDATE users SET status = 'active', deactivated_at = NULL, deletion_due_at = NULL, updated_at = ${now}::timestamptz
      FROM used WHERE users.id = used.user_id RETURNING users.id
    ),
    kept AS (SELECT FROM owner JOIN opened ON opened.id = owner.user_id WHERE owner.deletion_due_at IS NOT NULL),
    plain AS (SELECT FROM owner JOIN opened ON opened.id = owner.user_id WHERE owner.deletion_due_at IS NULL),
    told_kept AS (${insertEventIfAny(events.cancelled, sql`kept`)}),
    told_plain AS (${insertEventIfAny(events.reopened, sql`plain`)}),
    audited AS (${insertAuditIfAny(ctx, audit, sql`opened`)})
    SELECT EXISTS (SELECT FROM kept) AS "deletionCancelled" FROM opened`);
  return result.rows[0] as { deletionCancelled: boolean } | undefined;
}
