import { sql } from 'drizzle-orm';
import { customType, index, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

/** Secrets that let programs act for an account, within what each was granted. */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    /** SHA-256 of the key. */
    keyHash: bytea('key_hash').notNull(),
    /** The last four characters of the key. */
    hint: text().notNull(),
    scopes: text().array().notNull(),
    /** CIDR; empty: any. */
    networks: text().array().notNull().default(sql`'{}'`),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
    revokedAt: timestamp('revoked_at', { withTimezone: true }),
    revokedReason: text('revoked_reason', { enum: ['owner', 'roles_changed'] }),
    /** To the minute, as the two below. */
    lastUsedAt: timestamp('last_used_at', { withTimezone: true }),
    /** Keyed hash of the network. */
    lastUsedNetwork: bytea('last_used_network'),
    lastUsedCountry: text('last_used_country'),
  },
  (table) => [
    uniqueIndex('api_keys_hash_key').on(table.keyHash),
    index('api_keys_user').on(table.userId, table.id.desc()),
  ],
);
