import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  pgTable,
  primaryKey,
  smallint,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';

const instant = (name: string) => timestamp(name, { withTimezone: true });

/** On the shards: no foreign keys, users and videos live in another database. */
export const watchHistory = pgTable(
  'watch_history',
  {
    userId: uuid('user_id').notNull(),
    videoId: uuid('video_id').notNull(),
    slot: smallint().notNull(),
    positionMs: bigint('position_ms', { mode: 'number' }).notNull(),
    durationMs: bigint('duration_ms', { mode: 'number' }),
    completed: boolean().notNull().default(false),
    watchedAt: instant('watched_at').notNull(),
    removedAt: instant('removed_at'),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.videoId] }),
    check('watch_history_slot_check', sql`${table.slot} BETWEEN 0 AND 479`),
    index('watch_history_newest')
      .on(table.userId, table.watchedAt.desc(), table.videoId)
      .where(sql`${table.removedAt} IS NULL`),
    index('watch_history_age').on(table.watchedAt),
    index('watch_history_removed').on(table.removedAt).where(sql`${table.removedAt} IS NOT NULL`),
    index('watch_history_slot').on(table.slot, table.userId),
  ],
);

export const watchHistorySettings = pgTable(
  'watch_history_settings',
  {
    userId: uuid('user_id').primaryKey(),
    slot: smallint().notNull(),
    paused: boolean().notNull().default(false),
    notBefore: instant('not_before'),
  },
  (table) => [check('watch_history_settings_slot_check', sql`${table.slot} BETWEEN 0 AND 479`)],
);
