import { sql } from 'drizzle-orm';
import { index, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core';

const instant = (name: string) => timestamp(name, { withTimezone: true });

/** Paths the CDN is to forget; deleted when it has. */
export const cdnInvalidations = pgTable(
  'cdn_invalidations',
  {
    id: uuid().primaryKey(),
    path: text().notNull(),
    requestedAt: instant('requested_at').notNull().defaultNow(),
    /** The CallerReference under which it is sent; empty while it waits. */
    batchId: uuid('batch_id'),
    claimedAt: instant('claimed_at'),
    /** The CDN's own id of the batch. */
    invalidationId: text('invalidation_id'),
  },
  (table) => [
    uniqueIndex('cdn_invalidations_waiting_key').on(table.path).where(sql`${table.batchId} IS NULL`),
    index('cdn_invalidations_waiting').on(table.requestedAt).where(sql`${table.batchId} IS NULL`),
    index('cdn_invalidations_batch').on(table.batchId).where(sql`${table.batchId} IS NOT NULL`),
  ],
);
