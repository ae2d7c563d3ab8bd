import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import type { ChannelType, LatencyMode } from './live.schemas.ts';

/** A channel as IVS made it. */
export interface MadeChannel {
  readonly arn: string;
  readonly ingestEndpoint: string;
  readonly srtEndpoint: string | null;
  readonly playbackUrl: string;
  readonly latencyMode: LatencyMode;
  readonly type: ChannelType;
  readonly insecureIngest: boolean;
  readonly recordingConfigurationArn: string | null;
}

/** Notes that IVS is about to be asked for a channel of this name. */
export async function orderChannel(db: Db, name: string): Promise<void> {
  await db.execute(sql`INSERT INTO live_channel_orders (name) VALUES (${name})`);
}

/** Puts channels into the pool, each once, and forgets the order they came by. */
export async function stockChannels(db: Db, name: string, made: readonly MadeChannel[]): Promise<void> {
  await db.execute(sql`
    WITH done AS (DELETE FROM live_channel_orders WHERE name = ${name})
    INSERT INTO live_channels (arn, ingest_endpoint, srt_endpoint, playback_url, latency_mode, type, insecure_ingest,
      recording_configuration_arn)
    SELECT * FROM json_to_recordset(${JSON.stringify(made)}::json) AS made(
      "arn" text, "ingestEndpoint" text, "srtEndpoint" text, "playbackUrl" text, "latencyMode" text, "type" text,
      "insecureIngest" boolean, "recordingConfigurationArn" text)
    ON CONFLICT (arn) DO NOTHING`);
}

/** Names ordered so long ago that whoever ordered has given up. */
export async function findStaleOrders(db: Db, olderThanSeconds: number, limit: number): Promise<string[]> {
  const result = await db.execute(sql`
    SELECT name FROM live_channel_orders WHERE ordered_at < now() - make_interval(secs => ${olderThanSeconds})
    ORDER BY ordered_at LIMIT ${limit}`);
  return result.rows.map((row) => (row as { name: string }).name);
}

/** How many channels wait for owners. */
export async function countReady(db: Db): Promise<number> {
  const result = await db.execute(
    sql`SELECT count(*)::int AS ready FROM live_channels WHERE owner_id IS NULL AND retired_at IS NULL`,
  );
  return (result.rows[0] as { ready: number }).ready;
}

/** Channels that are not recorded as they should be. */
export async function findOtherwiseRecorded(
  db: Db,
  configurationArn: string | null,
  limit: number,
): Promise<string[]> {
  const result = await db.execute(sql`
    SELECT arn FROM live_channels
    WHERE recording_configuration_arn IS DISTINCT FROM ${configurationArn}::text AND retired_at IS NULL
    -- Those that are live, and cannot be changed now, must not stand in the way of others.
    ORDER BY owner_id IS NOT NULL, random() LIMIT ${limit}`);
  return result.rows.map((row) => (row as { arn: string }).arn);
}

export async function storeRecording(db: Db, arn: string, configurationArn: string | null): Promise<void> {
  await db.execute(
    sql`UPDATE live_channels SET recording_configuration_arn = ${configurationArn} WHERE arn = ${arn}`,
  );
}

/** Channels whose broadcast is to be ended. */
export async function findStopsDue(db: Db, limit: number): Promise<string[]> {
  const result = await db.execute(
    sql`SELECT arn FROM live_channels WHERE stop_due_at IS NOT NULL ORDER BY stop_due_at LIMIT ${limit}`,
  );
  return result.rows.map((row) => (row as { arn: string }).arn);
}

/** Whether the broadcast of a channel is (still) to be ended. */
export async function isStopDue(db: Db, arn: string): Promise<boolean> {
  const result = await db.execute(
    sql`SELECT FROM live_channels WHERE arn = ${arn} AND stop_due_at IS NOT NULL`,
  );
  return result.rows.length > 0;
}

/** Notes that a broadcast was ended. With `settleSeconds`, only if that was asked for at least so long ago. */
export async function noteStopped(db: Db, arn: string, settleSeconds: number): Promise<void> {
  await db.execute(sql`
    UPDATE live_channels SET stop_due_at = NULL
    WHERE arn = ${arn} AND stop_due_at <= now() - make_interval(secs => ${settleSeconds})`);
}

/** Channels to be deleted. */
export async function findRetired(db: Db, limit: number): Promise<string[]> {
  const result = await db.execute(
    sql`SELECT arn FROM live_channels WHERE retired_at IS NOT NULL ORDER BY retired_at LIMIT ${limit}`,
  );
  return result.rows.map((row) => (row as { arn: string }).arn);
}

export async function forgetChannel(db: Db, arn: string): Promise<void> {
  await db.execute(sql`DELETE FROM live_channels WHERE arn = ${arn} AND retired_at IS NOT NULL`);
}
