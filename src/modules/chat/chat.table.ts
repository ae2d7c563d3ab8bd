import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { streams } from '../streams/index.ts';
import { users } from '../users/index.ts';

const instant = (name: string) => timestamp(name, { withTimezone: true });
const userId = (name: string) =>
  uuid(name)
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });

export const chatSettings = pgTable('chat_settings', {
  ownerId: uuid('owner_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  slowSeconds: integer('slow_seconds').notNull().default(0),
  membersOnly: boolean('members_only').notNull().default(false),
  followersOnlyMinutes: integer('followers_only_minutes'),
  emoteOnly: boolean('emote_only').notNull().default(false),
  uniqueOnly: boolean('unique_only').notNull().default(false),
  updatedAt: instant('updated_at').notNull().defaultNow(),
  moderatorDelaySeconds: integer('moderator_delay_seconds').notNull().default(0),
  autoModeration: jsonb('auto_moderation').notNull().default({}),
  shield: boolean().notNull().default(false),
  shieldPreset: jsonb('shield_preset'),
  version: bigint({ mode: 'number' }).notNull().default(0),
});

export const chatRoles = pgTable(
  'chat_roles',
  {
    ownerId: userId('owner_id'),
    userId: userId('user_id'),
    role: text({ enum: ['moderator', 'vip'] }).notNull(),
    grantedAt: instant('granted_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.userId] }),
    index('chat_roles_user').on(table.userId),
  ],
);

export const chatBans = pgTable(
  'chat_bans',
  {
    ownerId: userId('owner_id'),
    userId: userId('user_id'),
    until: instant('until'),
    reason: text().notNull().default(''),
    bannedBy: uuid('banned_by').references(() => users.id, { onDelete: 'set null' }),
    bannedAt: instant('banned_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.userId] }),
    index('chat_bans_user').on(table.userId),
    index('chat_bans_by').on(table.bannedBy).where(sql`${table.bannedBy} IS NOT NULL`),
  ],
);

/** Whoever did something, as long as their account is there. */
const actor = (name: string) => uuid(name).references(() => users.id, { onDelete: 'set null' });

export const chatTerms = pgTable(
  'chat_terms',
  {
    id: uuid().primaryKey(),
    ownerId: userId('owner_id'),
    kind: text({ enum: ['blocked', 'permitted'] }).notNull(),
    term: text().notNull(),
    addedBy: actor('added_by'),
    addedAt: instant('added_at').notNull().defaultNow(),
  },
  (table) => [
    unique().on(table.ownerId, table.kind, table.term),
    index('chat_terms_by').on(table.addedBy).where(sql`${table.addedBy} IS NOT NULL`),
  ],
);

export const chatWarnings = pgTable(
  'chat_warnings',
  {
    id: uuid().primaryKey(),
    ownerId: userId('owner_id'),
    userId: userId('user_id'),
    reason: text().notNull(),
    warnedBy: actor('warned_by'),
    warnedAt: instant('warned_at').notNull().defaultNow(),
    acknowledgedAt: instant('acknowledged_at'),
  },
  (table) => [
    uniqueIndex('chat_warnings_open')
      .on(table.ownerId, table.userId)
      .where(sql`${table.acknowledgedAt} IS NULL`),
    index('chat_warnings_owner').on(table.ownerId),
    index('chat_warnings_user').on(table.userId),
    index('chat_warnings_by').on(table.warnedBy).where(sql`${table.warnedBy} IS NOT NULL`),
  ],
);

export const chatUnbanRequests = pgTable(
  'chat_unban_requests',
  {
    id: uuid().primaryKey(),
    ownerId: userId('owner_id'),
    userId: userId('user_id'),
    bannedAt: instant('banned_at').notNull(),
    text: text().notNull(),
    state: text({ enum: ['pending', 'approved', 'denied'] })
      .notNull()
      .default('pending'),
    note: text().notNull().default(''),
    decidedBy: actor('decided_by'),
    decidedAt: instant('decided_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [
    unique().on(table.ownerId, table.userId, table.bannedAt),
    index('chat_unban_requests_list').on(table.ownerId, table.state, table.id.desc()),
    index('chat_unban_requests_user').on(table.userId),
    index('chat_unban_requests_by').on(table.decidedBy).where(sql`${table.decidedBy} IS NOT NULL`),
  ],
);

export const chatBots = pgTable(
  'chat_bots',
  {
    userId: uuid('user_id')
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    messages: integer().notNull(),
    verifiedBy: actor('verified_by'),
    verifiedAt: instant('verified_at').notNull().defaultNow(),
  },
  (table) => [index('chat_bots_by').on(table.verifiedBy).where(sql`${table.verifiedBy} IS NOT NULL`)],
);

export const chatOpenRooms = pgTable(
  'chat_open_rooms',
  {
    streamId: uuid('stream_id')
      .primaryKey()
      .references(() => streams.id, { onDelete: 'cascade' }),
    ownerId: userId('owner_id'),
    seenAt: instant('seen_at').notNull().defaultNow(),
  },
  (table) => [index('chat_open_rooms_owner').on(table.ownerId, table.seenAt.desc())],
);

export const chatActions = pgTable(
  'chat_actions',
  {
    id: uuid().notNull(),
    at: instant('at').notNull(),
    ownerId: userId('owner_id'),
    version: bigint({ mode: 'number' }),
    streamId: uuid('stream_id').references(() => streams.id, { onDelete: 'set null' }),
    actorId: actor('actor_id'),
    kind: text().notNull(),
    targetId: actor('target_id'),
    messageId: uuid('message_id'),
    reason: text().notNull().default(''),
    detail: jsonb().notNull().default({}),
  },
  (table) => [
    primaryKey({ columns: [table.id, table.at] }),
    index('chat_actions_list').on(table.ownerId, table.id.desc()),
    index('chat_actions_version').on(table.ownerId, table.version).where(sql`${table.version} IS NOT NULL`),
    index('chat_actions_actor').on(table.actorId).where(sql`${table.actorId} IS NOT NULL`),
    index('chat_actions_target').on(table.targetId).where(sql`${table.targetId} IS NOT NULL`),
    index('chat_actions_stream').on(table.streamId).where(sql`${table.streamId} IS NOT NULL`),
  ],
);
