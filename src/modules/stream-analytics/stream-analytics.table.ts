import { sql } from 'drizzle-orm';
import {
  bigint,
  customType,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import { streams } from '../streams/index.ts';
import { users } from '../users/index.ts';

const tstzmultirange = customType<{ data: string }>({ dataType: () => 'tstzmultirange' });
const instant = (name: string) => timestamp(name, { withTimezone: true });
const count = (name: string) => bigint(name, { mode: 'number' }).notNull();
const streamId = () => uuid('stream_id').references(() => streams.id, { onDelete: 'cascade' });
const userId = () =>
  uuid('user_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });

const sums = {
  peakViewers: integer('peak_viewers').notNull(),
  viewerMs: count('viewer_ms'),
  watchedMs: count('watched_ms'),
  messages: count('messages'),
  chatters: count('chatters'),
  positive: count('positive'),
  negative: count('negative'),
  score: doublePrecision().notNull(),
};

/** How the room of a stream was watched and written in, in all. Written by flushes of the room only. */
export const streamTallies = pgTable('stream_tallies', {
  streamId: streamId().primaryKey(),
  seq: count('seq'),
  viewers: integer().notNull(),
  peakAt: instant('peak_at'),
  ...sums,
  emotes: jsonb().notNull(),
  flushedAt: instant('flushed_at').notNull().defaultNow(),
  summarisedAt: instant('summarised_at'),
});

export const streamMinutes = pgTable(
  'stream_minutes',
  { streamId: streamId().notNull(), minute: instant('minute').notNull(), ...sums },
  (table) => [primaryKey({ columns: [table.streamId, table.minute] })],
);

export const streamChatters = pgTable(
  'stream_chatters',
  { streamId: streamId().notNull(), userId: userId(), messages: count('messages'), over: count('over') },
  (table) => [
    primaryKey({ columns: [table.streamId, table.userId] }),
    index('stream_chatters_user').on(table.userId),
  ],
);

/** Who came by one relay. Written by flushes of the relay only. */
export const streamAudiences = pgTable(
  'stream_audiences',
  {
    streamId: streamId().notNull(),
    counterId: uuid('counter_id').notNull(),
    seq: count('seq'),
    joins: count('joins'),
    leaves: count('leaves'),
    strangers: count('strangers'),
    strangersMs: count('strangers_ms'),
  },
  (table) => [primaryKey({ columns: [table.streamId, table.counterId] })],
);

/** When a signed-in viewer was there. */
export const streamViewers = pgTable(
  'stream_viewers',
  {
    streamId: streamId().notNull(),
    userId: userId(),
    watched: tstzmultirange().notNull(),
    watchMs: bigint('watch_ms', { mode: 'number' })
      .notNull()
      .generatedAlwaysAs(sql`milliseconds_in(watched)`),
  },
  (table) => [
    primaryKey({ columns: [table.streamId, table.userId] }),
    index('stream_viewers_user').on(table.userId),
  ],
);
