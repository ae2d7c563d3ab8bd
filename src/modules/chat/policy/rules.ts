import type { ChatSettings } from '../../../../durable-objects/chat-room/protocol.ts';

/** Of each kind, in one channel. */
export const maxTerms = 500;
export const maxTermLength = 100;

export const moderatedCategories = ['harassment', 'sexual', 'hate', 'violence', 'profanity'] as const;
export type ModeratedCategory = (typeof moderatedCategories)[number];

/** How much of each category is held for moderators to look at: from 0, nothing, to 4, all there is a word for. */
export type AutoModeration = Readonly<Record<ModeratedCategory, number>> & {
  /** Whether messages with links are held. */
  readonly hold_links: boolean;
};

export const noAutoModeration: AutoModeration = {
  harassment: 0,
  sexual: 0,
  hate: 0,
  violence: 0,
  profanity: 0,
  hold_links: false,
};

/** What a shield makes of the settings while it is up. */
export interface ShieldPreset {
  readonly slow_seconds: number;
  readonly members_only: boolean;
  readonly followers_only_minutes: number | null;
  readonly emote_only: boolean;
  readonly moderator_delay_seconds: number;
  /** The least level of every category; above 0, links are held too. */
  readonly auto_moderation: number;
}

/** For channels that chose none: nobody who came with a raid gets to write, and what others write is looked at. */
export const defaultShieldPreset: ShieldPreset = {
  slow_seconds: 30,
  members_only: false,
  followers_only_minutes: 10,
  emote_only: false,
  moderator_delay_seconds: 4,
  auto_moderation: 4,
};

/** What holds in the chat of a channel, as the database has it. */
export interface ChannelRow {
  readonly settings: Omit<ChatSettings, 'shield'>;
  readonly auto_moderation: Partial<AutoModeration>;
  readonly shield: boolean;
  readonly shield_preset: ShieldPreset | null;
  readonly version: number;
}

/** A picture of the channel's own that stands for a name, as the wire has it. */
export interface ChannelEmote {
  readonly id: string;
  readonly name: string;
  readonly format: 'png' | 'gif';
  readonly members_only: boolean;
}

/** What a room judges words by, and knows them by. */
export interface ChannelRules {
  readonly version: number;
  readonly blocked: readonly string[];
  readonly permitted: readonly string[];
  readonly autoModeration: AutoModeration;
  readonly emotes: readonly ChannelEmote[];
  /** The shield is up: blocked terms count within words, and nothing is permitted. */
  readonly isStrict: boolean;
}

const stricter = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.max(a, b);

/** The settings that hold: with the shield up, whatever is the stricter of theirs and its own. They come back when it goes down. */
export function settingsInForce(row: ChannelRow): ChatSettings {
  const { settings } = row;
  if (!row.shield) return { ...settings, shield: false };
  const preset = row.shield_preset ?? defaultShieldPreset;
  return {
    slow_seconds: Math.max(settings.slow_seconds, preset.slow_seconds),
    members_only: settings.members_only || preset.members_only,
    followers_only_minutes: stricter(settings.followers_only_minutes, preset.followers_only_minutes),
    emote_only: settings.emote_only || preset.emote_only,
    unique_only: settings.unique_only,
    moderator_delay_seconds: Math.max(settings.moderator_delay_seconds, preset.moderator_delay_seconds),
    shield: true,
  };
}

/** The auto-moderation that holds, in the same way. */
export function autoModerationInForce(row: ChannelRow): AutoModeration {
  const chosen = { ...noAutoModeration, ...row.auto_moderation };
  const least = row.shield ? (row.shield_preset ?? defaultShieldPreset).auto_moderation : 0;
  const levels = moderatedCategories.map(
    (category) => [category, Math.max(chosen[category], least)] as const,
  );
  return {
    ...(Object.fromEntries(levels) as Record<ModeratedCategory, number>),
    hold_links: chosen.hold_links || least > 0,
  };
}
