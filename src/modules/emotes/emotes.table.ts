import { sql } from 'drizzle-orm';
import { boolean, index, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });

export const emotes = pgTable(
  'emotes',
  {
    id: uuid().primaryKey(),
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    format: text({ enum: ['png', 'gif'] }).notNull(),
    membersOnly: boolean('members_only').notNull().default(false),
    state: text({ enum: ['pending', 'approved', 'rejected', 'deleted'] })
      .notNull()
      .default('pending'),
    reason: text(),
    reviewedBy: uuid('reviewed_by').references(() => users.id, { onDelete: 'set null' }),
    reviewedAt: instant('reviewed_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('emotes_name')
      .on(table.ownerId, sql`lower(${table.name})`)
      .where(sql`${table.state} IN ('pending', 'approved')`),
    index('emotes_owner').on(table.ownerId, table.id.desc()),
    index('emotes_waiting').on(table.id).where(sql`${table.state} = 'pending'`),
    index('emotes_reviewer').on(table.reviewedBy).where(sql`${table.reviewedBy} IS NOT NULL`),
  ],
);
