import { sql } from 'drizzle-orm';
import {
  boolean,
  customType,
  index,
  integer,
  pgTable,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });
const instant = (name: string) => timestamp(name, { withTimezone: true });

/** Where users want to be told of events. */
export const webhookEndpoints = pgTable(
  'webhook_endpoints',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    url: text().notNull(),
    description: text().notNull().default(''),
    /** Empty: every type. */
    eventTypes: text('event_types').array().notNull().default(sql`'{}'`),
    enabled: boolean().notNull().default(true),
    disabledReason: text('disabled_reason', { enum: ['owner', 'gone', 'failing'] }),
    disabledAt: instant('disabled_at'),
    sealedSecret: bytea('sealed_secret').notNull(),
    /** Sealed for `sealed_secret`, where it comes from. */
    sealedOldSecret: bytea('sealed_old_secret'),
    oldSecretExpiresAt: instant('old_secret_expires_at'),
    failingSince: instant('failing_since'),
    claimId: uuid('claim_id'),
    claimedUntil: instant('claimed_until'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [index('webhook_endpoints_user').on(table.userId, table.id.desc())],
);

/** One event for one endpoint. */
export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    id: uuid().primaryKey(),
    endpointId: uuid('endpoint_id')
      .notNull()
      .references(() => webhookEndpoints.id, { onDelete: 'cascade' }),
    eventId: uuid('event_id').notNull(),
    type: text().notNull(),
    /** As it is signed, to the byte. */
    body: text().notNull(),
    state: text({ enum: ['waiting', 'succeeded', 'failed'] }).notNull(),
    failureReason: text('failure_reason', { enum: ['exhausted', 'endpoint_disabled', 'gone'] }),
    /** Since it was made or last replayed. */
    attempts: smallint().notNull().default(0),
    dueAt: instant('due_at'),
    lastStatus: smallint('last_status'),
    lastError: text('last_error'),
    createdAt: instant('created_at').notNull(),
    finishedAt: instant('finished_at'),
  },
  (table) => [
    uniqueIndex('webhook_deliveries_event_key').on(table.endpointId, table.eventId),
    index('webhook_deliveries_log').on(table.endpointId, table.id.desc()),
    index('webhook_deliveries_due').on(table.dueAt).where(sql`state = 'waiting'`),
    index('webhook_deliveries_next')
      .on(table.endpointId, table.dueAt, table.id)
      .where(sql`state = 'waiting'`),
    index('webhook_deliveries_age').on(table.createdAt),
  ],
);

/** Requests that were made, and what came back. */
export const webhookAttempts = pgTable(
  'webhook_attempts',
  {
    id: uuid().primaryKey(),
    deliveryId: uuid('delivery_id')
      .notNull()
      .references(() => webhookDeliveries.id, { onDelete: 'cascade' }),
    startedAt: instant('started_at').notNull(),
    durationMs: integer('duration_ms').notNull(),
    /** Null: no answer. */
    status: smallint(),
    error: text(),
    responseExcerpt: text('response_excerpt').notNull().default(''),
  },
  (table) => [index('webhook_attempts_delivery').on(table.deliveryId, table.id.desc())],
);
