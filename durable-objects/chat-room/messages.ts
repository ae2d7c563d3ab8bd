import { encodeId } from '../../src/shared/ids.ts';
import type { Drop } from './decide.ts';
import type { LogStore } from './log-store.ts';
import type { Author, ChatEvent, ChatterFacts, Fragment, Quote, SendResult } from './protocol.ts';

const quoteLength = 100;

/** The answer to a message that is not said. */
export function dropped({ code, message, retryAfterMs }: Drop): SendResult & { readonly is_sent: false } {
  const wait = retryAfterMs === undefined ? {} : { retry_after_ms: Math.ceil(retryAfterMs) };
  return { is_sent: false, drop_reason: { code, message, ...wait } };
}

/** Somebody as others see them. */
export function authorOf({
  userId,
  username,
  displayName,
  role,
  isMember,
  botMessages,
  color,
}: ChatterFacts): Author {
  const id = encodeId('user', userId);
  const bot = botMessages === null ? {} : { bot: true as const };
  const chosen = color === null ? {} : { color };
  return { id, username, name: displayName, role, member: isMember, ...bot, ...chosen };
}

export function messageEvent(
  id: string,
  facts: ChatterFacts,
  fragments: readonly Fragment[],
  quote: Quote | undefined,
): ChatEvent {
  return {
    type: 'message',
    id,
    author: authorOf(facts),
    fragments,
    ...(quote === undefined ? {} : { reply_to: quote }),
  };
}

/** Names of those a message speaks to. */
export const mentionsIn = (event: ChatEvent, fragments: readonly Fragment[]): string[] => [
  ...new Set([
    ...fragments.flatMap((fragment) => (fragment.type === 'mention' ? [fragment.username] : [])),
    ...(event.type === 'message' && event.reply_to !== undefined ? [event.reply_to.author] : []),
  ]),
];

/** A message as it is quoted; undefined when it is gone or without words. */
export function quoteOf(log: LogStore, messageId: string | undefined): Quote | undefined {
  const event = messageId === undefined ? undefined : log.message(messageId)?.event;
  if (event?.type !== 'message' || event.deleted === true) return undefined;
  const text = event.fragments.map((fragment) => fragment.text).join('');
  return { message_id: event.id, author: event.author.username, text: text.slice(0, quoteLength) };
}
