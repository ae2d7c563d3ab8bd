import { integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';

export const outbox = pgTable('outbox', {
  id: uuid().primaryKey(),
  type: text().notNull(),
  payload: jsonb().notNull(),
  traceparent: text(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  claimedUntil: timestamp('claimed_until', { withTimezone: true }),
  attempts: integer().notNull().default(0),
});

export const processedEvents = pgTable(
  'processed_events',
  {
    handler: text().notNull(),
    eventId: uuid('event_id').notNull(),
    processedAt: timestamp('processed_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.handler, table.eventId] })],
);

export const inboundEvents = pgTable(
  'inbound_events',
  {
    source: text().notNull(),
    eventId: text('event_id').notNull(),
    receivedAt: timestamp('received_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.source, table.eventId] })],
);

export const deadLetters = pgTable('dead_letters', {
  id: uuid().primaryKey(),
  queue: text().notNull(),
  body: jsonb().notNull(),
  receivedAt: timestamp('received_at', { withTimezone: true }).notNull().defaultNow(),
});
