import { bigint, boolean, customType, date, pgTable, primaryKey, timestamp, uuid } from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

/** The viewers of a large channel on a UTC day; `channel_view_days` and `channel_view_parts` beside it are materialised views. */
export const channelViewSketches = pgTable(
  'channel_view_sketches',
  {
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    day: date().notNull(),
    fingerprint: bigint({ mode: 'bigint' }).notNull(),
    viewersSketch: bytea('viewers_sketch'),
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.day] })],
);

/** When they were added up: one row. */
export const channelViewRefresh = pgTable('channel_view_refresh', {
  singleton: boolean().primaryKey().default(true),
  refreshedAt: timestamp('refreshed_at', { withTimezone: true }).notNull(),
  liveFrom: date('live_from').notNull(),
  viewersAt: timestamp('viewers_at', { withTimezone: true }),
});
