import { customType, index, pgTable, primaryKey, smallint, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

/** A login that gave the right password, or came from a linked provider, and still owes a second factor. */
export const mfaChallenges = pgTable(
  'mfa_challenges',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** SHA-256 of the password hash that was checked. */
    passwordFingerprint: bytea('password_fingerprint').notNull(),
    /** The method (RFC 8176) that came before. */
    firstFactor: text('first_factor').notNull().default('pwd'),
    attempts: smallint().notNull().default(0),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
    consumedAt: timestamp('consumed_at', { withTimezone: true }),
  },
  (table) => [index('mfa_challenges_user').on(table.userId)],
);

/** Networks, by keyed hash, from which an account was logged into. */
export const loginNetworks = pgTable(
  'login_networks',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    networkHash: bytea('network_hash').notNull(),
    lastLoginAt: timestamp('last_login_at', { withTimezone: true }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.networkHash] })],
);
