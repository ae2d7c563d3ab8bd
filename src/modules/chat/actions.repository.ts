import { type SQL, sql } from 'drizzle-orm';
import type { LoggedAction } from '../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../context.ts';
import type { Db } from '../../db/client.ts';

/** How many rooms of a channel are told of a change at once; others see it when they next ask. */
const maxRooms = 50;

/** What was done in a channel, by the caller. */
export interface ChatAction {
  readonly kind: string;
  readonly streamId?: string;
  /** Whom it was done to; may be an expression over `source`. */
  readonly targetId?: string | SQL;
  readonly reason?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** What a change of a channel made. */
export interface ChannelChange {
  readonly version: number;
  /** Rooms that are open now. */
  readonly rooms: readonly string[];
}

/** The body of a CTE that gives the channel its next version if `source`, an earlier CTE, has any row. */
export const nextVersion = (ownerId: string, source: SQL): SQL => sql`
  INSERT INTO chat_settings AS kept (owner_id, version)
  SELECT ${ownerId}::uuid, 1 FROM (SELECT 1 FROM ${source} LIMIT 1) AS changed
  ON CONFLICT (owner_id) DO UPDATE SET version = kept.version + 1 RETURNING version`;

/** The body of a CTE that writes an action down, over the CTE `channel` with the version it made. */
export function insertAction(
  ctx: Pick<RequestContext, 'ids'>,
  by: { readonly ownerId: string; readonly actorId: string },
  { kind, streamId, targetId, reason = '', detail = {} }: ChatAction,
): SQL {
  const target = typeof targetId === 'object' ? targetId : sql`${targetId ?? null}::uuid`;
  return sql`INSERT INTO chat_actions (id, at, owner_id, version, stream_id, actor_id, kind, target_id, reason, detail)
    SELECT ${ctx.ids.next()}::uuid, now(), ${by.ownerId}::uuid, version, ${streamId ?? null}::uuid, ${by.actorId}::uuid,
      ${kind}, ${target}, ${reason}, ${JSON.stringify(detail)}::jsonb
    FROM channel`;
}

/** What a statement with the CTE `channel` answers. */
export const selectChange = (ownerId: string): SQL => sql`
  SELECT version::float8 AS version, (SELECT coalesce(json_agg(stream_id), '[]') FROM (
      SELECT stream_id FROM chat_open_rooms
      WHERE owner_id = ${ownerId}::uuid AND seen_at > now() - interval '10 minutes'
      ORDER BY seen_at DESC LIMIT ${maxRooms}
    ) AS open) AS rooms
  FROM channel`;

/** Runs such a statement. @returns undefined when nothing was changed. */
export async function changeChannel(db: Db, statement: SQL): Promise<ChannelChange | undefined> {
  const result = await db.execute(statement);
  return result.rows[0] as unknown as ChannelChange | undefined;
}

/** Writes down what was done in one room. The same actions again are the same. */
export async function insertRoomActions(
  db: Db,
  streamId: string,
  actions: readonly LoggedAction[],
): Promise<void> {
  await db.execute(sql`
    INSERT INTO chat_actions (id, at, owner_id, stream_id, actor_id, kind, target_id, message_id, detail)
    SELECT done.id, done.at, stream.owner_id, stream.id, actor.id, done.kind, target.id, done.message_id, done.detail
    FROM jsonb_to_recordset(${JSON.stringify(actions)}::jsonb) AS done
      (id uuid, at timestamptz, actor_id uuid, kind text, target_id uuid, message_id uuid, detail jsonb)
    JOIN streams AS stream ON stream.id = ${streamId}::uuid
    LEFT JOIN users AS actor ON actor.id = done.actor_id
    LEFT JOIN users AS target ON target.id = done.target_id
    ON CONFLICT DO NOTHING`);
}

export interface ActionRow {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly streamId: string | null;
  readonly messageId: string | null;
  readonly reason: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly actor: PersonRow | null;
  readonly target: PersonRow | null;
}

interface PersonRow {
  readonly id: string;
  readonly username: string;
}

const person = (alias: SQL): SQL =>
  sql`CASE WHEN ${alias}.id IS NOT NULL THEN json_build_object('id', ${alias}.id, 'username', ${alias}.username) END`;

/** A page of what was done in a channel, newest first. */
export async function listActions(
  db: Db,
  query: {
    readonly ownerId: string;
    readonly before: string | undefined;
    readonly kind: string | undefined;
    readonly targetId: string | undefined;
    readonly limit: number;
  },
): Promise<ActionRow[]> {
  const conditions = [sql`done.owner_id = ${query.ownerId}::uuid`];
  if (query.before !== undefined) conditions.push(sql`done.id < ${query.before}::uuid`);
  if (query.kind !== undefined) conditions.push(sql`done.kind = ${query.kind}`);
  if (query.targetId !== undefined) conditions.push(sql`done.target_id = ${query.targetId}::uuid`);
  const result = await db.execute(sql`
    SELECT done.id, to_char(done.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at, done.kind,
      done.stream_id AS "streamId", done.message_id AS "messageId", done.reason, done.detail,
      ${person(sql`actor`)} AS actor, ${person(sql`target`)} AS target
    FROM chat_actions AS done LEFT JOIN users AS actor ON actor.id = done.actor_id
      LEFT JOIN users AS target ON target.id = done.target_id
    WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY done.id DESC LIMIT ${query.limit}`);
  return result.rows as unknown as ActionRow[];
}
