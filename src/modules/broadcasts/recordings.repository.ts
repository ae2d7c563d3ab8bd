import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent, textArray } from '../../db/outbox.ts';
import { type Chapter, insertRecordedVideos, masterKey } from '../videos/index.ts';
import { instant } from './life.repository.ts';
import type { Span } from './policy/timeline.ts';

/** A stream by the sessions that were recorded. */
export interface RecordedStream {
  readonly streamId: string;
  readonly title: string;
  readonly sessions: readonly Span[];
  readonly markers: readonly { readonly atMs: number; readonly title: string }[];
}

/** The stream whose sessions these are, with what is known of their times; undefined while it is not known. */
export async function findRecordedStream(
  db: Db,
  channelArn: string,
  sessionIds: readonly string[],
): Promise<RecordedStream | undefined> {
  const ms = (column: SQL) => sql`(extract(epoch FROM ${column}) * 1000)::float8`;
  const result = await db.execute(sql`
    WITH recorded AS (
      SELECT * FROM stream_sessions
      WHERE session_id = ANY(${textArray(sessionIds)}::text[]) AND channel_arn = ${channelArn} AND stream_id IS NOT NULL
    ), stream AS (
      SELECT id, title FROM streams WHERE id = (SELECT stream_id FROM recorded ORDER BY started_at LIMIT 1)
    )
    SELECT stream.id AS "streamId", stream.title,
      (SELECT json_agg(json_build_object('startMs', ${ms(sql`recorded.started_at`)}, 'endMs', ${ms(sql`recorded.ended_at`)})
        ORDER BY recorded.started_at) FROM recorded) AS sessions,
      (SELECT coalesce(json_agg(json_build_object('atMs', ${ms(sql`marker.at`)}, 'title', marker.title) ORDER BY marker.at), '[]')
        FROM stream_markers AS marker WHERE marker.stream_id = stream.id) AS markers
    FROM stream`);
  const row = result.rows[0] as
    | (Omit<RecordedStream, 'sessions'> & { sessions: { startMs: number; endMs: number | null }[] })
    | undefined;
  return (
    row && {
      ...row,
      sessions: row.sessions.map(({ startMs, endMs }) => ({ startMs, endMs: endMs ?? undefined })),
    }
  );
}

export async function noteRecordingBegan(
  db: Db,
  recording: { readonly prefix: string; readonly streamId: string; readonly at: string },
): Promise<void> {
  await db.execute(sql`
    INSERT INTO stream_recordings (prefix, stream_id, began_at)
    VALUES (${recording.prefix}, ${recording.streamId}::uuid, ${recording.at}::timestamptz) ON CONFLICT DO NOTHING`);
}

/**
 * Ends a recording, once, and has it made a video of its stream's owner, if there is anything in it: with the title, description and
 * visibility the stream has now.
 * @returns whether it became one.
 */
export async function endRecording(
  db: Db,
  recording: {
    readonly prefix: string;
    readonly streamId: string;
    readonly at: string;
    readonly durationMs: number;
    readonly failed: boolean;
    readonly videoId: string;
    readonly chapters: readonly Chapter[];
    readonly released: OutboxEvent;
  },
): Promise<boolean> {
  const { prefix, streamId, at, durationMs, failed, videoId } = recording;
  const made = !failed && durationMs > 0 ? videoId : null;
  const result = await db.execute(sql`
    WITH ended AS (
      INSERT INTO stream_recordings AS known (prefix, stream_id, began_at, ended_at, duration_ms, failed, video_id)
      VALUES (${prefix}, ${streamId}::uuid, ${at}::timestamptz - make_interval(secs => ${durationMs / 1_000}::float8),
        ${at}::timestamptz, ${durationMs}::bigint, ${failed}, ${made}::uuid)
      ON CONFLICT (prefix) DO UPDATE SET ended_at = excluded.ended_at, duration_ms = excluded.duration_ms,
        failed = excluded.failed, video_id = excluded.video_id
      WHERE known.ended_at IS NULL
      RETURNING stream_id, video_id
    ), source AS (
      SELECT ended.video_id AS id, stream.owner_id, stream.title, stream.description, stream.visibility,
        ${masterKey(prefix)} AS source_key, ${JSON.stringify(recording.chapters)}::jsonb AS chapters
      FROM ended JOIN streams AS stream ON stream.id = ended.stream_id WHERE ended.video_id IS NOT NULL
    ), video AS (${insertRecordedVideos(sql`source`)}),
    shown AS (
      UPDATE streams SET video_id = coalesce(streams.video_id, ended.video_id), updated_at = now()
      FROM ended WHERE streams.id = ended.stream_id AND ended.video_id IS NOT NULL
    ), event AS (${insertEventIfAny(recording.released, sql`video`)})
    SELECT 1 FROM video`);
  return result.rows.length > 0;
}

/** A recording of whose end nobody has told though its stream is over. */
export interface OpenRecording {
  readonly prefix: string;
  readonly channelArn: string;
  readonly sessionIds: readonly string[];
}

/** They count as looked at from now on. */
export async function claimOpenRecordings(
  db: Db,
  options: { readonly nowMs: number; readonly silentSeconds: number; readonly limit: number },
): Promise<OpenRecording[]> {
  const silent = sql`${instant(options.nowMs)} - make_interval(secs => ${options.silentSeconds})`;
  const result = await db.execute(sql`
    WITH due AS (
      SELECT recording.prefix FROM stream_recordings AS recording JOIN streams AS stream ON stream.id = recording.stream_id
      WHERE recording.ended_at IS NULL AND recording.checked_at < ${silent} AND stream.ended_at < ${silent}
        AND recording.began_at > ${instant(options.nowMs)} - interval '7 days'
      ORDER BY recording.checked_at LIMIT ${options.limit} FOR UPDATE OF recording SKIP LOCKED
    )
    UPDATE stream_recordings AS recording SET checked_at = ${instant(options.nowMs)} FROM due
    WHERE recording.prefix = due.prefix
    RETURNING recording.prefix,
      (SELECT channel_arn FROM streams WHERE id = recording.stream_id) AS "channelArn",
      -- A session was recorded by the last recording that had begun when it ended.
      (SELECT coalesce(json_agg(session_id) FILTER (WHERE (
          SELECT prefix FROM stream_recordings AS one
          WHERE one.stream_id = session.stream_id AND one.began_at < coalesce(session.ended_at, 'infinity')
          ORDER BY one.began_at DESC LIMIT 1) = recording.prefix), json_agg(session_id))
        FROM stream_sessions AS session WHERE session.stream_id = recording.stream_id) AS "sessionIds"`);
  return result.rows as unknown as OpenRecording[];
}
