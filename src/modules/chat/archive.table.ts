import { sql } from 'drizzle-orm';
import { bigint, index, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { streams } from '../streams/index.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });

/** What was said in chat rooms; partitioned by month. Written by the rooms. */
export const chatMessages = pgTable(
  'chat_messages',
  {
    streamId: uuid('stream_id')
      .notNull()
      .references(() => streams.id, { onDelete: 'cascade' }),
    at: instant('at').notNull(),
    seq: bigint({ mode: 'number' }).notNull(),
    kind: text({ enum: ['message', 'announcement', 'pinned', 'poll'] }).notNull(),
    id: uuid().notNull(),
    authorId: uuid('author_id'),
    quotesId: uuid('quotes_id'),
    event: jsonb().notNull(),
    deletedAt: instant('deleted_at'),
  },
  (table) => [
    primaryKey({ columns: [table.streamId, table.at, table.seq] }),
    index('chat_messages_id').on(table.id),
    index('chat_messages_author')
      .on(table.authorId, table.streamId)
      .where(sql`${table.authorId} IS NOT NULL`),
    index('chat_messages_quotes').on(table.quotesId).where(sql`${table.quotesId} IS NOT NULL`),
  ],
);
