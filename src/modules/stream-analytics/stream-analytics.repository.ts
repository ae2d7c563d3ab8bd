import { sql } from 'drizzle-orm';
import type { TopEntry } from '../../../durable-objects/chat-room/top-list.ts';
import type { Db } from '../../db/client.ts';
import { type UserSummaryRow, userSummaryJson } from '../users/index.ts';

export interface SumsRow {
  readonly peakViewers: number;
  readonly viewerMs: number;
  readonly watchedMs: number;
  readonly messages: number;
  readonly chatters: number;
  readonly positive: number;
  readonly negative: number;
  readonly score: number;
}

export interface TallyRow extends SumsRow {
  readonly viewers: number;
  readonly peakAtMs: number | null;
  readonly emotes: readonly TopEntry[];
  readonly flushedAtMs: number;
  readonly summarisedAtMs: number | null;
}

export interface AudienceRow {
  readonly joins: number;
  readonly leaves: number;
  readonly strangers: number;
  readonly strangersMs: number;
  readonly people: number;
  readonly peopleMs: number;
}

export interface StreamAnalyticsRow {
  readonly id: string;
  readonly title: string;
  readonly tally: TallyRow | null;
  readonly audience: AudienceRow;
  readonly newFollowers: number;
}

export interface FullAnalyticsRow extends StreamAnalyticsRow {
  readonly minutes: readonly (SumsRow & { readonly minuteMs: number })[];
  readonly topChatters: readonly {
    readonly user: UserSummaryRow;
    readonly messages: number;
    readonly over: number;
  }[];
}

const shownChatters = 10;

const sums = (alias: string) => {
  const row = sql.identifier(alias);
  return sql`'peakViewers', ${row}.peak_viewers, 'viewerMs', ${row}.viewer_ms, 'watchedMs', ${row}.watched_ms,
    'messages', ${row}.messages, 'chatters', ${row}.chatters, 'positive', ${row}.positive, 'negative', ${row}.negative,
    'score', ${row}.score`;
};

/** What is known of each stream, for a statement with `streams AS stream`. */
const summary = sql`stream.id, stream.title,
  (SELECT json_build_object(${sums('tally')}, 'viewers', tally.viewers, 'emotes', tally.emotes,
      'peakAtMs', extract(epoch FROM tally.peak_at)::float8 * 1000,
      'flushedAtMs', extract(epoch FROM tally.flushed_at)::float8 * 1000,
      'summarisedAtMs', extract(epoch FROM tally.summarised_at)::float8 * 1000)
    FROM stream_tallies AS tally WHERE tally.stream_id = stream.id) AS tally,
  (SELECT json_build_object('joins', coalesce(sum(joins), 0), 'leaves', coalesce(sum(leaves), 0),
      'strangers', coalesce(sum(strangers), 0), 'strangersMs', coalesce(sum(strangers_ms), 0), 'people', people.count,
      'peopleMs', people.ms)
    FROM (SELECT count(*) AS count, coalesce(sum(watch_ms), 0) AS ms FROM stream_viewers
        WHERE stream_id = stream.id) AS people
      LEFT JOIN stream_audiences AS heard ON heard.stream_id = stream.id
    GROUP BY people.count, people.ms) AS audience,
  (SELECT count(*)::int FROM (
      SELECT min(minute) AS first, max(minute) + interval '1 minute' AS last FROM stream_minutes WHERE stream_id = stream.id
    ) AS open JOIN follows ON follows.followee_id = stream.owner_id
      AND follows.created_at >= coalesce(stream.started_at, open.first)
      AND follows.created_at < coalesce(stream.ended_at, CASE WHEN stream.state = 'live' THEN now() ELSE open.last END)
    ) AS "newFollowers"`;

/** How a stream of this owner went, as far as the database was told. Undefined where they have no such stream. */
export async function findAnalytics(
  db: Db,
  streamId: string,
  ownerId: string,
): Promise<FullAnalyticsRow | undefined> {
  const result = await db.execute(sql`
    SELECT ${summary},
      (SELECT coalesce(json_agg(json_build_object(${sums('one')},
          'minuteMs', extract(epoch FROM one.minute)::float8 * 1000) ORDER BY one.minute), '[]')
        FROM stream_minutes AS one WHERE one.stream_id = stream.id) AS minutes,
      (SELECT coalesce(json_agg(json_build_object('user', top."user", 'messages', top.messages, 'over', top.over)
          ORDER BY top.messages DESC, top.user_id), '[]')
        FROM (SELECT ${userSummaryJson('writer')} AS "user", chatter.messages, chatter.over, chatter.user_id
          FROM stream_chatters AS chatter JOIN users AS writer ON writer.id = chatter.user_id AND writer.status = 'active'
          WHERE chatter.stream_id = stream.id ORDER BY chatter.messages DESC, chatter.user_id
          LIMIT ${shownChatters}) AS top) AS "topChatters"
    FROM streams AS stream WHERE stream.id = ${streamId}::uuid AND stream.owner_id = ${ownerId}::uuid`);
  return result.rows[0] as unknown as FullAnalyticsRow | undefined;
}

/** A page of an owner's streams, newest first, with how each went. */
export async function listAnalytics(
  db: Db,
  query: { readonly ownerId: string; readonly before: string | undefined; readonly limit: number },
): Promise<StreamAnalyticsRow[]> {
  const older = query.before === undefined ? sql`true` : sql`stream.id < ${query.before}::uuid`;
  const result = await db.execute(sql`
    SELECT ${summary} FROM streams AS stream WHERE stream.owner_id = ${query.ownerId}::uuid AND ${older}
    ORDER BY stream.id DESC LIMIT ${query.limit}`);
  return result.rows as unknown as StreamAnalyticsRow[];
}
