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

export const emojiOf = (name: string): string | undefined =>
  Object.hasOwn(globalEmotes, name) ? globalEmotes[name] : undefined;
