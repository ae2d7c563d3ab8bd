import type { EmoteLook, Fragment } from './protocol.ts';

// Users' names as registration takes them; addresses only of the web; emotes by their name between colons.
const parts =
  /(?<link>https?:\/\/[^\s<>"]{1,400})|(?<=^|[^\p{L}\p{N}_@])@(?<mention>[a-z0-9_]{3,30})(?![\p{L}\p{N}_])|:(?<emote>[A-Za-z0-9]{2,32}):/giu;

/**
 * Cuts a message into fragments, whose texts put together are the message. Clients never parse markup.
 * @param lookOf what stands for an emote that this person can use.
 */
export function fragmentsOf(text: string, lookOf: (name: string) => EmoteLook | undefined): Fragment[] {
  const fragments: Fragment[] = [];
  let textFrom = 0;
  for (const match of text.matchAll(parts)) {
    const fragment = fragmentOf(match, lookOf);
    if (fragment === undefined) continue;
    if (match.index > textFrom) fragments.push({ type: 'text', text: text.slice(textFrom, match.index) });
    fragments.push(fragment);
    textFrom = match.index + fragment.text.length;
  }
  if (textFrom < text.length) fragments.push({ type: 'text', text: text.slice(textFrom) });
  return fragments;
}

function fragmentOf(
  match: RegExpExecArray,
  lookOf: (name: string) => EmoteLook | undefined,
): Fragment | undefined {
  const [text] = match;
  const { link, mention, emote } = match.groups ?? {};
  if (mention !== undefined) return { type: 'mention', text, username: mention.toLowerCase() };
  if (emote !== undefined) {
    const look = lookOf(emote);
    return look === undefined ? undefined : { type: 'emote', text, name: emote, ...look };
  }
  // What ends a sentence is not part of an address.
  const address = link?.replace(/[.,!?;:)\]'"]+$/, '') ?? '';
  const url = URL.parse(address);
  return url === null ? undefined : { type: 'link', text: address, url: url.href };
}
