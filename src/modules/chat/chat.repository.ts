import { sql } from 'drizzle-orm';
import type { ChatterFacts, RoomFacts, Standing } from '../../../durable-objects/chat-room/protocol.ts';
import type { Db } from '../../db/client.ts';
import { memberOfStream, streamVisibleTo } from '../streams/index.ts';
import { channelJson, freshChannel, standingColumns } from './channel.repository.ts';
import { type ChannelRow, settingsInForce } from './policy/rules.ts';

export interface Chatter {
  readonly room: RoomFacts;
  /** Undefined for strangers, who only read. */
  readonly facts: ChatterFacts | undefined;
}

interface ChatterRow extends Standing {
  readonly ownerId: string;
  readonly channel: ChannelRow | null;
  readonly userId: string | null;
  readonly username: string;
  readonly displayName: string;
  readonly isMember: boolean;
  readonly followsSinceMs: number | null;
  readonly botMessages: number | null;
  readonly color: string | null;
}

/** Everything a room needs to know of somebody who comes, in one trip. Undefined where they see no such stream. */
export async function findChatter(
  db: Db,
  streamId: string,
  viewerId: string | undefined,
): Promise<Chatter | undefined> {
  const result = await db.execute(sql`
    SELECT stream.owner_id AS "ownerId", ${channelJson} AS channel,
      chatter.id AS "userId", chatter.username, chatter.display_name AS "displayName",
      ${standingColumns(sql`chatter.id`, sql`stream.owner_id`)},
      ${memberOfStream(viewerId)} AS "isMember",
      (SELECT extract(epoch FROM created_at)::float8 * 1000 FROM follows
        WHERE follower_id = chatter.id AND followee_id = stream.owner_id) AS "followsSinceMs",
      (SELECT messages FROM chat_bots WHERE user_id = chatter.id) AS "botMessages",
      (SELECT color FROM chat_profiles WHERE user_id = chatter.id) AS color
    FROM streams AS stream JOIN users AS owner ON owner.id = stream.owner_id
    LEFT JOIN chat_settings AS kept ON kept.owner_id = stream.owner_id
    LEFT JOIN users AS chatter ON chatter.id = ${viewerId ?? null}::uuid AND chatter.status = 'active'
    WHERE stream.id = ${streamId}::uuid AND ${streamVisibleTo(viewerId)}`);
  const [row] = result.rows as unknown as ChatterRow[];
  if (row === undefined) return undefined;
  const channel = row.channel ?? freshChannel;
  const { version } = channel;
  const room = { streamId, ownerId: row.ownerId, settings: settingsInForce(channel), version };
  return { room, facts: factsOf(row, version) };
}

function factsOf(row: ChatterRow, version: number): ChatterFacts | undefined {
  const { userId, username, displayName, role, isMember, followsSinceMs } = row;
  if (userId === null) return undefined;
  const { ban, warning, botMessages, color } = row;
  return {
    userId,
    username,
    displayName,
    role,
    isMember,
    followsSinceMs,
    ban,
    warning,
    botMessages,
    color,
    version,
  };
}

/** The place of somebody in the chat of a channel; undefined when there is no such active account. */
export async function findRole(
  db: Db,
  ownerId: string,
  userId: string,
): Promise<ChatterFacts['role'] | undefined> {
  const result = await db.execute(sql`
    SELECT CASE WHEN id = ${ownerId}::uuid THEN 'owner' ELSE coalesce(
      (SELECT role FROM chat_roles WHERE owner_id = ${ownerId}::uuid AND user_id = users.id), 'viewer') END AS role
    FROM users WHERE id = ${userId}::uuid AND status = 'active'`);
  return result.rows[0]?.role as ChatterFacts['role'] | undefined;
}

/** The place of somebody in the chat of a channel; undefined when there is no such active channel. */
export async function findChannelRole(
  db: Db,
  ownerId: string,
  userId: string,
): Promise<ChatterFacts['role'] | undefined> {
  const result = await db.execute(sql`
    SELECT CASE WHEN id = ${userId}::uuid THEN 'owner' ELSE coalesce(
      (SELECT role FROM chat_roles WHERE owner_id = users.id AND user_id = ${userId}::uuid), 'viewer') END AS role
    FROM users WHERE id = ${ownerId}::uuid AND status = 'active'`);
  return result.rows[0]?.role as ChatterFacts['role'] | undefined;
}
