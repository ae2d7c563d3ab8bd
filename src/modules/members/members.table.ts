import { sql } from 'drizzle-orm';
import { check, index, pgTable, primaryKey, timestamp, uuid } from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });

export const channelMembers = pgTable(
  'channel_members',
  {
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    grantedAt: instant('granted_at').notNull().defaultNow(),
    /** Empty while it lasts until it is taken away. */
    expiresAt: instant('expires_at'),
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.userId] }),
    check('channel_members_not_self', sql`${table.ownerId} <> ${table.userId}`),
    index('channel_members_user').on(table.userId, table.ownerId),
    index('channel_members_recent').on(table.ownerId, table.grantedAt.desc(), table.userId),
  ],
);
