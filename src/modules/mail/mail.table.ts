import { index, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

/** Mails by the event that asks for them, so that each is sent once. */
export const mailDeliveries = pgTable(
  'mail_deliveries',
  {
    eventId: uuid('event_id').primaryKey(),
    claimedUntil: timestamp('claimed_until', { withTimezone: true }).notNull(),
    settledAt: timestamp('settled_at', { withTimezone: true }),
    outcome: text({ enum: ['sent', 'refused', 'not_wanted'] }),
  },
  (table) => [index('mail_deliveries_age').on(table.claimedUntil)],
);
