import { sql } from 'drizzle-orm';
import {
  bigint,
  customType,
  index,
  integer,
  pgTable,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });
const instant = (name: string) => timestamp(name, { withTimezone: true });
const owner = () =>
  uuid('user_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });

export const usernameChanges = pgTable(
  'username_changes',
  {
    id: uuid().primaryKey(),
    userId: owner(),
    oldUsername: text('old_username').notNull(),
    newUsername: text('new_username').notNull(),
    changedAt: instant('changed_at').notNull(),
  },
  (table) => [index('username_changes_user').on(table.userId, table.changedAt.desc())],
);

/** Names that only their former owner may take; a trigger on `users` refuses everybody else. */
export const usernameReservations = pgTable(
  'username_reservations',
  {
    /** SHA-256 of the lower-case name. */
    nameHash: bytea('name_hash').primaryKey(),
    userId: owner(),
    reservedUntil: instant('reserved_until').notNull(),
  },
  (table) => [
    index('username_reservations_user').on(table.userId),
    index('username_reservations_expiry').on(table.reservedUntil),
  ],
);

/** Accounts whose grace is over, and how far their erasure has come. */
export const accountDeletions = pgTable(
  'account_deletions',
  {
    userId: uuid('user_id')
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    step: text().notNull(),
    attempts: integer().notNull().default(0),
    nextAttemptAt: instant('next_attempt_at').notNull(),
    failureCode: text('failure_code'),
    startedAt: instant('started_at').notNull(),
    finishedAt: instant('finished_at'),
  },
  (table) => [
    index('account_deletions_waiting').on(table.nextAttemptAt).where(sql`${table.finishedAt} IS NULL`),
  ],
);

export const dataExports = pgTable(
  'data_exports',
  {
    id: uuid().primaryKey(),
    userId: owner(),
    state: text({ enum: ['pending', 'running', 'ready', 'failed'] }).notNull(),
    progressPercent: smallint('progress_percent').notNull().default(0),
    attempts: integer().notNull().default(0),
    runId: uuid('run_id'),
    claimedUntil: instant('claimed_until'),
    objectKey: text('object_key').notNull(),
    sizeBytes: bigint('size_bytes', { mode: 'number' }),
    failureCode: text('failure_code'),
    requestedAt: instant('requested_at').notNull(),
    finishedAt: instant('finished_at'),
    expiresAt: instant('expires_at'),
  },
  (table) => [
    uniqueIndex('data_exports_running_key')
      .on(table.userId)
      .where(sql`${table.state} IN ('pending', 'running')`),
    index('data_exports_user').on(table.userId, table.requestedAt.desc()),
    index('data_exports_waiting').on(table.claimedUntil).where(sql`${table.state} IN ('pending', 'running')`),
    index('data_exports_expiry').on(table.expiresAt).where(sql`${table.expiresAt} IS NOT NULL`),
  ],
);
