import { sql } from 'drizzle-orm';
import { check, index, pgTable, primaryKey, smallint, uuid } from 'drizzle-orm/pg-core';

/** On the timeline shards: no foreign keys, users and posts live in another database. */
export const timelineEntries = pgTable(
  'timeline_entries',
  {
    ownerId: uuid('owner_id').notNull(),
    postId: uuid('post_id').notNull(),
    slot: smallint().notNull(),
    authorId: uuid('author_id').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.postId] }),
    check('timeline_entries_slot_check', sql`${table.slot} BETWEEN 0 AND 479`),
    index('timeline_entries_author').on(table.ownerId, table.authorId),
    index('timeline_entries_slot').on(table.slot, table.ownerId),
  ],
);
