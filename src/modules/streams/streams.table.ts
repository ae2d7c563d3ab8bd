import { index, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });

export const streams = pgTable(
  'streams',
  {
    id: uuid().primaryKey(),
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    title: text().notNull(),
    description: text().notNull().default(''),
    visibility: text({ enum: ['public', 'unlisted', 'private', 'followers', 'members'] })
      .notNull()
      .default('public'),
    state: text({ enum: ['scheduled', 'canceled'] })
      .notNull()
      .default('scheduled'),
    scheduledAt: instant('scheduled_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (table) => [index('streams_owner').on(table.ownerId, table.id.desc())],
);
