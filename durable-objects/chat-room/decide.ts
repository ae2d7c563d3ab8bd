import type { ChatRole, ChatSettings, ChatterFacts, DropCode, Fragment } from './protocol.ts';

export interface Drop {
  readonly code: DropCode;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** What is known of a writer when a message of theirs comes in. */
export interface Writer {
  readonly facts: ChatterFacts;
  /** When they sent their last messages, Unix milliseconds, oldest first. */
  readonly sentAtMs: readonly number[];
  /** Their last message, as `comparable` makes it. */
  readonly lastText: string | undefined;
  /** How much a bot has sent. */
  readonly counted: Counted;
}

/** Seconds, and how many messages were sent in each. */
export type Counted = readonly (readonly [second: number, messages: number])[];

interface Rate {
  readonly messages: number;
  readonly windowMs: number;
}

/** Twitch's limits: 20 messages in any 30 seconds, 100 for those who keep order. */
const viewerRate: Rate = { messages: 20, windowMs: 30_000 };
const moderatorRate: Rate = { messages: 100, windowMs: 30_000 };
const duplicateMs = 30_000;

export const isOwnerOrModerator = (role: ChatRole): boolean => role === 'owner' || role === 'moderator';
export const keepsOrder = ({ role }: Pick<ChatterFacts, 'role'>): boolean => isOwnerOrModerator(role);
export const isBanned = ({ ban }: Pick<ChatterFacts, 'ban'>, nowMs: number): boolean =>
  ban !== null && (ban.untilMs === null || ban.untilMs > nowMs);
const rateOf = (facts: ChatterFacts): Rate => (keepsOrder(facts) ? moderatorRate : viewerRate);
/** How many times of sending a writer's row must hold. */
export const sendsToRemember = (facts: ChatterFacts): number => rateOf(facts).messages;

/** Counts a message of a bot's, which may write too much for each to be remembered. */
export function counting({ facts, counted }: Writer, nowMs: number): Counted {
  if (facts.botMessages === null) return [];
  const second = Math.floor(nowMs / 1_000);
  const rest = within(counted, nowMs).filter(([at]) => at !== second);
  const messages = counted.find(([at]) => at === second)?.[1] ?? 0;
  return [...rest, [second, messages + 1]];
}

const within = (counted: Counted, nowMs: number): Counted =>
  counted.filter(([second]) => (second + 1) * 1_000 + viewerRate.windowMs > nowMs);

/** A text as it is compared with others: neither case nor spaces nor invisible characters make it another. */
export const comparable = (text: string): string =>
  text
    .normalize('NFKC')
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase()
    .replaceAll(/\s+/gu, ' ')
    .trim();

/**
 * Why a message is not said, if it is not; the first reason that applies, with how long to wait where waiting helps.
 * Modes of the room bind neither those who keep order nor VIPs.
 */
export function reasonToDrop(
  writer: Writer,
  settings: ChatSettings,
  said: {
    readonly text: string;
    readonly fragments: readonly Fragment[];
    /** Whether the same text stands in the room's log already. */
    readonly isKnown: () => boolean;
  },
  nowMs: number,
): Drop | undefined {
  const { facts } = writer;
  return (
    banned(facts, nowMs) ??
    warned(facts) ??
    (keepsOrder(facts) || facts.role === 'vip' ? undefined : againstModes(writer, settings, said, nowMs)) ??
    tooMany(writer, nowMs) ??
    repeated(writer, said.text, nowMs)
  );
}

function banned({ ban }: ChatterFacts, nowMs: number): Drop | undefined {
  if (ban === null) return undefined;
  if (ban.untilMs === null) return { code: 'msg_banned', message: 'You are banned from this chat.' };
  if (ban.untilMs <= nowMs) return undefined;
  return {
    code: 'msg_timedout',
    message: 'You may not write for a while.',
    retryAfterMs: ban.untilMs - nowMs,
  };
}

function warned({ warning }: ChatterFacts): Drop | undefined {
  if (warning === null) return undefined;
  return { code: 'msg_warned', message: 'You have been warned: acknowledge it before you write again.' };
}

function againstModes(
  { facts, sentAtMs }: Writer,
  settings: ChatSettings,
  said: { readonly fragments: readonly Fragment[]; readonly isKnown: () => boolean },
  nowMs: number,
): Drop | undefined {
  const { followers_only_minutes, slow_seconds } = settings;
  if (settings.members_only && !facts.isMember)
    return { code: 'msg_subsonly', message: 'Only members of the channel may write.' };
  if (followers_only_minutes !== null && !facts.isMember) {
    const since = facts.followsSinceMs;
    const waitMs = since === null ? undefined : since + followers_only_minutes * 60_000 - nowMs;
    if (waitMs === undefined || waitMs > 0)
      return {
        code: 'msg_followersonly',
        message: `Only those who have followed the channel for ${followers_only_minutes} minutes may write.`,
        ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
      };
  }
  if (settings.emote_only && said.fragments.some((part) => part.type !== 'emote' && part.text.trim() !== ''))
    return { code: 'msg_emoteonly', message: 'Only emotes may be sent.' };
  const waitMs = (sentAtMs.at(-1) ?? Number.NEGATIVE_INFINITY) + slow_seconds * 1_000 - nowMs;
  if (slow_seconds > 0 && waitMs > 0)
    return {
      code: 'msg_slowmode',
      message: `The room is in slow mode: one message in ${slow_seconds} seconds.`,
      retryAfterMs: waitMs,
    };
  if (settings.unique_only && said.isKnown())
    return { code: 'msg_r9k', message: 'Somebody said that already.' };
  return undefined;
}

function tooMany(writer: Writer, nowMs: number): Drop | undefined {
  const { facts, sentAtMs } = writer;
  if (facts.botMessages !== null)
    return tooManyOfBot(facts.botMessages, within(writer.counted, nowMs), nowMs);
  const { messages, windowMs } = rateOf(facts);
  const oldest = sentAtMs.at(-messages);
  if (oldest === undefined || oldest + windowMs <= nowMs) return undefined;
  return {
    code: 'msg_ratelimit',
    message: `No more than ${messages} messages in ${windowMs / 1_000} seconds.`,
    retryAfterMs: oldest + windowMs - nowMs,
  };
}

// By the second, so that what falls into the window's first is counted as a whole: never more than the rate, a little less at times.
function tooManyOfBot(limit: number, counted: Counted, nowMs: number): Drop | undefined {
  const sent = counted.reduce((sum, [, messages]) => sum + messages, 0);
  const [oldest] = counted;
  if (sent < limit || oldest === undefined) return undefined;
  return {
    code: 'msg_ratelimit',
    message: `No more than ${limit} messages in 30 seconds.`,
    retryAfterMs: (oldest[0] + 1) * 1_000 + viewerRate.windowMs - nowMs,
  };
}

function repeated({ facts, sentAtMs, lastText }: Writer, text: string, nowMs: number): Drop | undefined {
  const isRecent = (sentAtMs.at(-1) ?? Number.NEGATIVE_INFINITY) + duplicateMs > nowMs;
  if (keepsOrder(facts) || facts.botMessages !== null || !isRecent || lastText !== comparable(text))
    return undefined;
  return { code: 'msg_duplicate', message: 'You have just said that.' };
}
