import { sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import type { Db } from '../../db/client.ts';
import { type ChannelChange, changeChannel, nextVersion, selectChange } from '../chat/index.ts';
import type { EmoteFormat } from './policy/pictures.ts';

export const maxEmotes = 100;

export type EmoteState = 'pending' | 'approved' | 'rejected' | 'deleted';

export interface EmoteRow {
  readonly id: string;
  readonly name: string;
  readonly format: EmoteFormat;
  readonly membersOnly: boolean;
  readonly state: EmoteState;
  readonly reason: string | null;
  readonly createdAt: string;
}

/** What a room has to know of an emote. */
export interface ChannelEmote {
  readonly id: string;
  readonly name: string;
  readonly format: EmoteFormat;
  readonly membersOnly: boolean;
}

const columns = sql`emote.id, emote.name, emote.format, emote.members_only AS "membersOnly", emote.state, emote.reason,
  to_char(emote.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "createdAt"`;

/** Keeps an emote for review; the same id again is the same. */
export async function insertEmote(
  db: Db,
  emote: {
    readonly id: string;
    readonly ownerId: string;
    readonly name: string;
    readonly format: EmoteFormat;
    readonly membersOnly: boolean;
  },
): Promise<EmoteRow | 'name_taken' | 'too_many'> {
  const result = await db.execute(sql`
    WITH counted AS (
      SELECT count(*) AS kept FROM emotes
      WHERE owner_id = ${emote.ownerId}::uuid AND state IN ('pending', 'approved') AND id <> ${emote.id}::uuid
    ), added AS (
      INSERT INTO emotes (id, owner_id, name, format, members_only)
      SELECT ${emote.id}::uuid, ${emote.ownerId}::uuid, ${emote.name}, ${emote.format}, ${emote.membersOnly}
      FROM counted WHERE kept < ${maxEmotes}
      ON CONFLICT DO NOTHING RETURNING *
    ), emote AS (
      SELECT * FROM added UNION ALL
      SELECT * FROM emotes WHERE id = ${emote.id}::uuid AND owner_id = ${emote.ownerId}::uuid
    )
    SELECT (SELECT kept FROM counted) >= ${maxEmotes} AS "isFull", ${columns} FROM (VALUES (1)) AS one (n)
    LEFT JOIN LATERAL (SELECT * FROM emote LIMIT 1) AS emote ON true`);
  const [row] = result.rows as unknown as ((EmoteRow | { readonly id: null }) & {
    readonly isFull: boolean;
  })[];
  if (row === undefined || row.id === null) return row?.isFull === true ? 'too_many' : 'name_taken';
  return row;
}

/** An owner's emotes that are not deleted, newest first: at most `maxEmotes`, and as many refused ones. */
export async function listOwnEmotes(db: Db, ownerId: string): Promise<EmoteRow[]> {
  const result = await db.execute(sql`
    SELECT ${columns} FROM emotes AS emote WHERE owner_id = ${ownerId}::uuid AND state <> 'deleted'
    ORDER BY id DESC LIMIT ${2 * maxEmotes}`);
  return result.rows as unknown as EmoteRow[];
}

/** Emotes that may be used in the chat of a channel. */
export async function listChannelEmotes(db: Db, ownerId: string): Promise<ChannelEmote[]> {
  const result = await db.execute(sql`
    SELECT id, name, format, members_only AS "membersOnly" FROM emotes
    WHERE owner_id = ${ownerId}::uuid AND state = 'approved' ORDER BY name LIMIT ${maxEmotes}`);
  return result.rows as unknown as ChannelEmote[];
}

/** Takes an emote of the owner's out of use. @returns undefined when they have no such emote. */
export const deleteEmote = (db: Db, id: string, ownerId: string): Promise<ChannelChange | undefined> =>
  changeChannel(
    db,
    sql`WITH deleted AS (
      UPDATE emotes SET state = 'deleted'
      WHERE id = ${id}::uuid AND owner_id = ${ownerId}::uuid AND state <> 'deleted' RETURNING id
    ), channel AS (${nextVersion(ownerId, sql`deleted`)})
    ${selectChange(ownerId)}`,
  );

export interface ReviewRow extends EmoteRow {
  readonly ownerId: string;
  readonly ownerName: string;
}

/** Emotes that wait for a decision, the longest waiting first. */
export async function listWaitingEmotes(
  db: Db,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<ReviewRow[]> {
  const later = page.after === undefined ? sql`true` : sql`emote.id > ${page.after}::uuid`;
  const result = await db.execute(sql`
    SELECT ${columns}, emote.owner_id AS "ownerId", owner.username AS "ownerName"
    FROM emotes AS emote JOIN users AS owner ON owner.id = emote.owner_id
    WHERE emote.state = 'pending' AND ${later} ORDER BY emote.id LIMIT ${page.limit}`);
  return result.rows as unknown as ReviewRow[];
}

export async function findEmote(db: Db, id: string): Promise<(EmoteRow & { ownerId: string }) | undefined> {
  const result = await db.execute(sql`
    SELECT ${columns}, emote.owner_id AS "ownerId" FROM emotes AS emote WHERE id = ${id}::uuid AND state <> 'deleted'`);
  return result.rows[0] as unknown as (EmoteRow & { ownerId: string }) | undefined;
}

/** Decides on an emote. @returns undefined when it does not wait for that any more. */
export function decideEmote(
  ctx: RequestContext,
  { id, ownerId }: { readonly id: string; readonly ownerId: string },
  decision: { readonly state: 'approved' | 'rejected'; readonly reason: string | null; readonly by: string },
): Promise<ChannelChange | undefined> {
  // What is in use may be taken down, what was refused stays so.
  const from = decision.state === 'approved' ? sql`state = 'pending'` : sql`state IN ('pending', 'approved')`;
  const action = decision.state === 'approved' ? 'emote.approve' : 'emote.reject';
  const audit = { action, as: 'admin', target: { kind: 'emote', id } } as const;
  return changeChannel(
    ctx.databases.primary,
    sql`WITH decided AS (
      UPDATE emotes SET state = ${decision.state}, reason = ${decision.reason}, reviewed_by = ${decision.by}::uuid, reviewed_at = now()
      WHERE id = ${id}::uuid AND ${from} RETURNING id
    ), audit AS (${insertAuditIfAny(ctx, audit, sql`decided`)}),
    channel AS (${nextVersion(ownerId, sql`decided`)})
    ${selectChange(ownerId)}`,
  );
}

/** Ids and formats of everything an owner ever sent, a page at a time. */
export async function listEmotesToErase(
  db: Db,
  ownerId: string,
  limit: number,
): Promise<{ readonly id: string; readonly format: EmoteFormat }[]> {
  const result = await db.execute(sql`
    SELECT id, format FROM emotes WHERE owner_id = ${ownerId}::uuid ORDER BY id LIMIT ${limit}`);
  return result.rows as unknown as { readonly id: string; readonly format: EmoteFormat }[];
}

/** Removes rows of an owner's whose pictures are gone. */
export async function eraseEmoteRows(db: Db, ownerId: string, ids: readonly string[]): Promise<void> {
  await db.execute(sql`
    DELETE FROM emotes WHERE owner_id = ${ownerId}::uuid
      AND id IN (SELECT value::uuid FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`);
}
