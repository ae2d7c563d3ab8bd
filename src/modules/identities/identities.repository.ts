import { type SQL, sql } from 'drizzle-orm';
import { insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { violates } from '../../db/errors.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import type { ProviderName } from '../../integrations/oauth/index.ts';
import { type Admission, lockUser, type WriteContext } from '../auth/index.ts';
import { type FactorKind, factorKinds, hasConfirmedFactor, hasPasskey } from '../factors/index.ts';
import { insertUserCtes, type NewUser, usernameTaken } from '../users/index.ts';
import { identityTaken, loginToLink } from './identities.errors.ts';

/** Whether the user of `userId`, an expression of the statement, may log in by a linked provider. */
export const hasIdentity = (userId: SQL): SQL =>
  sql`EXISTS (SELECT FROM identities WHERE identities.user_id = ${userId})`;

export interface KnownIdentity {
  readonly identityId: string;
  readonly userId: string;
  readonly status: 'active' | 'suspended' | 'deactivated' | 'deleted';
  readonly factors: readonly FactorKind[];
}

/** The account an identity belongs to. */
export async function findIdentity(
  db: Db,
  provider: ProviderName,
  subject: string,
): Promise<KnownIdentity | undefined> {
  const result = await db.execute(sql`
    SELECT identity.id AS "identityId", users.id AS "userId", users.status, ${factorKinds(sql`users.id`)} AS factors
    FROM identities AS identity JOIN users ON users.id = identity.user_id
    WHERE identity.provider = ${provider} AND identity.subject = ${subject}`);
  return result.rows[0] as KnownIdentity | undefined;
}

/** Whether an address is verified for an account. */
export async function isVerifiedAddress(db: Db, email: string): Promise<boolean> {
  const result = await db.execute(
    sql`SELECT 1 FROM users WHERE email_key = lower(${email}) AND email_verified_at IS NOT NULL`,
  );
  return result.rows.length > 0;
}

/** The first of some usernames that nobody has. */
export async function firstFreeUsername(db: Db, names: readonly string[]): Promise<string | undefined> {
  const wanted = sql.join(
    names.map((name, index) => sql`(${name}::text, ${index}::int)`),
    sql`, `,
  );
  const result = await db.execute(sql`
    SELECT wanted.name FROM (VALUES ${wanted}) AS wanted (name, place)
    WHERE NOT EXISTS (SELECT FROM users WHERE users.username_key = lower(wanted.name))
    ORDER BY wanted.place LIMIT 1`);
  return (result.rows[0] as { name: string } | undefined)?.name;
}

/**
 * Lets in the active user an identity still belongs to; unless a second factor is `owed`, only if the account has none. Keeps a
 * new refresh token of the provider.
 */
export const admissionByIdentity = (
  identity: { readonly identityId: string; readonly userId: string; readonly provider: ProviderName },
  options: { readonly owed: boolean; readonly sealedRefreshToken: string | undefined; readonly now: string },
): Admission => ({
  userId: identity.userId,
  detail: { provider: identity.provider },
  ctes: sql`owner AS (
      SELECT users.* FROM users JOIN identities ON identities.user_id = users.id
      WHERE identities.id = ${identity.identityId}::uuid AND users.id = ${identity.userId}::uuid AND users.status = 'active'
        AND ${options.owed ? sql`true` : sql`NOT ${hasConfirmedFactor(sql`users.id`)}`}
      FOR SHARE OF users, identities
    ),
    seen AS (
      UPDATE identities SET last_used_at = ${options.now}::timestamptz,
        sealed_refresh_token = coalesce(decode(${options.sealedRefreshToken ?? null}, 'hex'), sealed_refresh_token)
      FROM owner WHERE identities.id = ${identity.identityId}::uuid
    ),
    admitted AS (SELECT * FROM owner)`,
});

export interface NewIdentity {
  readonly id: string;
  readonly provider: ProviderName;
  readonly subject: string;
  readonly email: string | undefined;
  /** In hex. */
  readonly sealedRefreshToken: string | undefined;
  /** RFC 3339. */
  readonly now: string;
}

const insertIdentity = (identity: NewIdentity, owner: SQL): SQL => sql`
  INSERT INTO identities (id, user_id, provider, subject, email, sealed_refresh_token, created_at, last_used_at)
  SELECT ${identity.id}::uuid, owner.id, ${identity.provider}, ${identity.subject}, ${identity.email ?? null},
    decode(${identity.sealedRefreshToken ?? null}, 'hex'), ${identity.now}::timestamptz, ${identity.now}::timestamptz
  FROM ${owner} AS owner`;

/** Makes the account of somebody who came from a provider and uses their registration up, all or nothing. */
export const admissionByRegistration = (
  ctx: WriteContext,
  flowId: string,
  user: NewUser,
  identity: NewIdentity,
): Admission => {
  const audit = {
    action: 'auth.register',
    target: { kind: 'user', id: user.id },
    detail: { provider: identity.provider },
  };
  return {
    userId: user.id,
    detail: { provider: identity.provider },
    ctes: sql`pending AS (
        UPDATE oauth_flows SET registered_at = ${identity.now}::timestamptz, sealed_profile = NULL
        WHERE id = ${flowId}::uuid AND registered_at IS NULL AND registration_expires_at > ${identity.now}::timestamptz
        RETURNING id
      ),
      ${insertUserCtes(user, sql`pending`)},
      new_identity AS (${insertIdentity(identity, sql`new_user`)}),
      registered AS (${insertAuditIfAny(ctx, audit, sql`new_user`)}),
      admitted AS (SELECT * FROM new_user)`,
  };
};

/**
 * Names what a registration ran into.
 * @throws users.username_taken, identities.login_to_link, identities.linked_elsewhere.
 */
export async function namingConflicts<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (violates(error, 'users_username_key')) throw usernameTaken();
    if (violates(error, 'users_verified_email_key')) throw loginToLink();
    if (violates(error, 'identities_subject_key')) throw identityTaken();
    throw error;
  }
}

export interface IdentityRow {
  readonly id: string;
  readonly provider: ProviderName;
  readonly email: string | null;
  /** RFC 3339 in UTC, as the other time. */
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
}

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const identityColumns = sql`id, provider, email, ${utc(sql`created_at`)} AS "createdAt", ${utc(sql`last_used_at`)} AS "lastUsedAt"`;

/** The logins linked to a user, the oldest first. */
export async function listIdentities(db: Db, userId: string): Promise<IdentityRow[]> {
  const result = await db.execute(
    sql`SELECT ${identityColumns} FROM identities WHERE user_id = ${userId}::uuid ORDER BY created_at, id`,
  );
  return result.rows as unknown as IdentityRow[];
}

/**
 * Links an identity to an active user, with audit entry and notice.
 * @returns undefined when the identity belongs to somebody already, or the user has one of this provider.
 */
export async function linkIdentity(
  ctx: WriteContext,
  userId: string,
  identity: NewIdentity,
  notice: OutboxEvent,
): Promise<IdentityRow | undefined> {
  const audit = {
    action: 'identities.linked',
    target: { kind: 'user', id: userId },
    detail: { provider: identity.provider },
  };
  const result = await ctx.databases.primary.execute(sql`
    WITH owner AS (SELECT id FROM users WHERE id = ${userId}::uuid AND status = 'active' FOR SHARE),
    linked AS (${insertIdentity(identity, sql`owner`)} ON CONFLICT DO NOTHING RETURNING *),
    told AS (${insertEventIfAny(notice, sql`linked`)}),
    audited AS (${insertAuditIfAny(ctx, audit, sql`linked`)})
    SELECT ${identityColumns} FROM linked`);
  return result.rows[0] as IdentityRow | undefined;
}

/** Who stands in the way of a link. */
export async function findLinkConflict(
  db: Db,
  provider: ProviderName,
  subject: string,
): Promise<(IdentityRow & { readonly userId: string }) | undefined> {
  const result = await db.execute(
    sql`SELECT ${identityColumns}, user_id AS "userId" FROM identities WHERE provider = ${provider} AND subject = ${subject}`,
  );
  return result.rows[0] as (IdentityRow & { userId: string }) | undefined;
}

export interface UnlinkedRow {
  /** False when it is the last way to log in. */
  readonly unlinked: boolean;
  readonly provider: ProviderName;
  /** In hex. */
  readonly sealedRefreshToken: string | null;
}

/**
 * Unlinks an identity unless its owner could not log in any more, and ends logins by it that still owe a second factor. The
 * user's row is locked first, so that of two ways to log in removed at once one stays.
 */
export async function unlinkIdentity(
  ctx: WriteContext,
  userId: string,
  identityId: string,
  notice: OutboxEvent,
): Promise<UnlinkedRow | undefined> {
  const { primary } = ctx.databases;
  const audit = {
    action: 'identities.unlinked',
    target: { kind: 'user', id: userId },
    detail: { identity_id: identityId },
  };
  const [, result] = await atomic(primary, [
    primary.execute(lockUser(userId)),
    primary.execute(sql`
      WITH wanted AS (
        SELECT id, provider, sealed_refresh_token FROM identities
        WHERE id = ${identityId}::uuid AND user_id = ${userId}::uuid FOR UPDATE
      ),
      unlinked AS (
        DELETE FROM identities USING wanted, users
        WHERE identities.id = wanted.id AND users.id = ${userId}::uuid
          AND (users.password_hash IS NOT NULL OR ${hasPasskey(sql`users.id`)} OR EXISTS (
            SELECT FROM identities AS other WHERE other.user_id = users.id AND other.id <> wanted.id))
        RETURNING identities.id, identities.provider
      ),
      forgotten AS (
        DELETE FROM mfa_challenges USING unlinked
        WHERE mfa_challenges.user_id = ${userId}::uuid AND mfa_challenges.first_factor = 'fed'
      ),
      told AS (
        INSERT INTO outbox (id, type, payload, traceparent)
        SELECT ${notice.id}::uuid, ${notice.type},
          jsonb_set(${JSON.stringify(notice.payload)}::jsonb, '{detail,provider}', to_jsonb(unlinked.provider)), ${notice.traceparent}
        FROM unlinked
      ),
      audited AS (${insertAuditIfAny(ctx, audit, sql`unlinked`)})
      SELECT wanted.provider, encode(wanted.sealed_refresh_token, 'hex') AS "sealedRefreshToken",
        EXISTS (SELECT FROM unlinked) AS unlinked
      FROM wanted`),
  ]);
  return result.rows[0] as UnlinkedRow | undefined;
}

export interface HeldToken {
  readonly identityId: string;
  readonly provider: ProviderName;
  /** In hex. */
  readonly sealedRefreshToken: string;
}

/** The refresh tokens of providers that are kept for a user. */
export async function findHeldTokens(db: Db, userId: string): Promise<HeldToken[]> {
  const result = await db.execute(sql`
    SELECT id AS "identityId", provider, encode(sealed_refresh_token, 'hex') AS "sealedRefreshToken"
    FROM identities WHERE user_id = ${userId}::uuid AND sealed_refresh_token IS NOT NULL`);
  return result.rows as unknown as HeldToken[];
}

/** Forgets a refresh token that was taken back. */
export async function forgetHeldToken(db: Db, { identityId, sealedRefreshToken }: HeldToken): Promise<void> {
  await db.execute(sql`
    UPDATE identities SET sealed_refresh_token = NULL
    WHERE id = ${identityId}::uuid AND sealed_refresh_token = decode(${sealedRefreshToken}, 'hex')`);
}

/**
 * Deletes what is known of a person of a provider, because they asked the provider for that, and ends logins by it that still
 * owe a second factor. Undefined when nothing is known.
 */
export async function deleteIdentityOf(
  ctx: WriteContext,
  provider: ProviderName,
  subject: string,
  noticeOf: (userId: string) => OutboxEvent,
): Promise<OutboxEvent | undefined> {
  const known = await findIdentity(ctx.databases.primary, provider, subject);
  if (known === undefined) return undefined;
  const notice = noticeOf(known.userId);
  const audit = {
    action: 'identities.deleted_by_provider',
    target: { kind: 'user', id: known.userId },
    detail: { provider },
  };
  const result = await ctx.databases.primary.execute(sql`
    WITH deleted AS (
      DELETE FROM identities WHERE id = ${known.identityId}::uuid AND user_id = ${known.userId}::uuid RETURNING id
    ),
    forgotten AS (
      DELETE FROM mfa_challenges USING deleted
      WHERE mfa_challenges.user_id = ${known.userId}::uuid AND mfa_challenges.first_factor = 'fed'
    ),
    told AS (${insertEventIfAny(notice, sql`deleted`)}),
    audited AS (${insertAuditIfAny(ctx, audit, sql`deleted`)})
    SELECT id FROM deleted`);
  return result.rows.length > 0 ? notice : undefined;
}
