import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createJudge } from '../../../src/modules/chat/policy/auto-moderation.ts';
import {
  type AutoModeration,
  autoModerationInForce,
  type ChannelRow,
  type ChannelRules,
  defaultShieldPreset,
  noAutoModeration,
  settingsInForce,
} from '../../../src/modules/chat/policy/rules.ts';
import { createMatcher, createTermList } from '../../../src/modules/chat/policy/terms.ts';

const isBlocked = (term: string, text: string, isWithinWords = false): boolean =>
  createTermList([term], { isWithinWords })(text);

describe('a blocked term', () => {
  it.each([
    ['badword', 'what a badword!', true],
    ['badword', 'badwords', false],
    ['badword', 'notbadword', false],
    ['badword*', 'badwords everywhere', true],
    ['*badword', 'notbadword', true],
    ['*badword*', 'xxbadwordsxx', true],
    ['two words', 'say two   words now', true],
    ['two words', 'two of words', false],
    ['café', 'CAFE', true],
    ['badword', 'BÁDWÖRD', true],
    // Cyrillic а and о, and a zero-width space.
    ['badword', 'b\u0430dw\u043Erd', true],
    ['badword', 'bad\u200Bword', true],
    ['badword', 'ｂａｄｗｏｒｄ', true],
    ['badword', 'b4dw0rd', true],
    ['badword', 'b@dword', true],
    ['badword', 'b a d w o r d', true],
    ['badword', 'b.a-d_w.o.r.d', true],
    ['badword', 'baaaadwooord', true],
    ['good', 'goooood', true],
    ['7', 'lucky 7', true],
    ['a.b', 'a b', true],
    ['.*', 'anything at all', false],
    ['слово', 'плохое слово', true],
  ])('%s in "%s": %s', (term, text, expected) => {
    expect(isBlocked(term, text)).toBe(expected);
  });

  it('counts within words while the shield is up', () => {
    expect(isBlocked('bad', 'embadden')).toBe(false);
    expect(isBlocked('bad', 'embadden', true)).toBe(true);
  });

  it('is found with 499 others in a long text, in time that grows with its length only', () => {
    const terms = Array.from({ length: 500 }, (_, index) => `*${'a'.repeat(index % 90)}b${index}*`);
    const list = createTermList(terms);
    expect(list('a'.repeat(500))).toBe(false);
    expect(list(`${'a'.repeat(400)}b499 x`)).toBe(true);
  });
});

it('a matcher finds what a search for each pattern finds', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', ' '), minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('a', 'b', ' '), maxLength: 40 }),
      (patterns, text) => {
        const matcher = createMatcher(patterns.map((pattern) => [pattern, pattern] as const));
        const expected = new Set(patterns.filter((pattern) => text.includes(pattern)));
        expect(matcher.find(text)).toEqual(expected);
        expect(matcher.has(text)).toBe(expected.size > 0);
      },
    ),
    { numRuns: 2_000 },
  );
});

const rules = (more: Partial<ChannelRules> = {}): ChannelRules => ({
  version: 1,
  blocked: [],
  permitted: [],
  autoModeration: noAutoModeration,
  emotes: [],
  isStrict: false,
  ...more,
});
const levels = (more: Partial<AutoModeration>): AutoModeration => ({ ...noAutoModeration, ...more });

describe('auto-moderation', () => {
  it.each([
    [{ profanity: 4 }, 'damn, nice', { category: 'profanity', severity: 1 }],
    [{ profanity: 3 }, 'damn, nice', undefined],
    [{ profanity: 2 }, 'what the f u c k', { category: 'profanity', severity: 3 }],
    [{ profanity: 1 }, 'what the fuck', undefined],
    [{ harassment: 1 }, 'just kill yourself', { category: 'harassment', severity: 4 }],
    [{ harassment: 1, profanity: 4 }, 'damn, kill yourself', { category: 'harassment', severity: 4 }],
    [{ sexual: 4 }, 'kill yourself', undefined],
    [{ hate: 1 }, 'h3il h1tler', { category: 'hate', severity: 4 }],
    [{ violence: 2 }, 'I will murder you', { category: 'violence', severity: 4 }],
    [{ hold_links: true }, 'hello', undefined],
  ])('at %j, of "%s": %j', (chosen, text, expected) => {
    const judge = createJudge(rules({ autoModeration: levels(chosen) }));
    expect(judge.suspicionOf(text, false)).toEqual(expected);
  });

  it('says nothing of ordinary talk, however high it is set', () => {
    const all = { harassment: 4, sexual: 4, hate: 4, violence: 4, profanity: 4 };
    const judge = createJudge(rules({ autoModeration: levels(all) }));
    for (const text of [
      'Hello everybody, great stream today!',
      'class assignment in Scunthorpe, then cocktails and a peacock',
      'I assume the analysis of the document passes',
      'GG, what a match. See you at 10:30 on 2026-11-27',
      'the dictionary has a shell script for the therapist',
    ])
      expect(judge.suspicionOf(text, false), text).toBeUndefined();
  });

  it('holds links where it is told to, and nothing at level 0', () => {
    const judge = createJudge(rules({ autoModeration: levels({ hold_links: true }) }));
    expect(judge.suspicionOf('look', true)).toEqual({ category: 'links', severity: 1 });
    expect(createJudge(rules()).suspicionOf('kill yourself', true)).toBeUndefined();
  });

  it('leaves permitted terms alone, though not what else is said, and not while the shield is up', () => {
    const some = { autoModeration: levels({ profanity: 4 }), permitted: ['damn', 'bloody hell'] };
    const judge = createJudge(rules(some));
    expect(judge.suspicionOf('damn damn, bloody hell', false)).toBeUndefined();
    expect(judge.suspicionOf('damn shit', false)).toEqual({ category: 'profanity', severity: 2 });
    expect(createJudge(rules({ ...some, isStrict: true })).suspicionOf('damn', false)).toBeDefined();
  });
});

describe('a shield', () => {
  const row = (more: Partial<ChannelRow> = {}): ChannelRow => ({
    settings: {
      slow_seconds: 60,
      members_only: false,
      followers_only_minutes: null,
      emote_only: false,
      unique_only: true,
      moderator_delay_seconds: 0,
    },
    auto_moderation: { hate: 1 },
    shield: false,
    shield_preset: null,
    version: 1,
    ...more,
  });

  it('makes settings stricter while it is up, never laxer, and changes nothing when it is down', () => {
    expect(settingsInForce(row())).toEqual({ ...row().settings, shield: false });
    expect(settingsInForce(row({ shield: true }))).toEqual({
      slow_seconds: 60,
      members_only: false,
      followers_only_minutes: 10,
      emote_only: false,
      unique_only: true,
      moderator_delay_seconds: 4,
      shield: true,
    });
    expect(autoModerationInForce(row())).toMatchObject({ hate: 1, sexual: 0, hold_links: false });
    expect(autoModerationInForce(row({ shield: true }))).toMatchObject({
      hate: 4,
      sexual: 4,
      hold_links: true,
    });
    const preset = { ...defaultShieldPreset, members_only: true, auto_moderation: 0 };
    const own = row({ shield: true, shield_preset: preset });
    expect(settingsInForce(own).members_only).toBe(true);
    expect(autoModerationInForce(own)).toMatchObject({ hate: 1, hold_links: false });
  });
});
