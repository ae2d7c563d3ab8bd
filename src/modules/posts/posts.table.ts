import { sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';
import { videos } from '../videos/index.ts';

export const posts = pgTable(
  'posts',
  {
    id: uuid().primaryKey(),
    authorId: uuid('author_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    text: text().notNull(),
    facets: jsonb().notNull().default([]),
    videoId: uuid('video_id').references(() => videos.id, { onDelete: 'set null' }),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    deletedAt: timestamp('deleted_at', { withTimezone: true }),
  },
  (table) => [
    index('posts_author').on(table.authorId, table.id.desc()).where(sql`${table.deletedAt} IS NULL`),
    index('posts_video').on(table.videoId).where(sql`${table.videoId} IS NOT NULL`),
  ],
);

export const postCounters = pgTable(
  'post_counters',
  {
    postId: uuid('post_id')
      .primaryKey()
      .references(() => posts.id, { onDelete: 'cascade' }),
    likes: integer().notNull().default(0),
  },
  (table) => [check('post_counters_likes_check', sql`${table.likes} >= 0`)],
);

export const postLikes = pgTable(
  'post_likes',
  {
    postId: uuid('post_id')
      .notNull()
      .references(() => posts.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.postId, table.userId] }),
    index('post_likes_user').on(table.userId, table.createdAt.desc(), table.postId),
  ],
);
