import { sql } from 'drizzle-orm';
import { insertAuditIfAny } from '../../db/audit.ts';
import { newEvent } from '../../db/outbox.ts';
import { insertAccessEnd, type WriteContext } from './sessions.repository.ts';

export interface Rotation {
  readonly presentedHash: string;
  readonly tokenId: string;
  readonly tokenHash: string;
  /** RFC 3339. */
  readonly now: string;
  /** Before the cap by the session's own end. */
  readonly expiresAt: string;
  /** The new pair, sealed for the new token's row, in hex; undefined when nothing may be repeated. */
  readonly replay: { readonly sealed: string; readonly expiresAt: string } | undefined;
  /** Whether showing an old token ends its session. Not in the second try of a request whose token was live in the first. */
  readonly endOnReuse: boolean;
}

export interface RotationRow {
  /**
   * - `rotated`: the new token is the family's live one.
   * - `replayed`: the token was exchanged a moment ago, and the answer to that may be given again.
   * - `raced`: another request exchanged the token while this one waited.
   * - `reused`: the token was exchanged before, so it is in two hands.
   */
  readonly outcome: 'rotated' | 'replayed' | 'raced' | 'reused' | 'invalid';
  readonly userId: string;
  readonly sessionId: string;
  readonly roles: string[];
  readonly tokenEpoch: number;
  readonly amr: string[];
  /** Unix seconds. */
  readonly authTime: number;
  readonly sessionExpiresAt: number;
  readonly tokenExpiresAt: number;
  /** Of `replayed`: the row the answer is sealed for, and the sealed answer in hex. */
  readonly liveTokenId: string | null;
  readonly replay: string | null;
  /** Of `reused`: the outbox row that tells of the session's end, written if it was open. */
  readonly eventId: string;
}

/**
 * Exchanges a live refresh token for its successor, by one compare-and-swap under the lock of its session. The successor keeps
 * the sealed pair for a short while: the immediate predecessor, shown by the same user agent, may have it again for as long as
 * the successor itself was not exchanged. Any other token that was exchanged before ends its whole family.
 */
export async function rotateRefreshToken(
  ctx: WriteContext,
  rotation: Rotation,
): Promise<RotationRow | undefined> {
  const now = sql`${rotation.now}::timestamptz`;
  const event = newEvent(ctx, 'user.access_ended', undefined);
  const userAgent = sql`${ctx.userAgent ?? null}::text`;
  const audit = {
    action: 'auth.refresh_reused',
    target: { kind: 'user', id: sql`(SELECT user_id::text FROM ended)` },
    outcome: 'denied',
  } as const;
  const result = await ctx.databases.primary.execute(sql`
    WITH presented AS (
      SELECT token.id, token.session_id, token.generation, session.user_id, session.amr, session.auth_time,
        session.expires_at, users.roles, users.token_epoch, live.id AS live_id, live.replay_blob,
        live.expires_at AS live_expires_at,
        CASE
          WHEN session.revoked_at IS NOT NULL OR session.expires_at <= ${now} OR token.expires_at <= ${now}
            OR users.status <> 'active' THEN 'invalid'
          WHEN token.rotated_at IS NULL THEN 'live'
          WHEN live.replay_blob IS NOT NULL AND live.replay_expires_at > ${now}
            AND session.user_agent IS NOT DISTINCT FROM ${userAgent} THEN 'replayed'
          ELSE 'reused'
        END AS state
      FROM refresh_tokens AS token
      JOIN sessions AS session ON session.id = token.session_id
      JOIN users ON users.id = session.user_id
      LEFT JOIN refresh_tokens AS live ON live.session_id = token.session_id AND live.generation = token.generation + 1
        AND live.rotated_at IS NULL
      WHERE token.token_hash = decode(${rotation.presentedHash}, 'hex')
    ),
    held AS (
      UPDATE sessions SET last_used_at = ${now}, ip = ${ctx.ip ?? null}::inet, user_agent = ${userAgent},
        country = ${ctx.country ?? null}
      FROM presented
      WHERE sessions.id = presented.session_id AND presented.state = 'live' AND sessions.revoked_at IS NULL
      RETURNING presented.id AS token_id, presented.session_id, presented.generation, sessions.expires_at
    ),
    swapped AS (
      UPDATE refresh_tokens AS token SET rotated_at = ${now}, replay_blob = NULL, replay_expires_at = NULL
      FROM held WHERE token.id = held.token_id AND token.rotated_at IS NULL
      RETURNING held.session_id, held.generation, held.expires_at
    ),
    successor AS (
      INSERT INTO refresh_tokens (id, session_id, token_hash, generation, issued_at, expires_at, replay_blob, replay_expires_at)
      SELECT ${rotation.tokenId}::uuid, session_id, decode(${rotation.tokenHash}, 'hex'), generation + 1, ${now},
        least(${rotation.expiresAt}::timestamptz, expires_at), decode(${rotation.replay?.sealed ?? null}::text, 'hex'),
        ${rotation.replay?.expiresAt ?? null}::timestamptz
      FROM swapped
      RETURNING expires_at
    ),
    ended AS (
      UPDATE sessions SET revoked_at = ${now}, revoked_reason = 'refresh_reuse'
      FROM presented
      WHERE ${rotation.endOnReuse} AND sessions.id = presented.session_id AND presented.state = 'reused'
        AND sessions.revoked_at IS NULL
      RETURNING sessions.id, sessions.user_id
    ),
    told AS (${insertAccessEnd(event.id, event.traceparent, {
      userId: sql`(SELECT user_id::text FROM ended)`,
      ended: sql`ended`,
      reason: 'refresh_reuse',
      endedAt: rotation.now,
    })}),
    audited AS (${insertAuditIfAny(ctx, audit, sql`ended`)})
    SELECT
      CASE
        WHEN successor.expires_at IS NOT NULL THEN 'rotated'
        WHEN presented.state = 'live' THEN 'raced'
        ELSE presented.state
      END AS outcome,
      presented.user_id AS "userId", presented.session_id AS "sessionId", array_to_json(presented.roles) AS roles,
      presented.token_epoch AS "tokenEpoch", array_to_json(presented.amr) AS amr,
      floor(extract(epoch FROM presented.auth_time))::float8 AS "authTime",
      floor(extract(epoch FROM presented.expires_at))::float8 AS "sessionExpiresAt",
      floor(extract(epoch FROM coalesce(successor.expires_at, presented.live_expires_at)))::float8 AS "tokenExpiresAt",
      presented.live_id AS "liveTokenId",
      CASE WHEN presented.state = 'replayed' THEN encode(presented.replay_blob, 'hex') END AS replay,
      ${event.id}::text AS "eventId"
    FROM presented LEFT JOIN successor ON true`);
  return result.rows[0] as RotationRow | undefined;
}
