import { type SQL, sql } from 'drizzle-orm';
import {
  type ChatSettings,
  openSettings,
  type Standing,
} from '../../../durable-objects/chat-room/protocol.ts';
import type { Db } from '../../db/client.ts';
import { encodeId } from '../../shared/ids.ts';
import {
  autoModerationInForce,
  type ChannelEmote,
  type ChannelRow,
  type ChannelRules,
  settingsInForce,
} from './policy/rules.ts';

/** The settings of a channel as JSON, over a row `kept` of `chat_settings`; null where it has none. */
export const channelJson = sql`CASE WHEN kept.owner_id IS NOT NULL THEN json_build_object(
  'settings', json_build_object('slow_seconds', kept.slow_seconds, 'members_only', kept.members_only,
    'followers_only_minutes', kept.followers_only_minutes, 'emote_only', kept.emote_only,
    'unique_only', kept.unique_only, 'moderator_delay_seconds', kept.moderator_delay_seconds),
  'auto_moderation', kept.auto_moderation, 'shield', kept.shield, 'shield_preset', kept.shield_preset,
  'version', kept.version) END`;

const { shield: _, ...unsheltered } = openSettings;

/** A channel that never changed anything. */
export const freshChannel: ChannelRow = {
  settings: unsheltered,
  auto_moderation: {},
  shield: false,
  shield_preset: null,
  version: 0,
};

/** What moderators decided about somebody, as JSON fields, for a user id and a channel. */
export const standingColumns = (userId: SQL, ownerId: SQL): SQL => sql`
  CASE WHEN ${userId} = ${ownerId} THEN 'owner' ELSE coalesce((SELECT role FROM chat_roles
    WHERE owner_id = ${ownerId} AND user_id = ${userId}), 'viewer') END AS role,
  (SELECT json_build_object('untilMs', extract(epoch FROM until)::float8 * 1000) FROM chat_bans
    WHERE owner_id = ${ownerId} AND user_id = ${userId} AND (until IS NULL OR until > now())) AS ban,
  (SELECT reason FROM chat_warnings
    WHERE owner_id = ${ownerId} AND user_id = ${userId} AND acknowledged_at IS NULL) AS warning`;

/** What a room asks about its channel. */
export interface ChannelNews {
  readonly version: number;
  readonly settings: ChatSettings;
  /** Undefined when nothing changed since `known`. */
  readonly rules: ChannelRules | undefined;
  /** Of those about whom something was decided since. */
  readonly standings: readonly (Standing & { readonly userId: string })[];
}

interface NewsRow {
  readonly channel: ChannelRow | null;
  readonly terms: readonly (readonly [kind: string, term: string])[] | null;
  readonly emotes: readonly ChannelEmote[] | null;
  readonly standings: ChannelNews['standings'] | null;
}

/**
 * What changed in a channel since a version of it, in one trip; and the room is noted as one to tell of changes at once. People's
 * standing is told for a quarter of an hour: rooms ask about each anew more often than that.
 * @param known -1: nothing yet. @returns undefined when there is no such stream.
 */
export async function readChannelNews(
  db: Db,
  streamId: string,
  known: number,
): Promise<ChannelNews | undefined> {
  const isNews = sql`coalesce(kept.version, 0) > ${known}::bigint`;
  const result = await db.execute(sql`
    WITH noted AS (
      INSERT INTO chat_open_rooms AS open (stream_id, owner_id) SELECT id, owner_id FROM streams WHERE id = ${streamId}::uuid
      ON CONFLICT (stream_id) DO UPDATE SET seen_at = now() WHERE open.seen_at < now() - interval '3 minutes'
    )
    SELECT ${channelJson} AS channel,
      CASE WHEN ${isNews} THEN (SELECT coalesce(json_agg(json_build_array(kind, term)), '[]')
        FROM chat_terms WHERE owner_id = stream.owner_id) END AS terms,
      CASE WHEN ${isNews} THEN (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'format', format,
          'members_only', members_only)), '[]')
        FROM emotes WHERE owner_id = stream.owner_id AND state = 'approved') END AS emotes,
      CASE WHEN ${isNews} THEN (
        SELECT json_agg(decided) FROM (
          SELECT person.id AS "userId", ${standingColumns(sql`person.id`, sql`stream.owner_id`)}
          FROM users AS person WHERE person.id IN (
            SELECT target_id FROM chat_actions WHERE owner_id = stream.owner_id AND version > ${known}::bigint
              AND at > now() - interval '15 minutes')
          LIMIT 1000
        ) AS decided
      ) END AS standings
    FROM streams AS stream LEFT JOIN chat_settings AS kept ON kept.owner_id = stream.owner_id
    WHERE stream.id = ${streamId}::uuid`);
  const [found] = result.rows as unknown as NewsRow[];
  if (found === undefined) return undefined;
  const row = found.channel ?? freshChannel;
  const termsOf = (kind: string) => (found.terms ?? []).flatMap(([of, term]) => (of === kind ? [term] : []));
  return {
    version: row.version,
    settings: settingsInForce(row),
    rules:
      found.terms === null
        ? undefined
        : {
            version: row.version,
            blocked: termsOf('blocked'),
            permitted: termsOf('permitted'),
            autoModeration: autoModerationInForce(row),
            emotes: (found.emotes ?? []).map((emote) => ({ ...emote, id: encodeId('emote', emote.id) })),
            isStrict: row.shield,
          },
    standings: found.standings ?? [],
  };
}
