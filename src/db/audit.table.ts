import { sql } from 'drizzle-orm';
import {
  bigint,
  customType,
  date,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });
const instant = (name: string) => timestamp(name, { withTimezone: true });

/** Append-only, partitioned by month. `ip`, `user_agent` and `origin_salt` may be erased; the chain covers their commitment. */
export const auditLog = pgTable(
  'audit_log',
  {
    id: uuid().notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    actorKind: text('actor_kind').notNull(),
    actorId: text('actor_id'),
    action: text().notNull(),
    targetKind: text('target_kind'),
    targetId: text('target_id'),
    outcome: text().notNull(),
    ip: text(),
    requestId: text('request_id'),
    detail: jsonb().notNull().default({}),
    country: text(),
    userAgent: text('user_agent'),
    originSalt: bytea('origin_salt'),
    originCommitment: bytea('origin_commitment'),
  },
  (table) => [
    primaryKey({ columns: [table.id, table.createdAt] }),
    index('audit_log_origins').on(table.createdAt).where(sql`${table.originSalt} IS NOT NULL`),
  ],
);

/** Entries not yet in the chain. Written by a trigger; the application cannot read it. */
export const auditPending = pgTable('audit_pending', {
  position: bigint({ mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
  auditId: uuid('audit_id').notNull(),
  auditCreatedAt: instant('audit_created_at').notNull(),
  contentHash: bytea('content_hash').notNull(),
});

/** The hash chain over all entries. Written by `seal_audit_log`; the application cannot read it. */
export const auditSeals = pgTable(
  'audit_seals',
  {
    seq: bigint({ mode: 'bigint' }).primaryKey(),
    auditId: uuid('audit_id').notNull(),
    auditCreatedAt: instant('audit_created_at').notNull(),
    contentHash: bytea('content_hash').notNull(),
    hash: bytea().notNull(),
    sealedAt: instant('sealed_at').notNull().defaultNow(),
  },
  (table) => [index('audit_seals_entry').on(table.auditId)],
);

/** Months whose entries were archived and dropped. */
export const auditRetirements = pgTable('audit_retirements', {
  month: date().primaryKey(),
  entries: bigint({ mode: 'bigint' }).notNull(),
  retiredAt: instant('retired_at').notNull().defaultNow(),
});
