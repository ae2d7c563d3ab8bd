import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { type AuditContext, insertAuditIfAny } from '../../db/audit.ts';
import type { Db } from '../../db/client.ts';
import { violates } from '../../db/errors.ts';
import type { ChannelType, LatencyMode } from './live.schemas.ts';

type WriteContext = Pick<RequestContext, 'databases'> & AuditContext;

/** The channel of somebody. */
export interface ChannelRow {
  readonly arn: string;
  readonly ingestEndpoint: string;
  readonly srtEndpoint: string | null;
  readonly playbackUrl: string;
  readonly latencyMode: LatencyMode;
  readonly type: ChannelType;
  readonly insecureIngest: boolean;
  readonly recordingConfigurationArn: string | null;
  readonly keyFingerprint: string | null;
  /** RFC 3339 in UTC, as the other times. */
  readonly keyMadeAt: string | null;
  readonly isStopDue: boolean;
  readonly claimedAt: string;
  readonly updatedAt: string;
}

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const columns = sql`channel.arn, channel.ingest_endpoint AS "ingestEndpoint", channel.srt_endpoint AS "srtEndpoint",
  channel.playback_url AS "playbackUrl", channel.latency_mode AS "latencyMode", channel.type,
  channel.insecure_ingest AS "insecureIngest", channel.recording_configuration_arn AS "recordingConfigurationArn",
  channel.key_fingerprint AS "keyFingerprint", ${utc(sql`channel.key_made_at`)} AS "keyMadeAt",
  channel.stop_due_at IS NOT NULL AS "isStopDue", ${utc(sql`channel.claimed_at`)} AS "claimedAt",
  ${utc(sql`channel.updated_at`)} AS "updatedAt"`;

/** The assignments after which nobody knows the stream key of a channel. */
const noKey = sql`key_arn = NULL, key_fingerprint = NULL, key_made_at = NULL, updated_at = now()`;

export async function findChannel(db: Db, ownerId: string): Promise<ChannelRow | undefined> {
  const result = await db.execute(
    sql`SELECT ${columns} FROM live_channels AS channel WHERE channel.owner_id = ${ownerId}::uuid`,
  );
  return result.rows[0] as ChannelRow | undefined;
}

export type Claim =
  | { readonly kind: 'channel'; readonly channel: ChannelRow; readonly isNew: boolean }
  | { readonly kind: 'none_ready' }
  | { readonly kind: 'not_verified' };

/** Gives a user with a verified address the channel that has waited longest, unless they have one. */
export async function claimChannel(ctx: WriteContext, ownerId: string): Promise<Claim> {
  const audit = { action: 'live.channel_claimed', target: { kind: 'user', id: ownerId } };
  const { primary } = ctx.databases;
  try {
    const result = await primary.execute(sql`
      WITH person AS (
        SELECT id, email_verified_at IS NOT NULL AS verified FROM users
        WHERE id = ${ownerId}::uuid AND status = 'active'
      ),
      had AS (SELECT * FROM live_channels WHERE owner_id = ${ownerId}::uuid),
      free AS (
        SELECT arn FROM live_channels
        WHERE owner_id IS NULL AND retired_at IS NULL
          AND EXISTS (SELECT FROM person WHERE verified) AND NOT EXISTS (SELECT FROM had)
        ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
      ),
      claimed AS (
        UPDATE live_channels SET owner_id = ${ownerId}::uuid, claimed_at = now(), updated_at = now()
        FROM free WHERE live_channels.arn = free.arn RETURNING live_channels.*
      ),
      audited AS (${insertAuditIfAny(ctx, audit, sql`claimed`)}),
      channel AS (SELECT *, false AS is_new FROM had UNION ALL SELECT *, true FROM claimed)
      SELECT coalesce((SELECT verified FROM person), false) AS verified, channel.is_new AS "isNew", ${columns}
      FROM (SELECT) AS one LEFT JOIN channel ON true`);
    const { verified, isNew, ...channel } = result.rows[0] as unknown as ChannelRow & {
      readonly verified: boolean;
      readonly isNew: boolean | null;
    };
    if (isNew !== null) return { kind: 'channel', channel, isNew };
    return { kind: verified ? 'none_ready' : 'not_verified' };
  } catch (error) {
    // Two claims of one person at once: the other was first.
    if (!violates(error, 'live_channels_owner_id_key')) throw error;
    const channel = await findChannel(primary, ownerId);
    return channel === undefined ? { kind: 'none_ready' } : { kind: 'channel', channel, isNew: false };
  }
}

/** Writes down what IVS made of a channel. */
export async function updateChannel(
  ctx: WriteContext,
  channel: {
    readonly arn: string;
    readonly latencyMode: LatencyMode;
    readonly type: ChannelType;
    readonly insecureIngest: boolean;
    readonly recordingConfigurationArn: string | null;
  },
): Promise<ChannelRow | undefined> {
  const audit = { action: 'live.channel_changed', target: { kind: 'live_channel', id: channel.arn } };
  const result = await ctx.databases.primary.execute(sql`
    WITH channel AS (
      UPDATE live_channels SET latency_mode = ${channel.latencyMode}, type = ${channel.type},
        insecure_ingest = ${channel.insecureIngest}::boolean,
        recording_configuration_arn = ${channel.recordingConfigurationArn}, updated_at = now()
      WHERE arn = ${channel.arn} RETURNING *
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`channel`)})
    SELECT ${columns} FROM channel`);
  return result.rows[0] as ChannelRow | undefined;
}

/**
 * Writes down the stream key its owner is about to be shown, after what was to be ended (`isStopDone`) was. False when the channel
 * is not theirs any more, or its key was revoked meanwhile.
 */
export async function storeKey(
  ctx: WriteContext,
  channel: { readonly arn: string; readonly ownerId: string; readonly isStopDone: boolean },
  key: { readonly arn: string; readonly fingerprint: string; readonly madeAt: string },
): Promise<boolean> {
  const audit = {
    action: 'live.stream_key_made',
    target: { kind: 'user', id: channel.ownerId },
    detail: { fingerprint: key.fingerprint },
  };
  const result = await ctx.databases.primary.execute(sql`
    WITH stored AS (
      UPDATE live_channels SET key_arn = ${key.arn}, key_fingerprint = ${key.fingerprint},
        key_made_at = ${key.madeAt}::timestamptz, stop_due_at = NULL, updated_at = now()
      FROM users
      WHERE arn = ${channel.arn} AND owner_id = ${channel.ownerId}::uuid
        AND users.id = owner_id AND users.status = 'active'
        AND (stop_due_at IS NULL OR ${channel.isStopDone}::boolean)
      RETURNING arn
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`stored`)})
    SELECT arn FROM stored`);
  return result.rows.length > 0;
}

/** Has the key of an owner's channel deleted and what is on air ended. @returns the ARN of the channel, if there is one. */
export async function revokeKey(ctx: WriteContext, ownerId: string): Promise<string | undefined> {
  const audit = { action: 'live.stream_key_revoked', target: { kind: 'user', id: ownerId } };
  const result = await ctx.databases.primary.execute(sql`
    WITH revoked AS (
      UPDATE live_channels SET stop_due_at = now(), ${noKey} WHERE owner_id = ${ownerId}::uuid RETURNING arn
    ),
    audited AS (${insertAuditIfAny(ctx, audit, sql`revoked`)})
    SELECT arn FROM revoked`);
  return (result.rows[0] as { arn: string } | undefined)?.arn;
}

/** The same for everybody (or one of them) whose account is closed or suspended. @returns ARNs of channels. */
export async function revokeKeysOfInactive(db: Db, ownerId?: string): Promise<string[]> {
  const only = ownerId === undefined ? sql`` : sql`AND users.id = ${ownerId}::uuid`;
  const result = await db.execute(sql`
    UPDATE live_channels SET stop_due_at = now(), ${noKey} FROM users
    WHERE users.id = owner_id AND users.status <> 'active' AND key_arn IS NOT NULL ${only} RETURNING arn`);
  return result.rows.map((row) => (row as { arn: string }).arn);
}

/** Takes the channel of a user away from them for good, to be deleted at IVS. */
export async function retireLiveChannel(db: Db, ownerId: string): Promise<void> {
  await db.execute(sql`
    UPDATE live_channels SET owner_id = NULL, retired_at = now(), stop_due_at = NULL, ${noKey}
    WHERE owner_id = ${ownerId}::uuid`);
}
