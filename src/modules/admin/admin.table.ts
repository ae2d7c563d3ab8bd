import { sql } from 'drizzle-orm';
import { index, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

/** Suspensions in force; the past is in the audit log. */
export const suspensions = pgTable(
  'suspensions',
  {
    userId: uuid('user_id')
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    reason: text().notNull(),
    suspendedBy: uuid('suspended_by').references(() => users.id, { onDelete: 'set null' }),
    suspendedAt: timestamp('suspended_at', { withTimezone: true }).notNull(),
    /** Null: until somebody lifts it. */
    endsAt: timestamp('ends_at', { withTimezone: true }),
    previousStatus: text('previous_status', { enum: ['active', 'deactivated'] }).notNull(),
  },
  (table) => [
    index('suspensions_end').on(table.endsAt).where(sql`${table.endsAt} IS NOT NULL`),
    index('suspensions_by').on(table.suspendedBy),
  ],
);

/** Proposals to make somebody an administrator, which another administrator must approve. */
export const adminProposals = pgTable(
  'admin_proposals',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    proposedBy: uuid('proposed_by')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    reason: text().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
    decidedAt: timestamp('decided_at', { withTimezone: true }),
    decidedBy: uuid('decided_by').references(() => users.id, { onDelete: 'set null' }),
    outcome: text({ enum: ['approved', 'withdrawn', 'void'] }),
  },
  (table) => [
    index('admin_proposals_open').on(table.expiresAt).where(sql`${table.decidedAt} IS NULL`),
    index('admin_proposals_user').on(table.userId),
    index('admin_proposals_by').on(table.proposedBy),
  ],
);
