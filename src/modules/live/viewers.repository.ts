import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { streamVisibleTo } from '../streams/index.ts';
import type { LatencyMode } from './live.schemas.ts';

/** All viewers who are not signed in are one, with this id. */
export const strangers = '00000000-0000-0000-0000-000000000000';

// Versions of viewer sessions are seconds of the database's clock since 2026, since IVS may keep them in 31 bits.
const versionEpoch = 1_767_225_600;
const version = sql`floor(extract(epoch FROM now()))::int - ${versionEpoch}`;

/** Longer than a broadcast lasts (48 hours) and a token after it. */
const keptDays = 3;

/** The condition that viewers could see a stream now, for a statement with `streams AS stream`. */
const onAir = sql`stream.state = 'live'`;

/**
 * The condition that somebody who may see a stream is not let in: sent away from it or banned from the channel for good by its
 * owner, or without an account that is open. For a statement with `streams AS stream`.
 */
export const isSentAway = (viewer: SQL): SQL => sql`(
  EXISTS (
    SELECT FROM live_viewers AS one
    WHERE one.stream_id = stream.id AND one.viewer_id = ${viewer} AND one.barred_at IS NOT NULL)
  OR EXISTS (
    SELECT FROM chat_bans AS ban
    WHERE ban.owner_id = stream.owner_id AND ban.user_id = ${viewer} AND ban.until IS NULL)
  OR EXISTS (SELECT FROM users AS person WHERE person.id = ${viewer} AND person.status <> 'active'))`;

export interface PlaybackGrant {
  readonly isLive: boolean;
  readonly isSentAway: boolean;
  /** Null when the owner has no channel. */
  readonly channelArn: string | null;
  readonly playbackUrl: string | null;
  readonly latencyMode: LatencyMode | null;
  readonly version: number;
}

/**
 * What playback of a stream needs, undefined when the viewer may not see it; and a note that they got a token, so that it can be
 * taken from them. Asks the primary: what was taken away a moment ago must not be given again.
 */
export async function grantPlayback(
  db: Db,
  streamId: string,
  viewerId: string | undefined,
): Promise<PlaybackGrant | undefined> {
  const viewer = sql`${viewerId ?? null}::uuid`;
  const result = await db.execute(sql`
    WITH wanted AS (
      SELECT stream.id, ${onAir} AND channel.arn IS NOT NULL AS is_live, ${isSentAway(viewer)} AS is_sent_away,
        channel.arn, channel.playback_url, channel.latency_mode
      FROM streams AS stream JOIN users AS owner ON owner.id = stream.owner_id
      LEFT JOIN live_channels AS channel ON channel.owner_id = stream.owner_id
      WHERE stream.id = ${streamId}::uuid AND ${streamVisibleTo(viewerId)}
    ),
    noted AS (
      INSERT INTO live_viewers AS viewer (stream_id, viewer_id, issued_at)
      SELECT id, ${viewerId ?? strangers}::uuid, now() FROM wanted WHERE is_live AND NOT is_sent_away
      -- Strangers are one row: not every one of them may wait for the others.
      ON CONFLICT (stream_id, viewer_id) DO UPDATE SET issued_at = now()
      WHERE viewer.issued_at IS NULL OR viewer.revoked_at >= viewer.issued_at
        OR viewer.issued_at < now() - interval '30 seconds'
    )
    SELECT is_live AS "isLive", is_sent_away AS "isSentAway", arn AS "channelArn", playback_url AS "playbackUrl",
      latency_mode AS "latencyMode", ${version} AS version
    FROM wanted`);
  return result.rows[0] as PlaybackGrant | undefined;
}

/**
 * Whose viewers are looked at: of one owner, one viewer or both; or where access may have ended unheard, which are streams for
 * some, and those that were changed a moment ago.
 */
export type LostScope = { readonly ownerId: string | null; readonly viewerId: string | null } | 'likely';

export interface LostViewer {
  readonly streamId: string;
  readonly viewerId: string;
  readonly channelArn: string;
  /** Tokens up to this version are to be refused. */
  readonly version: number;
}

/** Viewers of what is live who got a token and may not watch any more. */
export async function findLostViewers(db: Db, scope: LostScope, limit: number): Promise<LostViewer[]> {
  const person = sql`nullif(viewer.viewer_id, ${strangers}::uuid)`;
  const result = await db.execute(sql`
    SELECT viewer.stream_id AS "streamId", viewer.viewer_id AS "viewerId", channel.arn AS "channelArn",
      -- One more than tokens have that were made as this looks.
      ${version} + 1 AS version
    FROM streams AS stream JOIN users AS owner ON owner.id = stream.owner_id
    JOIN live_channels AS channel ON channel.owner_id = stream.owner_id
    JOIN streams AS watched ON watched.owner_id = stream.owner_id
    JOIN live_viewers AS viewer ON viewer.stream_id = watched.id
    WHERE ${onAir} AND ${within(scope)}
      AND (viewer.revoked_at IS NULL OR viewer.revoked_at < viewer.issued_at)
      -- A token is good for the channel, not for the stream it was given for.
      AND (watched.id = stream.id OR viewer.issued_at > now() - interval '15 minutes')
      -- What it says of strangers may be null.
      AND (${streamVisibleTo(person)} IS NOT TRUE OR ${isSentAway(person)})
    LIMIT ${limit}`);
  return result.rows as unknown as LostViewer[];
}

function within(scope: LostScope): SQL {
  if (scope === 'likely')
    return sql`(stream.visibility NOT IN ('public', 'unlisted') OR owner.status <> 'active'
      OR stream.updated_at > now() - interval '10 minutes')`;
  const conditions = [sql`true`];
  if (scope.ownerId !== null) conditions.push(sql`stream.owner_id = ${scope.ownerId}::uuid`);
  if (scope.viewerId !== null) conditions.push(sql`viewer.viewer_id = ${scope.viewerId}::uuid`);
  return sql.join(conditions, sql` AND `);
}

/** Owners of what is live, by id. */
export async function listLiveOwners(db: Db, after: string, limit: number): Promise<string[]> {
  const result = await db.execute(sql`
    SELECT DISTINCT stream.owner_id AS id FROM streams AS stream
    WHERE ${onAir} AND stream.owner_id > ${after}::uuid ORDER BY stream.owner_id LIMIT ${limit}`);
  return result.rows.map((row) => (row as { id: string }).id);
}

/** Notes that the sessions of viewers were ended. */
export async function noteRevoked(db: Db, viewers: readonly LostViewer[]): Promise<void> {
  await db.execute(sql`
    UPDATE live_viewers SET revoked_at = to_timestamp(gone.version + ${versionEpoch})
    FROM json_to_recordset(${JSON.stringify(viewers)}::json)
      AS gone("streamId" uuid, "viewerId" uuid, "version" int)
    WHERE stream_id = gone."streamId" AND viewer_id = gone."viewerId"`);
}

/** Sends somebody away from a stream of the owner's. False when there is no such stream or person. */
export async function barViewer(
  db: Db,
  streamId: string,
  ownerId: string,
  viewerId: string,
): Promise<boolean> {
  const result = await db.execute(sql`
    INSERT INTO live_viewers (stream_id, viewer_id, barred_at)
    SELECT stream.id, person.id, now() FROM streams AS stream, users AS person
    WHERE stream.id = ${streamId}::uuid AND stream.owner_id = ${ownerId}::uuid
      AND person.id = ${viewerId}::uuid AND person.status <> 'deleted'
    ON CONFLICT (stream_id, viewer_id) DO UPDATE SET barred_at = now()
    RETURNING stream_id`);
  return result.rows.length > 0;
}

/** Takes that back, if it is so. False when the owner has no such stream. */
export async function unbarViewer(
  db: Db,
  streamId: string,
  ownerId: string,
  viewerId: string,
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH stream AS (
      SELECT id FROM streams WHERE id = ${streamId}::uuid AND owner_id = ${ownerId}::uuid
    ),
    pardoned AS (
      SELECT one.stream_id, one.viewer_id, one.issued_at FROM live_viewers AS one JOIN stream ON stream.id = one.stream_id
      WHERE one.viewer_id = ${viewerId}::uuid AND one.barred_at IS NOT NULL
    ),
    kept AS (
      UPDATE live_viewers AS one SET barred_at = NULL FROM pardoned
      WHERE one.stream_id = pardoned.stream_id AND one.viewer_id = pardoned.viewer_id AND one.issued_at IS NOT NULL
    ),
    forgotten AS (
      DELETE FROM live_viewers AS one USING pardoned
      WHERE one.stream_id = pardoned.stream_id AND one.viewer_id = pardoned.viewer_id AND one.issued_at IS NULL
    )
    SELECT FROM stream`);
  return result.rows.length > 0;
}

export interface Broadcast {
  readonly isLive: boolean;
  readonly channelArn: string | null;
}

/** The channel a stream of the owner's goes over. */
export async function findBroadcast(
  db: Db,
  streamId: string,
  ownerId: string,
): Promise<Broadcast | undefined> {
  const result = await db.execute(sql`
    SELECT ${onAir} AS "isLive", channel.arn AS "channelArn" FROM streams AS stream
    LEFT JOIN live_channels AS channel ON channel.owner_id = stream.owner_id
    WHERE stream.id = ${streamId}::uuid AND stream.owner_id = ${ownerId}::uuid`);
  return result.rows[0] as Broadcast | undefined;
}

/** Forgets who watched what, once no session of theirs can go on. @returns how many rows, `limit` at most. */
export async function forgetViewers(db: Db, limit: number): Promise<number> {
  const result = await db.execute(sql`
    DELETE FROM live_viewers WHERE ctid = ANY (ARRAY(
      SELECT viewer.ctid FROM live_viewers AS viewer JOIN streams AS stream ON stream.id = viewer.stream_id
      WHERE NOT ${onAir} AND greatest(viewer.issued_at, viewer.barred_at) < now() - make_interval(days => ${keptDays})
      LIMIT ${limit}))`);
  return result.rowCount;
}
