import { sql } from 'drizzle-orm';
import { index, integer, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core';

export const users = pgTable(
  'users',
  {
    id: uuid().primaryKey(),
    username: text().notNull(),
    usernameKey: text('username_key').generatedAlwaysAs(sql`lower(username)`),
    email: text().notNull(),
    emailKey: text('email_key').generatedAlwaysAs(sql`lower(email)`),
    emailVerifiedAt: timestamp('email_verified_at', { withTimezone: true }),
    passwordHash: text('password_hash'),
    displayName: text('display_name').notNull(),
    bio: text().notNull().default(''),
    website: text(),
    avatarKey: text('avatar_key'),
    roles: text().array().notNull().default(sql`'{user}'`),
    status: text({ enum: ['active', 'suspended', 'deactivated', 'deleted'] })
      .notNull()
      .default('active'),
    tokenEpoch: integer('token_epoch').notNull().default(0),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
    /** When the owner closed the account; empty while it is open. */
    deactivatedAt: timestamp('deactivated_at', { withTimezone: true }),
    /** When what is left of a closed account is erased; empty when it is not to be. */
    deletionDueAt: timestamp('deletion_due_at', { withTimezone: true }),
  },
  (table) => [
    index('users_deletion_due').on(table.deletionDueAt).where(sql`${table.deletionDueAt} IS NOT NULL`),
    uniqueIndex('users_username_key').on(table.usernameKey),
    index('users_username_prefix').on(table.usernameKey.op('text_pattern_ops')),
    index('users_not_active').on(table.id).where(sql`${table.status} <> 'active'`),
    index('users_with_roles').on(table.id).where(sql`${table.roles} <> '{user}'`),
    uniqueIndex('users_verified_email_key')
      .on(table.emailKey)
      .where(sql`${table.emailVerifiedAt} IS NOT NULL`),
  ],
);

export const userCounters = pgTable('user_counters', {
  userId: uuid('user_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  followers: integer().notNull().default(0),
  following: integer().notNull().default(0),
  posts: integer().notNull().default(0),
});

/**
 * A JSON object with the columns of `UserSummaryRow`, for hydrating a joined user in one statement:
 * `SELECT ..., ${userSummaryJson('author')} AS author FROM posts JOIN users AS author ON ...`.
 * `alias` is the table alias of `users` in the query, never input.
 */
export const userSummaryJson = (alias: string) => {
  const user = sql.identifier(alias);
  return sql`json_build_object('id', ${user}.id, 'username', ${user}.username, 'displayName', ${user}.display_name, 'avatarKey', ${user}.avatar_key)`;
};
