import { sql } from 'drizzle-orm';
import {
  customType,
  index,
  inet,
  integer,
  pgTable,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

/** A login on one device: the family of its refresh tokens. */
export const sessions = pgTable(
  'sessions',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    amr: text().array().notNull(),
    authTime: timestamp('auth_time', { withTimezone: true }).notNull(),
    userAgent: text('user_agent'),
    /** What the user agent was at login, as its owner would call it; undefined of sessions older than the column. */
    deviceName: text('device_name'),
    ip: inet(),
    country: text(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    lastUsedAt: timestamp('last_used_at', { withTimezone: true }).notNull().defaultNow(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
    revokedAt: timestamp('revoked_at', { withTimezone: true }),
    revokedReason: text('revoked_reason', {
      enum: [
        'logout',
        'logout_all',
        'refresh_reuse',
        'password_change',
        'disabled',
        'admin',
        'limit',
        'password_reset',
        'deleted',
      ],
    }),
  },
  (table) => [
    index('sessions_user_active')
      .on(table.userId, table.lastUsedAt.desc())
      .where(sql`${table.revokedAt} IS NULL`),
    index('sessions_user_device').on(table.userId, table.deviceName),
    index('sessions_expiry').on(table.expiresAt),
  ],
);

export const refreshTokens = pgTable(
  'refresh_tokens',
  {
    id: uuid().primaryKey(),
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    /** SHA-256 of the token. */
    tokenHash: bytea('token_hash').notNull(),
    generation: integer().notNull(),
    issuedAt: timestamp('issued_at', { withTimezone: true }).notNull().defaultNow(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
    rotatedAt: timestamp('rotated_at', { withTimezone: true }),
    /** The pair this token was handed out in, sealed, until `replay_expires_at` or its own exchange. */
    replayBlob: bytea('replay_blob'),
    replayExpiresAt: timestamp('replay_expires_at', { withTimezone: true }),
  },
  (table) => [
    unique('refresh_tokens_session_id_generation_key').on(table.sessionId, table.generation),
    uniqueIndex('refresh_tokens_hash_key').on(table.tokenHash),
    index('refresh_tokens_replays')
      .on(table.replayExpiresAt)
      .where(sql`${table.replayExpiresAt} IS NOT NULL`),
    uniqueIndex('refresh_tokens_live_key').on(table.sessionId).where(sql`${table.rotatedAt} IS NULL`),
  ],
);
