import { sql } from 'drizzle-orm';
import { check, index, pgTable, primaryKey, timestamp, uuid } from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const userReference = (name: string) =>
  uuid(name)
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });

const createdAt = () => timestamp('created_at', { withTimezone: true }).notNull().defaultNow();

export const follows = pgTable(
  'follows',
  {
    followerId: userReference('follower_id'),
    followeeId: userReference('followee_id'),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.followerId, table.followeeId] }),
    check('follows_not_self', sql`${table.followerId} <> ${table.followeeId}`),
    index('follows_followee').on(table.followeeId, table.followerId),
    index('follows_follower_recent').on(table.followerId, table.createdAt.desc(), table.followeeId),
    index('follows_followee_recent').on(table.followeeId, table.createdAt.desc(), table.followerId),
  ],
);

export const blocks = pgTable(
  'blocks',
  {
    blockerId: userReference('blocker_id'),
    blockedId: userReference('blocked_id'),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.blockerId, table.blockedId] }),
    check('blocks_not_self', sql`${table.blockerId} <> ${table.blockedId}`),
    index('blocks_blocked').on(table.blockedId, table.blockerId),
    index('blocks_blocker_recent').on(table.blockerId, table.createdAt.desc(), table.blockedId),
  ],
);
