import { customType, index, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });
const time = (name: string) => timestamp(name, { withTimezone: true });

/** Who a person is at a provider. */
export const identities = pgTable(
  'identities',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    provider: text().notNull(),
    subject: text().notNull(),
    email: text(),
    /** Only of providers that want it revoked when the account is deleted. */
    sealedRefreshToken: bytea('sealed_refresh_token'),
    createdAt: time('created_at').notNull(),
    lastUsedAt: time('last_used_at'),
  },
  (table) => [
    uniqueIndex('identities_subject_key').on(table.provider, table.subject),
    uniqueIndex('identities_user_provider_key').on(table.userId, table.provider),
  ],
);

/** A trip to a provider and back. */
export const oauthFlows = pgTable(
  'oauth_flows',
  {
    id: uuid().primaryKey(),
    provider: text().notNull(),
    purpose: text({ enum: ['sign_in', 'link', 'step_up'] }).notNull(),
    stateHash: bytea('state_hash').notNull(),
    clientChallenge: text('client_challenge').notNull(),
    returnTo: text('return_to').notNull(),
    userId: uuid('user_id').references(() => users.id, { onDelete: 'cascade' }),
    sessionId: uuid('session_id'),
    createdAt: time('created_at').notNull(),
    expiresAt: time('expires_at').notNull(),
    returnedAt: time('returned_at'),
    handoffHash: bytea('handoff_hash'),
    handoffExpiresAt: time('handoff_expires_at'),
    sealedGrant: bytea('sealed_grant'),
    completedAt: time('completed_at'),
    registrationHash: bytea('registration_hash'),
    registrationExpiresAt: time('registration_expires_at'),
    sealedProfile: bytea('sealed_profile'),
    registeredAt: time('registered_at'),
  },
  (table) => [
    uniqueIndex('oauth_flows_state_key').on(table.stateHash),
    uniqueIndex('oauth_flows_handoff_key').on(table.handoffHash),
    uniqueIndex('oauth_flows_registration_key').on(table.registrationHash),
    index('oauth_flows_user').on(table.userId),
    index('oauth_flows_expiry').on(table.expiresAt),
  ],
);
