import { customType, pgTable, primaryKey, smallint, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

export const phoneFactors = pgTable('phone_factors', {
  userId: uuid('user_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  /** Another number is another id: codes sent to the one before are void. */
  id: uuid().notNull().unique(),
  /** The number in an envelope bound to `id`. */
  sealedNumber: bytea('sealed_number').notNull(),
  verifiedAt: timestamp('verified_at', { withTimezone: true }).notNull(),
});

/** Codes sent by SMS, one for each login, session or enrolment that asked. */
export const smsCodes = pgTable(
  'sms_codes',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    purpose: text({ enum: ['enrol', 'login', 'step_up'] }).notNull(),
    /** The challenge of a login, or the session: the code is good for nothing else. */
    binding: uuid().notNull(),
    phoneId: uuid('phone_id').notNull(),
    /** The number that waits to be proven, sealed as that of `phone_factors`. */
    sealedNumber: bytea('sealed_number'),
    /** HMAC of the code and what it is bound to. */
    codeHash: bytea('code_hash').notNull(),
    attempts: smallint().notNull().default(0),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
    usedAt: timestamp('used_at', { withTimezone: true }),
  },
  (table) => [primaryKey({ columns: [table.userId, table.purpose, table.binding] })],
);
