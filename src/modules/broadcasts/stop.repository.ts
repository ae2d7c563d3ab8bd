import { sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';

/** A stream that was asked to stop. */
export interface StoppedStream {
  readonly state: string;
  readonly channelArn: string | null;
  /** Its session that goes on as far as is known. */
  readonly sessionId: string | null;
}

/**
 * Notes that a live stream is to stop, and that its encoder may not come back; with `ownerId` only a stream of theirs. One that is
 * not live is left as it is.
 */
export async function askToStop(
  ctx: RequestContext,
  streamId: string,
  ownerId: string | undefined,
): Promise<StoppedStream | undefined> {
  const theirs = ownerId === undefined ? sql`true` : sql`owner_id = ${ownerId}::uuid`;
  const audit = {
    action: 'stream.stopped',
    target: { kind: 'stream', id: streamId },
    ...(ownerId === undefined ? { as: 'admin' as const } : {}),
  };
  const result = await ctx.databases.primary.execute(sql`
    WITH target AS (
      SELECT * FROM streams WHERE id = ${streamId}::uuid AND ${theirs} FOR UPDATE
    ), asked AS (
      UPDATE streams SET stop_asked_at = now() FROM target
      WHERE streams.id = target.id AND target.state = 'live' AND target.stop_asked_at IS NULL RETURNING streams.id
    ), audit AS (${insertAuditIfAny(ctx, audit, sql`asked`)})
    SELECT state, channel_arn AS "channelArn", (
      SELECT session_id FROM stream_sessions AS session WHERE session.stream_id = target.id
      ORDER BY started_at DESC LIMIT 1) AS "sessionId"
    FROM target`);
  return result.rows[0] as StoppedStream | undefined;
}
