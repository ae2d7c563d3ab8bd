import { jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';

export const auditLog = pgTable(
  'audit_log',
  {
    id: uuid().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    actorKind: text('actor_kind').notNull(),
    actorId: text('actor_id'),
    action: text().notNull(),
    targetKind: text('target_kind'),
    targetId: text('target_id'),
    outcome: text().notNull(),
    ip: text(),
    requestId: text('request_id'),
    detail: jsonb().notNull().default({}),
  },
  (table) => [primaryKey({ columns: [table.id, table.createdAt] })],
);
