import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';

// Longer than the deadline of a call to SES and the statements around it.
const claimSeconds = 60;

export type MailOutcome = 'sent' | 'refused' | 'not_wanted';

/** Takes a mail for sending: `claimed` by this caller, `settled` before, or `held` by another who is at it. */
export async function claimMail(db: Db, eventId: string): Promise<'claimed' | 'settled' | 'held'> {
  const result = await db.execute(sql`
    WITH claimed AS (
      INSERT INTO mail_deliveries (event_id, claimed_until)
      VALUES (${eventId}::uuid, now() + make_interval(secs => ${claimSeconds}))
      ON CONFLICT (event_id) DO UPDATE SET claimed_until = excluded.claimed_until
        WHERE mail_deliveries.settled_at IS NULL AND mail_deliveries.claimed_until < now()
      RETURNING event_id
    )
    SELECT CASE
      WHEN EXISTS (SELECT FROM claimed) THEN 'claimed'
      WHEN EXISTS (SELECT FROM mail_deliveries WHERE event_id = ${eventId}::uuid AND settled_at IS NOT NULL) THEN 'settled'
      ELSE 'held' END AS state`);
  return (result.rows[0] as { state: 'claimed' | 'settled' | 'held' }).state;
}

/** Remembers what became of a mail, so that it is not sent again. */
export async function settleMail(db: Db, eventId: string, outcome: MailOutcome): Promise<void> {
  await db.execute(
    sql`UPDATE mail_deliveries SET settled_at = now(), outcome = ${outcome} WHERE event_id = ${eventId}::uuid`,
  );
}

/** Gives a mail that could not be sent back, so that the next try need not wait. */
export async function releaseMail(db: Db, eventId: string): Promise<void> {
  await db.execute(
    sql`UPDATE mail_deliveries SET claimed_until = '-infinity' WHERE event_id = ${eventId}::uuid AND settled_at IS NULL`,
  );
}

export interface RecipientRow {
  readonly username: string;
  readonly status: 'active' | 'suspended' | 'deactivated' | 'deleted';
  /** Null unless verified: whoever reads an unverified mailbox may be a stranger. */
  readonly verifiedEmail: string | null;
}

/** Whom mails about an account may reach; undefined when there is no such account. */
export async function findRecipient(db: Db, userId: string): Promise<RecipientRow | undefined> {
  const result = await db.execute(sql`
    SELECT username, status, CASE WHEN email_verified_at IS NULL THEN NULL ELSE email END AS "verifiedEmail"
    FROM users WHERE id = ${userId}::uuid`);
  return result.rows[0] as RecipientRow | undefined;
}
