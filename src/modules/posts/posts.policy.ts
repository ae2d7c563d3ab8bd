import { utf8 } from '../../shared/encoding.ts';
import { foldText } from '../../shared/text.ts';

/**
 * Part of a text that means something. Offsets are bytes of its UTF-8, `byteEnd` exclusive (as in atproto's richtext
 * facets).
 */
export type FacetCandidate = { readonly byteStart: number; readonly byteEnd: number } & (
  | { readonly type: 'mention'; readonly username: string }
  | { readonly type: 'hashtag'; readonly tag: string }
  | { readonly type: 'link'; readonly url: string }
);

export const maxFacets = 30;
export const maxMentions = 10;

const word = String.raw`\p{L}\p{M}\p{N}_`;
const link = String.raw`(?<![A-Za-z0-9_])(?<link>[hH][tT][tT][pP][sS]?:\/\/[^\s\p{Cc}\p{Cf}<>"\u0060\u3000-\u303f\uff00-\uffef]+)`;
const mention = String.raw`(?<![${word}/@＠])[@＠](?<mention>[A-Za-z0-9_]{3,30})(?![${word}@＠]|\.[\p{L}\p{N}])`;
const hashtag = String.raw`(?<![${word}/&#＃])[#＃](?<hashtag>[\p{L}\p{N}_](?:[${word}\u00b7\u200c]{0,62}[${word}])?)(?![${word}])`;
// One pass over alternatives, so that matches cannot overlap and nothing inside a link is a mention or a hashtag.
// No `i` flag: with `u` it would let U+017F and U+212A stand for s and k in usernames.
const features = new RegExp([link, mention, hashtag].join('|'), 'gu');

/**
 * Finds mentions (`@username`, by shape only), hashtags and http(s) links, in order of appearance. The text is not
 * changed: whatever is beyond the limits, or not quite a link, stays plain text.
 */
export function extractFacets(text: string): FacetCandidate[] {
  const facets: FacetCandidate[] = [];
  let mentions = 0;
  let position = 0;
  let bytes = 0;
  for (const match of text.matchAll(features)) {
    const found = meaningOf(match);
    if (found === undefined) continue;
    if (found.feature.type === 'mention' && ++mentions > maxMentions) continue;
    const byteStart = bytes + byteLength(text.slice(position, match.index));
    position = match.index + found.source.length;
    bytes = byteStart + byteLength(found.source);
    facets.push({ byteStart, byteEnd: bytes, ...found.feature });
    if (facets.length === maxFacets) break;
  }
  return facets;
}

type Feature =
  | { readonly type: 'mention'; readonly username: string }
  | { readonly type: 'hashtag'; readonly tag: string }
  | { readonly type: 'link'; readonly url: string };

function meaningOf(
  match: RegExpExecArray,
): { readonly source: string; readonly feature: Feature } | undefined {
  const { link, mention, hashtag } = match.groups ?? {};
  if (link !== undefined) {
    const url = trimLink(link);
    return isWebAddress(url) ? { source: url, feature: { type: 'link', url } } : undefined;
  }
  if (mention !== undefined) return { source: match[0], feature: { type: 'mention', username: mention } };
  const tag = foldText(hashtag ?? '');
  return /\p{L}/u.test(tag) ? { source: match[0], feature: { type: 'hashtag', tag } } : undefined;
}

const openers: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** Drops the punctuation that ends the sentence, not the address: `(see https://example.com/a_(b)).` */
function trimLink(link: string): string {
  const counts = new Map<string, number>();
  for (const character of link) counts.set(character, (counts.get(character) ?? 0) + 1);
  let end = link.length;
  for (; end > 0; end -= 1) {
    const last = link[end - 1] ?? '';
    const opener = openers[last];
    const closes = opener !== undefined && (counts.get(last) ?? 0) > (counts.get(opener) ?? 0);
    if (!closes && !/[.,;:!?'*_~…’”»]/.test(last)) break;
    counts.set(last, (counts.get(last) ?? 0) - 1);
  }
  return link.slice(0, end);
}

function isWebAddress(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.username === '' &&
    url.password === '' &&
    /[^.]\.[^.]|^\[/.test(url.hostname)
  );
}

const byteLength = (text: string): number => utf8(text).length;
