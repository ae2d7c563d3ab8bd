import { type SQL, sql } from 'drizzle-orm';
import type { ChatSettings } from '../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../context.ts';
import type { Db } from '../../db/client.ts';
import {
  type ChannelChange,
  type ChatAction,
  changeChannel,
  insertAction,
  nextVersion,
  selectChange,
} from './actions.repository.ts';
import { channelJson, freshChannel } from './channel.repository.ts';
import { type AutoModeration, type ChannelRow, maxTerms, type ShieldPreset } from './policy/rules.ts';
import type { By } from './standing.repository.ts';

/** What holds in the chat of a channel. */
export async function findChannel(db: Db, ownerId: string): Promise<ChannelRow> {
  const result = await db.execute(
    sql`SELECT ${channelJson} AS channel FROM chat_settings AS kept WHERE owner_id = ${ownerId}::uuid`,
  );
  return (result.rows[0]?.channel as ChannelRow | undefined) ?? freshChannel;
}

export interface ChannelSaved extends ChannelChange {
  readonly channel: ChannelRow;
}

/** Keeps settings of a channel. @returns undefined where `when` does not hold. */
async function save(
  ctx: RequestContext,
  by: By,
  values: Readonly<Record<string, SQL>>,
  action: ChatAction,
  when: { readonly insert: SQL; readonly update: SQL } = { insert: sql`true`, update: sql`true` },
): Promise<ChannelSaved | undefined> {
  const names = Object.keys(values).map((name) => sql.identifier(name));
  const assigned = names.map((name) => sql`${name} = excluded.${name}`);
  const change = await changeChannel(
    ctx.databases.primary,
    sql`WITH channel AS (
      INSERT INTO chat_settings AS kept (owner_id, version, ${sql.join(names, sql`, `)})
      SELECT ${by.ownerId}::uuid, 1, ${sql.join(Object.values(values), sql`, `)}
      WHERE ${when.insert} OR EXISTS (SELECT FROM chat_settings WHERE owner_id = ${by.ownerId}::uuid)
      ON CONFLICT (owner_id) DO UPDATE SET ${sql.join(assigned, sql`, `)}, version = kept.version + 1, updated_at = now()
      WHERE ${when.update} RETURNING *
    ), acted AS (${insertAction(ctx, by, action)})
    SELECT change.*, (SELECT ${channelJson} FROM channel AS kept) AS channel
    FROM (${selectChange(by.ownerId)}) AS change`,
  );
  return change as ChannelSaved | undefined;
}

/** Keeps how the chat of a channel begins. */
export const saveSettings = (
  ctx: RequestContext,
  by: By,
  settings: Omit<ChatSettings, 'shield'>,
  streamId: string,
): Promise<ChannelSaved | undefined> =>
  save(
    ctx,
    by,
    {
      slow_seconds: sql`${settings.slow_seconds}::int`,
      members_only: sql`${settings.members_only}::boolean`,
      followers_only_minutes: sql`${settings.followers_only_minutes}::int`,
      emote_only: sql`${settings.emote_only}::boolean`,
      unique_only: sql`${settings.unique_only}::boolean`,
      moderator_delay_seconds: sql`${settings.moderator_delay_seconds}::int`,
    },
    { kind: 'settings', streamId, detail: settings },
  );

/** Raises or lowers the shield. @returns undefined when it is so already. */
export const saveShield = (
  ctx: RequestContext,
  by: By,
  isUp: boolean,
  streamId: string,
): Promise<ChannelSaved | undefined> =>
  save(
    ctx,
    by,
    { shield: sql`${isUp}::boolean` },
    { kind: isUp ? 'shield_up' : 'shield_down', streamId },
    { insert: sql`${isUp}::boolean`, update: sql`kept.shield <> ${isUp}::boolean` },
  );

export const saveShieldPreset = (
  ctx: RequestContext,
  by: By,
  preset: ShieldPreset,
): Promise<ChannelSaved | undefined> =>
  save(
    ctx,
    by,
    { shield_preset: sql`${JSON.stringify(preset)}::jsonb` },
    { kind: 'shield_preset', detail: { ...preset } },
  );

export const saveAutoModeration = (
  ctx: RequestContext,
  by: By,
  levels: AutoModeration,
): Promise<ChannelSaved | undefined> =>
  save(
    ctx,
    by,
    { auto_moderation: sql`${JSON.stringify(levels)}::jsonb` },
    { kind: 'auto_moderation', detail: { ...levels } },
  );

export type TermKind = 'blocked' | 'permitted';

export interface TermRow {
  readonly id: string;
  readonly kind: TermKind;
  readonly term: string;
  readonly addedAt: string;
}

const termColumns = sql`id, kind, term, to_char(added_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "addedAt"`;

/** Adds a term, or finds it. `change` is undefined where the channel has it; the term where it has too many. */
export async function insertTerm(
  ctx: RequestContext,
  by: By,
  { kind, term }: { readonly kind: TermKind; readonly term: string },
): Promise<{ readonly term: TermRow | undefined; readonly change: ChannelChange | undefined }> {
  // The list itself is what moderators read; the log says that it was changed.
  const action = { kind: 'add_term', detail: { kind } };
  const result = await ctx.databases.primary.execute(sql`
    WITH added AS (
      INSERT INTO chat_terms (id, owner_id, kind, term, added_by)
      SELECT ${ctx.ids.next()}::uuid, ${by.ownerId}::uuid, ${kind}, ${term}, ${by.actorId}::uuid
      WHERE (SELECT count(*) FROM chat_terms WHERE owner_id = ${by.ownerId}::uuid AND kind = ${kind}) < ${maxTerms}
      ON CONFLICT DO NOTHING RETURNING *
    ), channel AS (${nextVersion(by.ownerId, sql`added`)}),
    acted AS (${insertAction(ctx, by, action)}),
    found AS (SELECT * FROM added UNION ALL SELECT * FROM chat_terms
      WHERE owner_id = ${by.ownerId}::uuid AND kind = ${kind} AND term = ${term})
    SELECT (SELECT to_json(change) FROM (${selectChange(by.ownerId)}) AS change) AS change,
      (SELECT to_json(one) FROM (SELECT ${termColumns} FROM found LIMIT 1) AS one) AS term`);
  const row = result.rows[0] as { change: ChannelChange | null; term: TermRow | null } | undefined;
  return { term: row?.term ?? undefined, change: row?.change ?? undefined };
}

/** @returns undefined when the channel has no such term. */
export function deleteTerm(ctx: RequestContext, by: By, id: string): Promise<ChannelChange | undefined> {
  return changeChannel(
    ctx.databases.primary,
    sql`WITH removed AS (
      DELETE FROM chat_terms WHERE id = ${id}::uuid AND owner_id = ${by.ownerId}::uuid RETURNING kind
    ), channel AS (${nextVersion(by.ownerId, sql`removed`)}),
    acted AS (${insertAction(ctx, by, { kind: 'remove_term' })})
    ${selectChange(by.ownerId)}`,
  );
}

/** A page of the terms of a channel, newest first. */
export async function listTerms(
  db: Db,
  query: {
    readonly ownerId: string;
    readonly kind: TermKind;
    readonly before: string | undefined;
    readonly limit: number;
  },
): Promise<TermRow[]> {
  const older = query.before === undefined ? sql`true` : sql`id < ${query.before}::uuid`;
  const result = await db.execute(sql`
    SELECT ${termColumns} FROM chat_terms
    WHERE owner_id = ${query.ownerId}::uuid AND kind = ${query.kind} AND ${older}
    ORDER BY id DESC LIMIT ${query.limit}`);
  return result.rows as unknown as TermRow[];
}
