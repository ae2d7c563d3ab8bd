import { type SQL, sql } from 'drizzle-orm';
import type { ArchiveFlush, ArchiveResult } from '../../../durable-objects/chat-room/archive-flush.ts';
import type { ChatRole } from '../../../durable-objects/chat-room/protocol.ts';
import { atomic, type Db } from '../../db/client.ts';

/** Messages whose words one statement takes out. */
const redactedAtOnce = 5_000;

/** A message without its words, for a statement with `chat_messages AS said`. */
const wordless: SQL = sql`((said.event - 'reply_to') || '{"fragments":[],"deleted":true}')`;

/** An event without the words of another, for a statement with `chat_messages AS said`. */
const withoutQuote: SQL = sql`CASE said.kind WHEN 'pinned' THEN jsonb_set(said.event, '{pinned}', 'null')
  ELSE said.event - 'reply_to' END`;

/**
 * Keeps a run of a room's log, and takes the words out of what it says is deleted, in one round trip. The same again changes
 * nothing, whatever became of an earlier try.
 */
export async function keepChat(db: Db, flush: ArchiveFlush): Promise<ArchiveResult> {
  const { streamId, rows, redactions } = flush;
  const insert = db.execute(sql`
    WITH stream AS (SELECT id FROM streams WHERE id = ${streamId}::uuid),
    kept AS (
      INSERT INTO chat_messages (stream_id, at, seq, kind, id, author_id, quotes_id, event, deleted_at)
      SELECT stream.id, to_timestamp("atMs" / 1000.0), seq, kind, item.id, "authorId", "quotesId", event,
        CASE WHEN "isDeleted" THEN now() END
      FROM stream, jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS item (
        "atMs" bigint, seq bigint, kind text, id uuid, "authorId" uuid, "quotesId" uuid, event jsonb, "isDeleted" boolean)
      -- What somebody said is not kept once their account is being erased.
      WHERE "authorId" IS NULL OR EXISTS (SELECT FROM users WHERE users.id = "authorId" AND status <> 'deleted')
      ON CONFLICT DO NOTHING
    )
    SELECT EXISTS (SELECT FROM stream) AS known`);
  if (redactions.length === 0) {
    const { rows: answer } = await insert;
    return answer[0]?.known === true ? { known: true, more: false } : { known: false };
  }
  // Statements of their own, since one does not see the rows it inserts.
  const [inserted, redacted] = await atomic(db, [
    insert,
    db.execute(redactSql(flush)),
    db.execute(unquoteSql(flush)),
  ]);
  if (inserted.rows[0]?.known !== true) return { known: false };
  return { known: true, more: Number(redacted.rows[0]?.count) === redactedAtOnce };
}

const redactionRows = ({ redactions }: ArchiveFlush): SQL => sql`
  jsonb_to_recordset(${JSON.stringify(redactions)}::jsonb) AS gone (
    seq bigint, "messageId" uuid, "authorId" uuid, "isAll" boolean)`;

function redactSql(flush: ArchiveFlush): SQL {
  const standing = sql`said.stream_id = ${flush.streamId}::uuid AND said.kind = 'message' AND said.deleted_at IS NULL
    AND said.seq < gone.seq`;
  return sql`
    WITH gone AS (SELECT * FROM ${redactionRows(flush)}),
    target AS (
      SELECT said.at, said.seq FROM gone JOIN chat_messages AS said ON said.id = gone."messageId" WHERE ${standing}
      UNION
      SELECT said.at, said.seq FROM gone JOIN chat_messages AS said ON said.author_id = gone."authorId" WHERE ${standing}
      UNION
      SELECT said.at, said.seq FROM (SELECT max(seq) AS seq FROM gone WHERE "isAll") AS gone, chat_messages AS said
      WHERE ${standing}
      LIMIT ${redactedAtOnce}
    ), redacted AS (
      UPDATE chat_messages AS said SET event = ${wordless}, quotes_id = NULL, deleted_at = now() FROM target
      WHERE said.stream_id = ${flush.streamId}::uuid AND said.at = target.at AND said.seq = target.seq
      RETURNING 1
    )
    SELECT count(*) AS count FROM redacted`;
}

function unquoteSql(flush: ArchiveFlush): SQL {
  return sql`
    WITH gone AS (SELECT * FROM ${redactionRows(flush)})
    UPDATE chat_messages AS said SET event = ${withoutQuote}, quotes_id = NULL
    WHERE said.stream_id = ${flush.streamId}::uuid AND said.quotes_id IN (
      SELECT "messageId" FROM gone
      UNION ALL
      SELECT quoted.id FROM gone JOIN chat_messages AS quoted
        ON quoted.author_id = gone."authorId" AND quoted.stream_id = ${flush.streamId}::uuid AND quoted.seq < gone.seq
      UNION ALL
      SELECT pinning.quotes_id FROM gone JOIN chat_messages AS pinning
        ON gone."isAll" AND pinning.stream_id = ${flush.streamId}::uuid AND pinning.kind = 'pinned'
          AND pinning.seq < gone.seq AND pinning.quotes_id IS NOT NULL)`;
}

/** A message that has its words, and who said it; undefined when there is none. */
export async function findArchivedMessage(
  db: Db,
  streamId: string,
  messageId: string,
): Promise<{ readonly authorId: string; readonly role: ChatRole } | undefined> {
  const result = await db.execute(sql`
    SELECT author_id AS "authorId", event #>> '{author,role}' AS role FROM chat_messages
    WHERE id = ${messageId}::uuid AND stream_id = ${streamId}::uuid AND kind = 'message' AND deleted_at IS NULL
      AND author_id IS NOT NULL`);
  return result.rows[0] as { readonly authorId: string; readonly role: ChatRole } | undefined;
}

/**
 * Takes the words and the author out of up to `limit` events of somebody whose account is erased, and what others quoted of them.
 * @returns how many there were.
 */
export async function eraseChat(db: Db, userId: string, limit: number): Promise<number> {
  const result = await db.execute(sql`
    WITH target AS (
      SELECT stream_id, at, seq, id FROM chat_messages WHERE author_id = ${userId}::uuid LIMIT ${limit} FOR UPDATE
    ), unquoted AS (
      UPDATE chat_messages AS said SET event = ${withoutQuote}, quotes_id = NULL
      WHERE said.quotes_id IN (SELECT id FROM target) AND said.author_id IS DISTINCT FROM ${userId}::uuid
    ), gone AS (
      UPDATE chat_messages AS said SET author_id = NULL, quotes_id = NULL, event = ${wordless} - 'author',
        deleted_at = coalesce(said.deleted_at, now())
      FROM target WHERE said.stream_id = target.stream_id AND said.at = target.at AND said.seq = target.seq
      RETURNING 1
    )
    SELECT count(*)::integer AS count FROM gone`);
  return Number(result.rows[0]?.count);
}

/**
 * Deletes up to `limit` events of the rooms of somebody whose account is erased.
 * @returns how many there were.
 */
export async function eraseRooms(db: Db, ownerId: string, limit: number): Promise<number> {
  const result = await db.execute(sql`
    WITH target AS (
      SELECT said.stream_id, said.at, said.seq FROM streams JOIN chat_messages AS said ON said.stream_id = streams.id
      WHERE streams.owner_id = ${ownerId}::uuid LIMIT ${limit}
    )
    DELETE FROM chat_messages AS said USING target
    WHERE said.stream_id = target.stream_id AND said.at = target.at AND said.seq = target.seq`);
  return result.rowCount;
}
