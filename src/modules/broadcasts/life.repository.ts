import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import type { Db } from '../../db/client.ts';
import { textArray } from '../../db/outbox.ts';
import { traceparentOf } from '../../observability/trace.ts';

/** How long before the time it was announced for a stream may begin, in seconds. */
export const earlySeconds = 3_600;
/** And how long after it. */
export const lateSeconds = 6 * 3_600;

/** What is known of a session of a channel; times are RFC 3339. */
export interface SessionNote {
  readonly channelArn: string;
  readonly sessionId: string;
  readonly startedAt?: string | undefined;
  readonly endedAt?: string | undefined;
  readonly failureCode?: string | undefined;
}

/** A stream as a note left it. */
export interface NotedStream {
  readonly streamId: string;
  /** The event that tells of its start or end, waiting to be published; null where it neither began nor ended. */
  readonly eventId: string | null;
  /** The encoder is to be disconnected: the stream was stopped. */
  readonly unwanted: boolean;
}

type LifeScope = Pick<RequestContext, 'config' | 'databases' | 'ids' | 'clock' | 'trace'>;

export const instant = (ms: number): SQL => sql`to_timestamp(${ms}::float8 / 1000)`;

/**
 * Notes what is known of a session, and what that makes of its stream, with the event that tells of it.
 * @returns undefined where nothing is known of its start yet, or the channel is nobody's.
 */
export async function noteSession(ctx: LifeScope, note: SessionNote): Promise<NotedStream | undefined> {
  const { channelArn, sessionId, startedAt = null, endedAt = null, failureCode = null } = note;
  const result = await ctx.databases.primary.execute(sql`
    WITH noted AS MATERIALIZED (
      SELECT * FROM note_stream_session(${channelArn}, ${sessionId}, ${startedAt}::timestamptz, ${endedAt}::timestamptz,
        ${failureCode}, ${instant(ctx.clock.now())}, ${ctx.ids.next()}::uuid,
        make_interval(secs => ${ctx.config.live.reconnectSeconds}), make_interval(secs => ${earlySeconds}),
        make_interval(secs => ${lateSeconds}))
    ), event AS (
      INSERT INTO outbox (id, type, payload, traceparent)
      SELECT ${ctx.ids.next()}::uuid, CASE became WHEN 'live' THEN 'stream.started' ELSE 'stream.ended' END,
        jsonb_build_object('stream_id', stream_id, 'owner_id', owner_id), ${traceparentOf(ctx.trace)}
      FROM noted WHERE became IS NOT NULL
      RETURNING id
    )
    SELECT stream_id AS "streamId", (SELECT id FROM event) AS "eventId", unwanted FROM noted`);
  return result.rows[0] as NotedStream | undefined;
}

/** Notes how well a session is fed, unless something later is known. */
export async function noteHealth(
  db: Db,
  news: { readonly sessionId: string; readonly health: string; readonly at: string },
): Promise<void> {
  await db.execute(sql`
    UPDATE streams SET health = ${news.health}, health_at = ${news.at}::timestamptz
    FROM stream_sessions AS session
    WHERE session.session_id = ${news.sessionId} AND streams.id = session.stream_id
      AND (streams.health_at IS NULL OR streams.health_at < ${news.at}::timestamptz)`);
}

/**
 * Ends streams whose encoder has been gone for the reconnect window, each once, with the events that tell of it.
 * @returns the ids of the events.
 */
export async function endAway(ctx: LifeScope, limit: number): Promise<string[]> {
  const eventIds = Array.from({ length: limit }, () => ctx.ids.next());
  const now = instant(ctx.clock.now());
  const result = await ctx.databases.primary.execute(sql`
    WITH due AS (
      SELECT id FROM streams
      WHERE away_since <= ${now} - make_interval(secs => ${ctx.config.live.reconnectSeconds})
      ORDER BY away_since LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ), ended AS (
      UPDATE streams SET state = CASE WHEN failure_code IS NULL THEN 'ended' ELSE 'failed' END, ended_at = away_since,
        away_since = NULL, updated_at = ${now}
      FROM due WHERE streams.id = due.id RETURNING streams.id, streams.owner_id
    ), numbered AS (
      SELECT (${textArray(eventIds)}::uuid[])[row_number() OVER ()] AS event_id, id, owner_id FROM ended
    )
    INSERT INTO outbox (id, type, payload, traceparent)
    SELECT event_id, 'stream.ended', jsonb_build_object('stream_id', id, 'owner_id', owner_id), ${traceparentOf(ctx.trace)}
    FROM numbered RETURNING id`);
  return result.rows.map(({ id }) => String(id));
}

/** Streams that ended a while ago and whose chat room is open still. */
export async function findRoomsToClose(
  db: Db,
  options: { readonly nowMs: number; readonly afterSeconds: number; readonly limit: number },
): Promise<string[]> {
  const result = await db.execute(sql`
    SELECT id FROM streams
    WHERE room_closed_at IS NULL AND ended_at <= ${instant(options.nowMs)} - make_interval(secs => ${options.afterSeconds})
    ORDER BY ended_at LIMIT ${options.limit}`);
  return result.rows.map(({ id }) => String(id));
}

export async function noteRoomClosed(db: Db, id: string): Promise<void> {
  await db.execute(
    sql`UPDATE streams SET room_closed_at = now() WHERE id = ${id}::uuid AND ended_at IS NOT NULL`,
  );
}

/** A session that goes on as far as is known. */
export interface OpenSession {
  readonly streamId: string;
  readonly channelArn: string;
  readonly sessionId: string;
}

export async function listOpenSessions(db: Db): Promise<OpenSession[]> {
  const result = await db.execute(sql`
    SELECT stream_id AS "streamId", channel_arn AS "channelArn", session_id AS "sessionId" FROM stream_sessions
    WHERE stream_id IN (SELECT id FROM streams WHERE state = 'live') AND ended_at IS NULL`);
  return result.rows as unknown as OpenSession[];
}

/** Sessions whose end is known and whose start is not, as far as IVS may remember them. */
export async function findUnbegunSessions(
  db: Db,
  limit: number,
): Promise<Pick<OpenSession, 'channelArn' | 'sessionId'>[]> {
  const result = await db.execute(sql`
    SELECT channel_arn AS "channelArn", session_id AS "sessionId" FROM stream_sessions
    WHERE started_at IS NULL AND noted_at BETWEEN now() - interval '1 day' AND now() - interval '1 minute'
    ORDER BY noted_at DESC LIMIT ${limit}`);
  return result.rows as unknown as Pick<OpenSession, 'channelArn' | 'sessionId'>[];
}

/** How many watch a stream, as IVS counts them. */
export interface ViewerSample {
  readonly streamId: string;
  readonly viewers: number;
  readonly health: 'healthy' | 'starving' | null;
}

/**
 * Stores the counts of a minute; a later count of the same minute replaces it. Where the room of a stream tells how many look on,
 * which it does with this count in mind, a stream goes on showing that.
 */
export async function storeSamples(db: Db, nowMs: number, samples: readonly ViewerSample[]): Promise<void> {
  await db.execute(sql`
    WITH sample AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(samples)}::jsonb)
        AS sample("streamId" uuid, viewers integer, health text)
    ), shown AS (
      UPDATE streams SET
        viewers = CASE WHEN EXISTS (
            SELECT FROM stream_tallies AS tally
            WHERE tally.stream_id = streams.id AND tally.flushed_at > now() - interval '2 minutes'
          ) THEN streams.viewers ELSE sample.viewers END,
        health = coalesce(sample.health, streams.health),
        health_at = CASE WHEN sample.health IS NULL THEN streams.health_at ELSE ${instant(nowMs)} END
      FROM sample WHERE streams.id = sample."streamId" AND streams.state = 'live'
      RETURNING streams.id, sample.viewers
    )
    INSERT INTO stream_samples (stream_id, minute, viewers)
    SELECT id, date_trunc('minute', ${instant(nowMs)}, 'UTC'), viewers FROM shown
    ON CONFLICT (stream_id, minute) DO UPDATE SET viewers = excluded.viewers`);
}
