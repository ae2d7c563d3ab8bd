import { customType, pgTable, timestamp, uuid } from 'drizzle-orm/pg-core';
import { users } from './users.table.ts';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

export const birthDates = pgTable('birth_dates', {
  userId: uuid('user_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  /** `YYYY-MM-DD` in an envelope bound to `user_id`. */
  sealedDate: bytea('sealed_date').notNull(),
  statedAt: timestamp('stated_at', { withTimezone: true }).notNull().defaultNow(),
});
