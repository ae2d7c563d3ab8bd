import { sql } from 'drizzle-orm';
import {
  type AnyPgColumn,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';
import { videos } from '../videos/index.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });

export const comments = pgTable(
  'comments',
  {
    id: uuid().primaryKey(),
    videoId: uuid('video_id')
      .notNull()
      .references(() => videos.id, { onDelete: 'cascade' }),
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    authorId: uuid('author_id').references(() => users.id, { onDelete: 'set null' }),
    parentId: uuid('parent_id').references((): AnyPgColumn => comments.id, { onDelete: 'cascade' }),
    rootId: uuid('root_id').references((): AnyPgColumn => comments.id, { onDelete: 'cascade' }),
    depth: smallint().notNull().default(0),
    text: text().notNull(),
    facets: jsonb().notNull().default([]),
    state: text({ enum: ['visible', 'held', 'rejected', 'deleted'] }).notNull(),
    heldFor: text('held_for', { enum: ['approval', 'blocked_word', 'link'] }),
    shownAt: instant('shown_at'),
    likes: integer().notNull().default(0),
    replies: integer().notNull().default(0),
    pinnedAt: instant('pinned_at'),
    heartedAt: instant('hearted_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
    editedAt: instant('edited_at'),
    deletedAt: instant('deleted_at'),
    deletion: text({ enum: ['author', 'owner'] }),
  },
  (table) => [
    index('comments_newest').on(table.videoId, table.id.desc()).where(sql`${table.rootId} IS NULL`),
    index('comments_top')
      .on(table.videoId, table.likes.desc(), table.id.desc())
      .where(sql`${table.rootId} IS NULL`),
    index('comments_thread').on(table.rootId, table.id).where(sql`${table.rootId} IS NOT NULL`),
    index('comments_parent').on(table.parentId).where(sql`${table.parentId} IS NOT NULL`),
    index('comments_counted').on(table.videoId).where(sql`${table.shownAt} IS NOT NULL`),
    index('comments_author').on(table.authorId, table.id.desc()),
    index('comments_held').on(table.ownerId, table.id.desc()).where(sql`${table.state} = 'held'`),
    uniqueIndex('comments_pinned_key').on(table.videoId).where(sql`${table.pinnedAt} IS NOT NULL`),
  ],
);

export const commentLikes = pgTable(
  'comment_likes',
  {
    commentId: uuid('comment_id')
      .notNull()
      .references(() => comments.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.commentId, table.userId] }),
    index('comment_likes_user').on(table.userId, table.commentId),
  ],
);

export const commentSettings = pgTable('comment_settings', {
  ownerId: uuid('owner_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  blockedWords: text('blocked_words').array().notNull().default([]),
  blockedKeys: text('blocked_keys').array().notNull().default([]),
  holdLinks: text('hold_links', { enum: ['nobody', 'strangers', 'everybody'] })
    .notNull()
    .default('nobody'),
  updatedAt: instant('updated_at').notNull().defaultNow(),
});
