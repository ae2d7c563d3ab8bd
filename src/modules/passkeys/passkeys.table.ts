import {
  bigint,
  boolean,
  customType,
  index,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { users } from '../users/index.ts';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

export const passkeys = pgTable(
  'passkeys',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    credentialId: bytea('credential_id').notNull(),
    /** A COSE_Key (RFC 9052 §7). */
    publicKey: bytea('public_key').notNull(),
    signCount: bigint('sign_count', { mode: 'number' }).notNull(),
    transports: text().array().notNull(),
    /** Whether it may be copied to other devices, and whether it was when last used (WebAuthn L3 §6.1.3). */
    backupEligible: boolean('backup_eligible').notNull(),
    backedUp: boolean('backed_up').notNull(),
    /** The model of the authenticator; all zeros when it does not say. */
    aaguid: uuid().notNull(),
    name: text().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
    lastUsedAt: timestamp('last_used_at', { withTimezone: true }),
  },
  (table) => [
    uniqueIndex('passkeys_credential_id_key').on(table.credentialId),
    index('passkeys_user').on(table.userId),
  ],
);

/** Challenges that were answered, until they expire. */
export const usedPasskeyChallenges = pgTable(
  'used_passkey_challenges',
  {
    challenge: bytea().primaryKey(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
  },
  (table) => [index('used_passkey_challenges_expiry').on(table.expiresAt)],
);
