import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';
import { videos } from '../videos/index.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });

export const playlists = pgTable(
  'playlists',
  {
    id: uuid().primaryKey(),
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    kind: text({ enum: ['custom', 'watch_later'] })
      .notNull()
      .default('custom'),
    title: text().notNull(),
    description: text().notNull().default(''),
    visibility: text({ enum: ['public', 'unlisted', 'private'] })
      .notNull()
      .default('private'),
    allowDuplicates: boolean('allow_duplicates').notNull().default(false),
    numbering: integer().notNull().default(0),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (table) => [
    index('playlists_owner').on(table.ownerId, table.id.desc()),
    uniqueIndex('playlists_watch_later_key').on(table.ownerId).where(sql`${table.kind} = 'watch_later'`),
  ],
);

export const playlistItems = pgTable(
  'playlist_items',
  {
    id: uuid().primaryKey(),
    playlistId: uuid('playlist_id')
      .notNull()
      .references(() => playlists.id, { onDelete: 'cascade' }),
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    videoId: uuid('video_id')
      .notNull()
      .references(() => videos.id, { onDelete: 'cascade' }),
    rank: bigint({ mode: 'bigint' }).notNull(),
    addedAt: instant('added_at').notNull().defaultNow(),
  },
  (table) => [
    index('playlist_items_order').on(table.playlistId, table.rank, table.id),
    index('playlist_items_owner').on(table.ownerId, table.id),
    index('playlist_items_video').on(table.videoId, table.playlistId),
  ],
);
