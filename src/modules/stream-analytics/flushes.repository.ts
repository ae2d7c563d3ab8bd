import { sql } from 'drizzle-orm';
import type { PresenceFlush } from '../../../durable-objects/chat-relay/presence.ts';
import type { TallyFlush } from '../../../durable-objects/chat-room/tally-protocol.ts';
import type { Db } from '../../db/client.ts';

const instant = (atMs: number): string => new Date(atMs).toISOString();

/**
 * Puts a flush of a room in place of the one before, in one statement. An older flush, or the same again, changes nothing; its
 * numbers are whole, so none needs to arrive but the last. The first one after the end of the stream dates its summary.
 * @returns false when there is no such stream.
 */
export async function applyTally(db: Db, flush: TallyFlush): Promise<boolean> {
  const { totals } = flush;
  const minutes = flush.minutes.map(({ minute, ...sums }) => ({ ...sums, minute: instant(minute) }));
  const chatters = flush.topChatters.map(({ key, count, over }) => ({ user_id: key, messages: count, over }));
  const result = await db.execute(sql`
    WITH stream AS (SELECT id, state NOT IN ('scheduled', 'live') AS is_over
      FROM streams WHERE id = ${flush.streamId}::uuid),
    applied AS (
      INSERT INTO stream_tallies AS known (stream_id, seq, viewers, peak_viewers, peak_at, viewer_ms, watched_ms, messages,
        chatters, positive, negative, score, emotes, summarised_at)
      SELECT id, ${flush.seq}::bigint, ${flush.viewers}::int, ${totals.peakViewers}::int,
        ${totals.peakAtMs === null ? null : instant(totals.peakAtMs)}::timestamptz, ${totals.viewerMs}::bigint,
        ${totals.watchedMs}::bigint, ${totals.messages}::bigint, ${totals.chatters}::bigint, ${totals.positive}::bigint,
        ${totals.negative}::bigint, ${totals.score}::float8, ${JSON.stringify(flush.emotes)}::jsonb,
        CASE WHEN is_over THEN now() END
      FROM stream
      ON CONFLICT (stream_id) DO UPDATE SET seq = excluded.seq, viewers = excluded.viewers,
        peak_viewers = excluded.peak_viewers, peak_at = excluded.peak_at, viewer_ms = excluded.viewer_ms,
        watched_ms = excluded.watched_ms, messages = excluded.messages, chatters = excluded.chatters,
        positive = excluded.positive, negative = excluded.negative, score = excluded.score, emotes = excluded.emotes,
        flushed_at = now(), summarised_at = coalesce(known.summarised_at, excluded.summarised_at)
      WHERE known.seq < excluded.seq
      RETURNING stream_id
    ), shown AS (
      UPDATE streams SET viewers = ${flush.viewers}::int FROM applied
      WHERE streams.id = applied.stream_id AND streams.state = 'live' AND streams.viewers <> ${flush.viewers}::int
    ), minutes AS (
      INSERT INTO stream_minutes (stream_id, minute, peak_viewers, viewer_ms, watched_ms, messages, chatters, positive,
        negative, score)
      SELECT applied.stream_id, item.minute, "peakViewers", "viewerMs", "watchedMs", messages, chatters, positive, negative, score
      FROM applied, jsonb_to_recordset(${JSON.stringify(minutes)}::jsonb) AS item (
        minute timestamptz, "peakViewers" int, "viewerMs" bigint, "watchedMs" bigint, messages bigint, chatters bigint,
        positive bigint, negative bigint, score float8)
      ON CONFLICT (stream_id, minute) DO UPDATE SET peak_viewers = excluded.peak_viewers, viewer_ms = excluded.viewer_ms,
        watched_ms = excluded.watched_ms, messages = excluded.messages, chatters = excluded.chatters,
        positive = excluded.positive, negative = excluded.negative, score = excluded.score
    ), top AS (
      SELECT applied.stream_id, item.* FROM applied, jsonb_to_recordset(${JSON.stringify(chatters)}::jsonb) AS item (
        user_id uuid, messages bigint, over bigint)
    ), gone AS (
      DELETE FROM stream_chatters AS chatter USING applied
      WHERE chatter.stream_id = applied.stream_id AND chatter.user_id NOT IN (SELECT user_id FROM top)
    ), chatters AS (
      INSERT INTO stream_chatters (stream_id, user_id, messages, over)
      SELECT top.stream_id, top.user_id, top.messages, top.over
      FROM top JOIN users ON users.id = top.user_id AND users.status = 'active'
      ON CONFLICT (stream_id, user_id) DO UPDATE SET messages = excluded.messages, over = excluded.over
    )
    SELECT EXISTS (SELECT FROM stream) AS known`);
  return result.rows[0]?.known === true;
}

/**
 * Puts a flush of a relay into the database, in one statement. Its counts are whole and its stretches are united with what is
 * known, so it may come again, late, or after one that followed it.
 */
export async function applyPresence(db: Db, flush: PresenceFlush): Promise<void> {
  const people = flush.people.map(({ userId, spans }) => ({
    user_id: userId,
    watched: `{${spans.map(([fromMs, toMs]) => `["${instant(fromMs)}","${instant(toMs)}")`).join()}}`,
  }));
  await db.execute(sql`
    WITH stream AS (SELECT id FROM streams WHERE id = ${flush.streamId}::uuid),
    counted AS (
      INSERT INTO stream_audiences AS known (stream_id, counter_id, seq, joins, leaves, strangers, strangers_ms)
      SELECT id, ${flush.counterId}::uuid, ${flush.seq}::bigint, ${flush.joins}::bigint, ${flush.leaves}::bigint,
        ${flush.strangers}::bigint, ${flush.strangersMs}::bigint
      FROM stream
      ON CONFLICT (stream_id, counter_id) DO UPDATE SET seq = excluded.seq, joins = excluded.joins, leaves = excluded.leaves,
        strangers = excluded.strangers, strangers_ms = excluded.strangers_ms
      WHERE known.seq < excluded.seq
    )
    INSERT INTO stream_viewers AS known (stream_id, user_id, watched)
    SELECT stream.id, item.user_id, item.watched
    FROM stream, jsonb_to_recordset(${JSON.stringify(people)}::jsonb) AS item (user_id uuid, watched tstzmultirange)
    JOIN users ON users.id = item.user_id AND users.status = 'active'
    ORDER BY item.user_id
    ON CONFLICT (stream_id, user_id) DO UPDATE SET watched = known.watched + excluded.watched`);
}
