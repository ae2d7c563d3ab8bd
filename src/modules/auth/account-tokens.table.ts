import { sql } from 'drizzle-orm';
import { customType, index, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

/** What a mail asks its reader to confirm. The token is made when the mail is sent, and only its SHA-256 is kept. */
export const accountTokens = pgTable(
  'account_tokens',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    purpose: text({ enum: ['verify_email', 'change_email', 'reset_password'] }).notNull(),
    email: text().notNull(),
    tokenHash: bytea('token_hash'),
    requestedAt: timestamp('requested_at', { withTimezone: true }).notNull(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
    sentAt: timestamp('sent_at', { withTimezone: true }),
    usedAt: timestamp('used_at', { withTimezone: true }),
  },
  (table) => [
    uniqueIndex('account_tokens_hash_key').on(table.tokenHash).where(sql`${table.tokenHash} IS NOT NULL`),
    index('account_tokens_user').on(table.userId, table.purpose),
    index('account_tokens_email').on(sql`lower(${table.email})`, table.sentAt),
    index('account_tokens_expiry').on(table.expiresAt),
  ],
);
