import { type SQL, sql } from 'drizzle-orm';
import { insertAudit, insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { insertEventIfAny, insertEvents, type OutboxEvent, textArray } from '../../db/outbox.ts';
import {
  insertAdmittedSession,
  type NewSession,
  type OpenedSession,
  type WriteContext,
} from '../auth/index.ts';
import {
  hasConfirmedFactor,
  type PasskeyProof,
  putBackupCodes,
  spendChallengeCte,
  useFactorCte,
} from '../factors/index.ts';
import { hasIdentity } from '../identities/index.ts';

/** A passkey as its owner sees it. Times are RFC 3339. */
export interface PasskeyRow {
  readonly id: string;
  readonly name: string;
  readonly transports: string[];
  readonly backupEligible: boolean;
  readonly backedUp: boolean;
  readonly aaguid: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
}

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const ownerColumns = (passkey: SQL): SQL => sql`${passkey}.id, ${passkey}.name,
  array_to_json(${passkey}.transports) AS transports, ${passkey}.backup_eligible AS "backupEligible",
  ${passkey}.backed_up AS "backedUp", ${passkey}.aaguid, ${utc(sql`${passkey}.created_at`)} AS "createdAt",
  ${utc(sql`${passkey}.last_used_at`)} AS "lastUsedAt"`;

// Waits for other changes to the passkeys and sign-ins of one user.
const lockOwner = (db: Db, userId: string) =>
  db.execute(sql`SELECT FROM users WHERE id = ${userId}::uuid FOR NO KEY UPDATE`);

/** The passkeys of a user, the newest first. */
export async function listPasskeys(db: Db, userId: string): Promise<PasskeyRow[]> {
  const result = await db.execute(sql`
    SELECT ${ownerColumns(sql`passkeys`)} FROM passkeys WHERE user_id = ${userId}::uuid ORDER BY id DESC`);
  return result.rows as unknown as PasskeyRow[];
}

/** A credential as browsers are told of it. */
export interface DescriptorRow {
  /** Hex. */
  readonly credentialId: string;
  readonly transports: string[];
}

export interface OwnerRow {
  readonly username: string;
  readonly displayName: string;
  readonly credentials: DescriptorRow[];
}

/** A user with the credentials registered so far; undefined when the account is not active. */
export async function findOwner(db: Db, userId: string): Promise<OwnerRow | undefined> {
  const result = await db.execute(sql`
    SELECT username, display_name AS "displayName", (
      SELECT coalesce(json_agg(json_build_object(
        'credentialId', encode(passkeys.credential_id, 'hex'), 'transports', passkeys.transports
      ) ORDER BY passkeys.id), '[]') FROM passkeys WHERE passkeys.user_id = users.id
    ) AS credentials
    FROM users WHERE id = ${userId}::uuid AND status = 'active'`);
  return result.rows[0] as OwnerRow | undefined;
}

/** A challenge that was answered; see `usedPasskeyChallenges`. */
export interface AnsweredChallenge {
  /** Hex. */
  readonly challenge: string;
  /** RFC 3339. */
  readonly expiresAt: string;
}

export interface NewPasskey {
  readonly id: string;
  readonly userId: string;
  /** Hex, as the key. */
  readonly credentialId: string;
  readonly publicKey: string;
  readonly signCount: number;
  readonly transports: readonly string[];
  readonly backupEligible: boolean;
  readonly backedUp: boolean;
  readonly aaguid: string;
  readonly name: string;
  readonly createdAt: string;
}

export type RegistrationResult =
  | { readonly kind: 'registered'; readonly passkey: PasskeyRow; readonly firstFactor: boolean }
  | { readonly kind: 'challenge_used' | 'too_many' | 'already_registered' };

/**
 * Writes a passkey and uses its challenge up. If the user had no second factor yet, the backup codes are written, too, and
 * `firstFactor` says so.
 */
export async function insertPasskey(
  ctx: WriteContext,
  passkey: NewPasskey,
  answered: AnsweredChallenge,
  backupCodeHashes: readonly string[],
  notice: OutboxEvent,
  limit: number,
): Promise<RegistrationResult> {
  const { primary } = ctx.databases;
  const audit = {
    action: 'passkeys.registered',
    target: { kind: 'user', id: passkey.userId },
    detail: { passkey_id: passkey.id },
  };
  const [, result] = await atomic(primary, [
    lockOwner(primary, passkey.userId),
    primary.execute(sql`
      WITH spent AS (${spend(answered)}),
      owner AS (
        SELECT users.id AS user_id FROM users CROSS JOIN spent
        WHERE users.id = ${passkey.userId}::uuid AND users.status = 'active'
          AND (SELECT count(*) FROM passkeys WHERE passkeys.user_id = users.id) < ${limit}::integer
      ),
      added AS (
        INSERT INTO passkeys (id, user_id, credential_id, public_key, sign_count, transports, backup_eligible, backed_up, aaguid,
          name, created_at)
        SELECT ${passkey.id}::uuid, owner.user_id, decode(${passkey.credentialId}, 'hex'), decode(${passkey.publicKey}, 'hex'),
          ${passkey.signCount}::bigint, ${textArray(passkey.transports)}::text[], ${passkey.backupEligible}::boolean,
          ${passkey.backedUp}::boolean, ${passkey.aaguid}::uuid, ${passkey.name}, ${passkey.createdAt}::timestamptz
        FROM owner
        ON CONFLICT (credential_id) DO NOTHING
        RETURNING *
      ),
      first AS (SELECT user_id FROM added WHERE NOT ${hasConfirmedFactor(sql`added.user_id`)}),
      codes AS (${putBackupCodes(backupCodeHashes, sql`first`, passkey.createdAt)}),
      audited AS (${insertAuditIfAny(ctx, audit, sql`added`)}),
      told AS (${insertEventIfAny(notice, sql`added`)})
      SELECT EXISTS (SELECT FROM spent) AS "fresh", EXISTS (SELECT FROM owner) AS "room", EXISTS (SELECT FROM first) AS "firstFactor",
        (SELECT row_to_json(shown) FROM (SELECT ${ownerColumns(sql`added`)} FROM added) AS shown) AS passkey`),
  ]);
  const row = result.rows[0] as unknown as {
    fresh: boolean;
    room: boolean;
    firstFactor: boolean;
    passkey: PasskeyRow | null;
  };
  if (!row.fresh) return { kind: 'challenge_used' };
  if (!row.room) return { kind: 'too_many' };
  if (row.passkey === null) return { kind: 'already_registered' };
  return { kind: 'registered', passkey: row.passkey, firstFactor: row.firstFactor };
}

/** Gives a passkey of the user another name; undefined when the user has no such passkey. */
export async function renamePasskey(
  ctx: WriteContext,
  passkey: { readonly id: string; readonly userId: string },
  name: string,
): Promise<PasskeyRow | undefined> {
  const audit = {
    action: 'passkeys.renamed',
    target: { kind: 'user', id: passkey.userId },
    detail: { passkey_id: passkey.id },
  };
  const result = await ctx.databases.primary.execute(sql`
    WITH renamed AS (
      UPDATE passkeys SET name = ${name} WHERE id = ${passkey.id}::uuid AND user_id = ${passkey.userId}::uuid RETURNING *
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`renamed`)})
    SELECT ${ownerColumns(sql`renamed`)} FROM renamed`);
  return result.rows[0] as PasskeyRow | undefined;
}

/**
 * Removes a passkey of the user, and the backup codes with the last second factor. Refused when nothing else would be left to
 * sign in with.
 */
export async function deletePasskey(
  ctx: WriteContext,
  passkey: { readonly id: string; readonly userId: string },
  notice: OutboxEvent,
): Promise<'removed' | 'not_found' | 'last_way_in'> {
  const { primary } = ctx.databases;
  const audit = {
    action: 'passkeys.removed',
    target: { kind: 'user', id: passkey.userId },
    detail: { passkey_id: passkey.id },
  };
  const [, result] = await atomic(primary, [
    lockOwner(primary, passkey.userId),
    primary.execute(sql`
      WITH found AS (
        SELECT id, user_id FROM passkeys WHERE id = ${passkey.id}::uuid AND user_id = ${passkey.userId}::uuid
      ),
      removed AS (
        DELETE FROM passkeys USING found JOIN users ON users.id = found.user_id
        WHERE passkeys.id = found.id AND (users.password_hash IS NOT NULL OR ${hasIdentity(sql`users.id`)} OR EXISTS (
          SELECT FROM passkeys AS other WHERE other.user_id = found.user_id AND other.id <> found.id
        ) OR EXISTS (SELECT FROM identities WHERE identities.user_id = found.user_id))
        RETURNING passkeys.id, passkeys.user_id
      ),
      codes AS (
        DELETE FROM backup_codes USING removed
        WHERE backup_codes.user_id = removed.user_id
          AND NOT EXISTS (SELECT FROM passkeys AS other WHERE other.user_id = removed.user_id AND other.id <> removed.id)
          AND NOT EXISTS (
            SELECT FROM totp_factors AS totp WHERE totp.user_id = removed.user_id AND totp.confirmed_at IS NOT NULL
          )
      ),
      audited AS (${insertAuditIfAny(ctx, audit, sql`removed`)}),
      told AS (${insertEventIfAny(notice, sql`removed`)})
      SELECT EXISTS (SELECT FROM found) AS found, EXISTS (SELECT FROM removed) AS removed`),
  ]);
  const row = result.rows[0] as unknown as { found: boolean; removed: boolean };
  if (row.removed) return 'removed';
  return row.found ? 'last_way_in' : 'not_found';
}

/** What an assertion is checked against. */
export interface CredentialRow {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly status: 'active' | 'suspended' | 'deactivated' | 'deleted';
  /** Hex. */
  readonly publicKey: string;
  readonly signCount: number;
  readonly backupEligible: boolean;
  /** The account was logged into from the caller's network before. */
  readonly knownNetwork: boolean;
}

/** The passkey of a credential id, in hex. */
export async function findCredential(
  db: Db,
  credentialId: string,
  networkHash: string,
): Promise<CredentialRow | undefined> {
  const result = await db.execute(sql`
    SELECT passkeys.id, passkeys.user_id AS "userId", passkeys.name, users.status,
      encode(passkeys.public_key, 'hex') AS "publicKey", passkeys.sign_count::float8 AS "signCount",
      passkeys.backup_eligible AS "backupEligible",
      EXISTS (
        SELECT FROM login_networks AS network
        WHERE network.user_id = passkeys.user_id AND network.network_hash = decode(${networkHash}, 'hex')
      ) AS "knownNetwork"
    FROM passkeys JOIN users ON users.id = passkeys.user_id
    WHERE passkeys.credential_id = decode(${credentialId}, 'hex')`);
  return result.rows[0] as CredentialRow | undefined;
}

/**
 * Opens a session of the passkey's user and uses the challenge up, all or nothing. Undefined when the challenge was answered
 * before, the signature count was seen meanwhile, or the account or the passkey is gone.
 */
export const insertSessionByPasskey = (
  ctx: WriteContext,
  userId: string,
  proof: PasskeyProof,
  session: NewSession,
  maxSessions: number,
): Promise<OpenedSession | undefined> => {
  const ctes = sql`eligible AS (SELECT id AS user_id FROM users WHERE id = ${userId}::uuid AND status = 'active'),
    ${spendChallengeCte(proof)}
    used AS (${useFactorCte(proof, sql`eligible`, session.authTime)}),
    admitted AS (SELECT users.* FROM users JOIN used ON used.user_id = users.id)`;
  const detail = { method: 'passkey', passkey_id: proof.passkeyId };
  return insertAdmittedSession(ctx, { userId, ctes, detail }, session, maxSessions);
};

/** Records a refused answer and uses its challenge up, if it was one of ours; `notice` tells the owner. */
export async function recordRefusal(
  ctx: WriteContext,
  refusal: {
    readonly action: string;
    readonly userId: string | undefined;
    readonly reason: string;
    readonly answered: AnsweredChallenge | undefined;
    readonly notice: OutboxEvent | undefined;
  },
): Promise<void> {
  const { primary } = ctx.databases;
  const { action, userId, reason, answered, notice } = refusal;
  await atomic(primary, [
    insertAudit(primary, ctx, {
      action,
      outcome: 'failure',
      detail: { reason },
      ...(userId === undefined ? {} : { target: { kind: 'user', id: userId } }),
    }),
    ...(answered === undefined ? [] : [primary.execute(spend(answered))]),
    ...(notice === undefined ? [] : [insertEvents(primary, [notice])]),
  ]);
}

const spend = ({ challenge, expiresAt }: AnsweredChallenge): SQL => sql`
  INSERT INTO used_passkey_challenges (challenge, expires_at)
  VALUES (decode(${challenge}, 'hex'), ${expiresAt}::timestamptz)
  ON CONFLICT (challenge) DO NOTHING
  RETURNING challenge`;
