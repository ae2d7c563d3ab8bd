import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  extractFacets,
  type FacetCandidate,
  maxFacets,
  maxMentions,
} from '../../../src/modules/posts/posts.policy.ts';
import { foldText, isBlank } from '../../../src/shared/text.ts';

const encoder = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The part of a text a facet is about, cut out of its bytes; throws when the range cuts a character. */
const cut = (text: string, { byteStart, byteEnd }: FacetCandidate): string =>
  strict.decode(encoder.encode(text).subarray(byteStart, byteEnd));

const found = (text: string) =>
  extractFacets(text).map((facet) => {
    const value =
      facet.type === 'mention' ? facet.username : facet.type === 'hashtag' ? facet.tag : facet.url;
    return [facet.type, cut(text, facet), value];
  });

// Pieces that facets are made of, and pieces that break them.
const piece = fc.oneof(
  fc.constantFrom(
    '@',
    '＠',
    '#',
    '＃',
    '@alice',
    '@Bob_99',
    '#tag',
    '#Straße',
    '#日本語',
    'https://example.com',
    'http://ex.org/a_(b)?q=1#f',
    'https://',
    '(',
    ')',
    '.',
    ',',
    ' ',
    '\n',
    '👩‍👩‍👧',
    '🇩🇪',
    '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
    '#️⃣',
    'é',
    'e\u0301',
    '\u200d',
    '\u200c',
    '\u200f',
    'שלום',
    'مرحبا',
    '𝔘𝔫𝔦',
    '𐍈',
    "'; DROP TABLE posts; --",
    '<script>',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
);
const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));

describe('facets of any text', () => {
  it('are ranges in order that never overlap, never cut a character, and cover what they stand for', () => {
    fc.assert(
      fc.property(text, (input) => {
        const before = input.slice();
        const facets = extractFacets(input);
        expect(input).toBe(before);
        let end = 0;
        for (const facet of facets) {
          expect(facet.byteStart).toBeGreaterThanOrEqual(end);
          expect(facet.byteEnd).toBeGreaterThan(facet.byteStart);
          end = facet.byteEnd;
          const source = cut(input, facet);
          if (facet.type === 'mention') expect(source.replace('＠', '@')).toBe(`@${facet.username}`);
          else if (facet.type === 'hashtag') expect(facet.tag).toBe(foldText(source.replace(/^[#＃]/u, '')));
          else expect(facet.url).toBe(source);
        }
        expect(end).toBeLessThanOrEqual(encoder.encode(input).length);
      }),
      { numRuns: 3_000 },
    );
  });

  it('stay within the limits, and what is beyond them is plain text', () => {
    const crowd = Array.from({ length: 40 }, (_, index) => `@user_${index}`).join(' ');
    expect(extractFacets(crowd)).toHaveLength(maxMentions);
    const mixed = `${crowd} ${Array.from({ length: 40 }, (_, index) => `#tag${index}`).join(' ')}`;
    const facets = extractFacets(mixed);
    expect(facets).toHaveLength(maxFacets);
    expect(facets.filter(({ type }) => type === 'mention')).toHaveLength(maxMentions);
  });

  it('survive a text made to be slow', () => {
    for (const unit of ['#a', '@aaa', 'https://a', '(', '#'.repeat(3), '_', 'https://a.b/)', '@', '#1'])
      expect(Array.isArray(extractFacets(unit.repeat(16_000 / unit.length)))).toBe(true);
  });
});

describe('mentions', () => {
  it('are found between any punctuation and writing direction', () => {
    expect(found('.@alice (@bob_1) “@carol”, שלום @dan! ＠eve')).toEqual([
      ['mention', '@alice', 'alice'],
      ['mention', '@bob_1', 'bob_1'],
      ['mention', '@carol', 'carol'],
      ['mention', '@dan', 'dan'],
      ['mention', '＠eve', 'eve'],
    ]);
  });

  it('are counted in bytes behind characters of four bytes', () => {
    expect(extractFacets('👩‍👩‍👧 @alice')).toEqual([
      { byteStart: 19, byteEnd: 25, type: 'mention', username: 'alice' },
    ]);
  });

  it('are not seen in mail addresses, domain handles, or names of the wrong length or alphabet', () => {
    for (const plain of [
      'a@example.com',
      'é@alice',
      '@alice.com',
      '@@alice',
      '@alice@mastodon.social',
      '@al',
      `@${'a'.repeat(31)}`,
      '@aliceé',
      '@alice\u0301',
      '@\u017ftrange',
      '/@alice',
    ])
      expect([plain, found(plain)]).toEqual([plain, []]);
  });
});

describe('hashtags', () => {
  it('are folded so that spellings of one tag are one tag', () => {
    for (const [tag, folded] of [
      ['Straße', 'strasse'],
      ['STRASSE', 'strasse'],
      ['STRAẞE', 'strasse'],
      ['ΟΔΟΣ', 'οδοσ'],
      ['οδος', 'οδοσ'],
      ['ＡＢＣ', 'abc'],
      ['Cafe\u0301', 'café'],
      ['ﬁlm', 'film'],
      ['می\u200cخواهم', 'میخواهم'],
    ] as const)
      expect(found(`#${tag}`)).toEqual([['hashtag', `#${tag}`, folded]]);
  });

  it('fold alike in either case, to something that folds to itself, whatever the letter', () => {
    for (let codePoint = 0; codePoint < 0x20000; codePoint += 1) {
      const letter = String.fromCodePoint(codePoint);
      if (!/\p{L}/u.test(letter)) continue;
      const folded = foldText(letter);
      const forms = [folded, letter.toLowerCase(), letter.toUpperCase()].map(foldText);
      if (forms.some((form) => form !== folded)) expect([letter, ...forms]).toEqual([letter, folded]);
    }
  });

  it('need a letter, a beginning, and an end', () => {
    for (const plain of [
      '#',
      '#123',
      '#__',
      '#️⃣',
      '##tag',
      'a#tag',
      '&#x27;',
      '#\u3164',
      `#${'a'.repeat(65)}`,
    ])
      expect([plain, found(plain)]).toEqual([plain, []]);
    expect(found('#1st #2️⃣ #tag-line #love❤️')).toEqual([
      ['hashtag', '#1st', '1st'],
      ['hashtag', '#tag', 'tag'],
      ['hashtag', '#love', 'love'],
    ]);
  });
});

describe('links', () => {
  it('end where the address ends, not where the sentence does', () => {
    for (const [input, link] of [
      ['see https://example.com.', 'https://example.com'],
      ['(https://en.wikipedia.org/wiki/A_(b))', 'https://en.wikipedia.org/wiki/A_(b)'],
      ['[https://example.com/a?b=c&d=e#f]!', 'https://example.com/a?b=c&d=e#f'],
      ['看https://example.com/好。然后', 'https://example.com/好'],
      ['HTTPS://Example.COM/%F0%9F%8E%AC', 'HTTPS://Example.COM/%F0%9F%8E%AC'],
      ['http://[2001:db8::1]:8080/x', 'http://[2001:db8::1]:8080/x'],
      ['<https://example.com>', 'https://example.com'],
    ] as const)
      expect(found(input)).toEqual([['link', link, link]]);
  });

  it('are only for the web, and never carry credentials', () => {
    for (const plain of [
      'javascript:alert(1)',
      'ftp://example.com',
      'https://',
      'https://localhost',
      'https://user:secret@example.com',
      'https://user@example.com',
      'http://exa mple',
      'xhttps://example.com',
      'data:text/html,https',
    ])
      expect([plain, found(plain).filter(([type]) => type === 'link')]).toEqual([plain, []]);
  });

  it('hide the mentions and hashtags inside them', () => {
    expect(found('https://example.com/@alice/#tag')).toEqual([
      ['link', 'https://example.com/@alice/#tag', 'https://example.com/@alice/#tag'],
    ]);
  });
});

describe('blank text', () => {
  it('is text that shows nothing', () => {
    for (const blank of ['', ' \n', '\u200b\u200d', '\u3164', '\u00a0\u2003', '\u2060'])
      expect(isBlank(blank)).toBe(true);
    for (const seen of ['.', '👍', 'שלום', '\u0301']) expect(isBlank(seen)).toBe(false);
  });
});
