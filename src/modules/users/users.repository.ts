import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import type { UserReference } from './users.policy.ts';
import type { AccountRow, ProfileRow, ViewerRow } from './users.views.ts';

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const profileColumns = (alias: string): SQL => {
  const user = sql.identifier(alias);
  return sql`${user}.id, ${user}.username, ${user}.display_name AS "displayName", ${user}.avatar_key AS "avatarKey",
    ${user}.bio, ${user}.website, ${utc(sql`${user}.created_at`)} AS "createdAt"`;
};

const counterColumns = sql`coalesce(counters.followers, 0) AS followers, coalesce(counters.following, 0) AS following,
  coalesce(counters.posts, 0) AS posts`;

/**
 * The columns of `AccountRow`, for a statement that has `users` as `alias` and `user_counters` as `counters` in its FROM.
 * Neither is input.
 */
export const accountColumns = (alias: string): SQL => {
  const user = sql.identifier(alias);
  return sql`${profileColumns(alias)}, ${counterColumns}, ${user}.email,
    ${user}.email_verified_at IS NOT NULL AS "emailVerified", array_to_json(${user}.roles) AS roles,
    ${utc(sql`${user}.updated_at`)} AS "updatedAt"`;
};

export interface NewUser {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  /** Null for accounts that log in by other means. */
  readonly passwordHash: string | null;
  readonly displayName: string;
  /** RFC 3339, when somebody trusted answers for the address. */
  readonly emailVerifiedAt?: string | undefined;
}

/**
 * The CTEs `new_user` and `new_counters` that write a user; violates `users_username_key` when the name is taken, and
 * `users_verified_email_key` when the address is verified for another account. With `source`, the name of an earlier CTE, only
 * if that has a row.
 */
export const insertUserCtes = (user: NewUser, source: SQL = sql`(SELECT 1)`): SQL => sql`
  new_user AS (
    INSERT INTO users (id, username, email, password_hash, display_name, email_verified_at)
    SELECT ${user.id}::uuid, ${user.username}, ${user.email}, ${user.passwordHash}, ${user.displayName},
      ${user.emailVerifiedAt ?? null}::timestamptz
    FROM (SELECT 1 FROM ${source} AS source LIMIT 1) AS wanted
    RETURNING *
  ),
  new_counters AS (INSERT INTO user_counters (user_id) SELECT id FROM new_user RETURNING *)`;

/** The account of an active user. */
export async function findAccount(db: Db, userId: string): Promise<AccountRow | undefined> {
  const result = await db.execute(sql`
    SELECT ${accountColumns('users')}
    FROM users LEFT JOIN user_counters AS counters ON counters.user_id = users.id
    WHERE users.id = ${userId}::uuid AND users.status = 'active'`);
  return result.rows[0] as AccountRow | undefined;
}

export interface ProfileChanges {
  readonly displayName: string | undefined;
  readonly bio: string | undefined;
  /** `null` removes it. */
  readonly website: string | null | undefined;
}

/** Changes what is given; undefined when the user is not active. */
export async function updateProfile(
  db: Db,
  userId: string,
  changes: ProfileChanges,
  now: string,
): Promise<AccountRow | undefined> {
  const assignments = [sql`updated_at = ${now}::timestamptz`];
  if (changes.displayName !== undefined) assignments.push(sql`display_name = ${changes.displayName}`);
  if (changes.bio !== undefined) assignments.push(sql`bio = ${changes.bio}`);
  if (changes.website !== undefined) assignments.push(sql`website = ${changes.website}`);
  const result = await db.execute(sql`
    WITH changed AS (
      UPDATE users SET ${sql.join(assignments, sql`, `)}
      WHERE id = ${userId}::uuid AND status = 'active' RETURNING *
    )
    SELECT ${accountColumns('changed')}
    FROM changed LEFT JOIN user_counters AS counters ON counters.user_id = changed.id`);
  return result.rows[0] as AccountRow | undefined;
}

/** An active user who does not block the viewer, with how the two stand to each other. */
export async function findProfile(
  db: Db,
  reference: UserReference,
  viewerId: string | undefined,
): Promise<(ProfileRow & Partial<ViewerRow>) | undefined> {
  const named =
    reference.kind === 'id'
      ? sql`users.id = ${reference.id}::uuid`
      : sql`users.username_key = lower(${reference.username})`;
  const viewer = sql`${viewerId ?? null}::uuid`;
  const relation =
    viewerId === undefined
      ? sql``
      : sql`,
        EXISTS (SELECT FROM follows WHERE follower_id = ${viewer} AND followee_id = users.id) AS "isFollowing",
        EXISTS (SELECT FROM follows WHERE follower_id = users.id AND followee_id = ${viewer}) AS "followedBy",
        EXISTS (SELECT FROM blocks WHERE blocker_id = ${viewer} AND blocked_id = users.id) AS "blocking"`;
  const notBlocked =
    viewerId === undefined
      ? sql``
      : sql`AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = users.id AND blocked_id = ${viewer})`;
  const result = await db.execute(sql`
    SELECT ${profileColumns('users')}, ${counterColumns} ${relation}
    FROM users LEFT JOIN user_counters AS counters ON counters.user_id = users.id
    WHERE ${named} AND users.status = 'active' ${notBlocked}`);
  return result.rows[0] as (ProfileRow & Partial<ViewerRow>) | undefined;
}
