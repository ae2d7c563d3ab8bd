import { boosters, emojiWeights, english, foreign, negations, wordWeights } from './lexicon.ts';
import type { Fragment } from './protocol.ts';

export type Mood = 'positive' | 'neutral' | 'negative';

const negationReach = 3;
/** A negated word counts the other way, and less: "not great" is weaker than "bad". */
const negated = -0.74;
/** What comes after a "but" is what is meant. */
const beforeBut = 0.5;
const afterBut = 1.5;
/** Makes any sum a number between -1 and 1, as VADER does. */
const damping = 15;
const threshold = 0.2;
const shout = 1.2;

interface Token {
  readonly word: string;
  readonly isShouted: boolean;
}

const tokens = /[\p{L}\p{M}'’]+/gu;
const emoji = /\p{Extended_Pictographic}/gu;
/** More emoji of a message than these say nothing new. */
const countedEmoji = 5;

/** "sooooo" is "so", and "goood" is "good": a letter that stands there three times or more is one, or two where that is a word. */
function plain(word: string): string {
  const twice = word.replaceAll(/(.)\1{2,}/gu, '$1$1');
  if (twice === word || wordWeights.has(twice)) return twice;
  return word.replaceAll(/(.)\1{2,}/gu, '$1');
}

function tokensOf(text: string): Token[] {
  return [...text.matchAll(tokens)].map(([match]) => ({
    word: plain(match.toLowerCase().replaceAll('’', "'")),
    isShouted: match.length > 2 && match === match.toUpperCase() && match !== match.toLowerCase(),
  }));
}

function isForeign(said: readonly Token[]): boolean {
  const hits = (set: ReadonlySet<string>): number => said.filter(({ word }) => set.has(word)).length;
  return hits(foreign) > hits(english);
}

function wordsSum(said: readonly Token[]): number {
  const but = said.findLastIndex(({ word }) => word === 'but' || word === 'however');
  const allShouted = said.every(({ isShouted }) => isShouted);
  let sum = 0;
  for (const [index, { word, isShouted }] of said.entries()) {
    // "no" by itself is a mood; before another word it is a negation.
    const isOnlyNegation = negations.has(word) && said.length > 1;
    const weight = isOnlyNegation ? undefined : wordWeights.get(word);
    if (weight === undefined) continue;
    const before = said.slice(Math.max(0, index - negationReach), index).map((token) => token.word);
    const boost = boosters.get(before.at(-1) ?? '') ?? 1;
    const turn = before.some((word) => negations.has(word)) ? negated : 1;
    const place = but === -1 ? 1 : index < but ? beforeBut : afterBut;
    sum += weight * boost * turn * place * (isShouted && !allShouted ? shout : 1);
  }
  return sum;
}

function emojiSum(text: string): number {
  let sum = 0;
  for (const [character] of [...text.matchAll(emoji)].slice(0, countedEmoji))
    sum += emojiWeights.get(character) ?? 0;
  return sum;
}

/**
 * How glad or angry a message is, from -1 to 1, by a lexicon: English words with what negates and strengthens them, and emoji of
 * any language. Words of other languages, and what the lexicon does not know, are 0.
 */
export function sentimentOf(text: string): number {
  const said = tokensOf(text);
  const sum = (isForeign(said) ? 0 : wordsSum(said)) + emojiSum(text);
  return sum === 0 ? 0 : sum / Math.sqrt(sum * sum + damping);
}

export function moodOf(score: number): Mood {
  if (score >= threshold) return 'positive';
  return score <= -threshold ? 'negative' : 'neutral';
}

/** What a message says for `sentimentOf`: emotes as the character that stands for them, without names and addresses. */
export const spokenOf = (fragments: readonly Fragment[]): string =>
  fragments
    .map((part) => {
      if (part.type === 'text') return part.text;
      return part.type === 'emote' && part.emoji !== undefined ? part.emoji : ' ';
    })
    .join('');
