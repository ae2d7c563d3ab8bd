import type { ChannelEmote } from '../../src/modules/chat/policy/rules.ts';
import type { ChatterFacts, EmoteLook } from './protocol.ts';

/** Emotes every room has, with the character that stands for each. Written as `:name:`. */
export const globalEmotes: Readonly<Record<string, string>> = {
  angry: '😠',
  clap: '👏',
  confused: '😕',
  cool: '😎',
  cry: '😢',
  eyes: '👀',
  fire: '🔥',
  gg: '🏁',
  heart: '❤️',
  hype: '🎉',
  laugh: '😂',
  love: '😍',
  no: '👎',
  ok: '👌',
  party: '🥳',
  pray: '🙏',
  rocket: '🚀',
  sad: '🙁',
  salute: '🫡',
  shrug: '🤷',
  skull: '💀',
  smile: '😄',
  star: '⭐',
  sweat: '😅',
  think: '🤔',
  wave: '👋',
  wow: '😮',
  yes: '👍',
};

/** What stands for an emote as this person may use it: those of members are for members, and the owner. */
export function emotesFor(
  channel: readonly ChannelEmote[],
  { isMember, role }: Pick<ChatterFacts, 'isMember' | 'role'>,
): (name: string) => EmoteLook | undefined {
  return (name) => {
    const emoji = Object.hasOwn(globalEmotes, name) ? globalEmotes[name] : undefined;
    if (emoji !== undefined) return { emoji };
    const own = channel.find((emote) => emote.name === name);
    if (own === undefined || (own.members_only && !isMember && role !== 'owner')) return undefined;
    return { emote_id: own.id, format: own.format };
  };
}
