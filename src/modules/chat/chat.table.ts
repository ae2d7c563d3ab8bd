import { sql } from 'drizzle-orm';
import { boolean, index, integer, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });
const userId = (name: string) =>
  uuid(name)
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });

export const chatSettings = pgTable('chat_settings', {
  ownerId: uuid('owner_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  slowSeconds: integer('slow_seconds').notNull().default(0),
  membersOnly: boolean('members_only').notNull().default(false),
  followersOnlyMinutes: integer('followers_only_minutes'),
  emoteOnly: boolean('emote_only').notNull().default(false),
  uniqueOnly: boolean('unique_only').notNull().default(false),
  updatedAt: instant('updated_at').notNull().defaultNow(),
});

export const chatRoles = pgTable(
  'chat_roles',
  {
    ownerId: userId('owner_id'),
    userId: userId('user_id'),
    role: text({ enum: ['moderator', 'vip'] }).notNull(),
    grantedAt: instant('granted_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.userId] }),
    index('chat_roles_user').on(table.userId),
  ],
);

export const chatBans = pgTable(
  'chat_bans',
  {
    ownerId: userId('owner_id'),
    userId: userId('user_id'),
    until: instant('until'),
    reason: text().notNull().default(''),
    bannedBy: uuid('banned_by').references(() => users.id, { onDelete: 'set null' }),
    bannedAt: instant('banned_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.userId] }),
    index('chat_bans_user').on(table.userId),
    index('chat_bans_by').on(table.bannedBy).where(sql`${table.bannedBy} IS NOT NULL`),
  ],
);
