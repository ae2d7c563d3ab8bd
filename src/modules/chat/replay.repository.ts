import { type SQL, sql } from 'drizzle-orm';
import type { ChatEvent } from '../../../durable-objects/chat-room/protocol.ts';
import type { Db } from '../../db/client.ts';
import { videoVisibleTo } from '../videos/index.ts';

/** Where to go on in what was said: behind this moment, in microseconds, and this number. */
export interface ReplayPosition {
  readonly atUs: number;
  readonly seq: number;
}

export interface ReplayRow extends ReplayPosition {
  /** From the beginning of the video on. */
  readonly offsetMs: number;
  readonly event: ChatEvent;
}

export interface Replay {
  /** False for videos that were never live. */
  readonly isRecording: boolean;
  readonly rows: readonly ReplayRow[];
}

export interface ReplayWindow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly after: ReplayPosition | undefined;
  readonly limit: number;
}

const atUs: SQL = sql`(extract(epoch FROM said.at) * 1000000)::bigint`;
const behind = (after: ReplayPosition | undefined): SQL =>
  after === undefined
    ? sql`true`
    : sql`(said.at, said.seq) > (timestamptz 'epoch' + ${after.atUs}::bigint * interval '1 microsecond', ${after.seq}::bigint)`;

/**
 * What was said while a stretch of a video was recorded, in order; nothing for videos that were never live. Words that were taken
 * away are not among it, nor is what people said who are banned from the channel for good.
 * @returns undefined when the viewer does not see such a video.
 */
export async function listReplay(
  db: Db,
  videoId: string,
  viewerId: string | undefined,
  { fromMs, toMs, after, limit }: ReplayWindow,
): Promise<Replay | undefined> {
  const ms = (value: number): SQL => sql`${value}::bigint * interval '1 millisecond'`;
  const result = await db.execute(sql`
    SELECT said.*, source.id IS NOT NULL AS "isRecording" FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
    LEFT JOIN LATERAL (
      -- A film that is one of several recordings of a stream begins when that did.
      (SELECT stream.id, stream.owner_id, recording.began_at
        FROM stream_recordings AS recording JOIN streams AS stream ON stream.id = recording.stream_id
        WHERE recording.video_id = video.id ORDER BY recording.began_at LIMIT 1)
      UNION ALL
      (SELECT id, owner_id, started_at FROM streams WHERE video_id = video.id AND started_at IS NOT NULL LIMIT 1)
      LIMIT 1
    ) AS source ON true
    LEFT JOIN LATERAL (
      SELECT said.seq::float8 AS seq, ${atUs}::float8 AS "atUs", said.event,
        floor(extract(epoch FROM said.at - source.began_at) * 1000)::float8 AS "offsetMs"
      FROM chat_messages AS said
      WHERE said.stream_id = source.id AND said.at >= source.began_at + ${ms(fromMs)}
        AND said.at < source.began_at + ${ms(toMs)} AND ${behind(after)} AND said.deleted_at IS NULL
        AND NOT EXISTS (SELECT FROM chat_bans AS ban
          WHERE ban.owner_id = source.owner_id AND ban.user_id = said.author_id AND ban.until IS NULL)
      ORDER BY said.at, said.seq LIMIT ${limit}
    ) AS said ON true
    WHERE video.id = ${videoId}::uuid AND ${videoVisibleTo(viewerId)}
      -- What is said about a film behind a password is behind it, too.
      AND (video.password_hash IS NULL OR video.owner_id = ${viewerId ?? null}::uuid)
    ORDER BY said."atUs", said.seq`);
  const found = result.rows as unknown as ((ReplayRow | { readonly seq: null }) & {
    readonly isRecording: boolean;
  })[];
  const [first] = found;
  if (first === undefined) return undefined;
  return { isRecording: first.isRecording, rows: found.filter((row) => row.seq !== null) };
}

export interface ArchivedRow extends ReplayPosition {
  readonly kind: string;
  /** From the start of the stream on; null where it never began. */
  readonly offsetMs: number | null;
  readonly isDeleted: boolean;
  readonly event: Partial<Extract<ChatEvent, { readonly type: 'message' }>>;
}

/**
 * A page of all that is kept of the room of an owner's stream, in order, deleted messages without their words, up to `until`
 * (Unix milliseconds).
 * @returns undefined when the owner has no such stream.
 */
export async function listArchive(
  db: Db,
  stream: { readonly id: string; readonly ownerId: string },
  page: { readonly after: ReplayPosition | undefined; readonly untilMs: number; readonly limit: number },
): Promise<ArchivedRow[] | undefined> {
  const result = await db.execute(sql`
    SELECT said.* FROM streams AS stream LEFT JOIN LATERAL (
      SELECT said.seq::float8 AS seq, ${atUs}::float8 AS "atUs", said.kind, said.event, said.deleted_at IS NOT NULL AS "isDeleted",
        floor(extract(epoch FROM said.at - stream.started_at) * 1000)::float8 AS "offsetMs"
      FROM chat_messages AS said
      WHERE said.stream_id = stream.id AND said.at <= to_timestamp(${page.untilMs}::bigint / 1000.0) AND ${behind(page.after)}
      ORDER BY said.at, said.seq LIMIT ${page.limit}
    ) AS said ON true
    WHERE stream.id = ${stream.id}::uuid AND stream.owner_id = ${stream.ownerId}::uuid
    ORDER BY said."atUs", said.seq`);
  const rows = result.rows as unknown as (ArchivedRow | { readonly seq: null })[];
  return rows.length === 0 ? undefined : rows.filter((row): row is ArchivedRow => row.seq !== null);
}
