import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  comparable,
  counting,
  reasonToDrop,
  type Writer,
} from '../../../durable-objects/chat-room/decide.ts';
import { fragmentsOf } from '../../../durable-objects/chat-room/fragments.ts';
import {
  type ChatSettings,
  type ChatterFacts,
  openSettings,
} from '../../../durable-objects/chat-room/protocol.ts';

const now = 1_800_000_000_000;
const viewer: ChatterFacts = {
  userId: 'u',
  username: 'ada',
  displayName: 'Ada',
  role: 'viewer',
  isMember: false,
  followsSinceMs: null,
  ban: null,
  warning: null,
  botMessages: null,
  color: null,
  version: 0,
};

function codeOf(options: {
  readonly facts?: Partial<ChatterFacts>;
  readonly settings?: Partial<ChatSettings>;
  readonly sentAtMs?: readonly number[];
  readonly lastText?: string;
  readonly text?: string;
  readonly isKnown?: boolean;
  readonly counted?: Writer['counted'];
}) {
  const text = options.text ?? 'hello';
  const writer: Writer = {
    facts: { ...viewer, ...options.facts },
    sentAtMs: options.sentAtMs ?? [],
    lastText: options.lastText,
    counted: options.counted ?? [],
  };
  const said = {
    text,
    fragments: fragmentsOf(text, (name) => (name === 'wave' ? { emoji: '👋' } : undefined)),
    isKnown: () => options.isKnown === true,
  };
  const drop = reasonToDrop(writer, { ...openSettings, ...options.settings }, said, now);
  return drop === undefined ? undefined : [drop.code, drop.retryAfterMs];
}

describe('a message', () => {
  it('is said where nothing speaks against it', () => {
    expect(codeOf({})).toBeUndefined();
  });

  it('of somebody banned is not said, of somebody whose ban is over is', () => {
    expect(codeOf({ facts: { ban: { untilMs: null } } })).toEqual(['msg_banned', undefined]);
    expect(codeOf({ facts: { ban: { untilMs: now + 5_000 } } })).toEqual(['msg_timedout', 5_000]);
    expect(codeOf({ facts: { ban: { untilMs: now } } })).toBeUndefined();
    expect(codeOf({ facts: { role: 'moderator', ban: { untilMs: null } } })).toEqual([
      'msg_banned',
      undefined,
    ]);
  });

  it.each([
    [{ members_only: true }, {}, ['msg_subsonly', undefined]],
    [{ members_only: true }, { isMember: true }, undefined],
    [{ followers_only_minutes: 10 }, {}, ['msg_followersonly', undefined]],
    [{ followers_only_minutes: 10 }, { followsSinceMs: now - 540_000 }, ['msg_followersonly', 60_000]],
    [{ followers_only_minutes: 10 }, { followsSinceMs: now - 600_000 }, undefined],
    [{ followers_only_minutes: 0 }, { followsSinceMs: now }, undefined],
    [{ followers_only_minutes: 10 }, { isMember: true }, undefined],
    [{ emote_only: true }, {}, ['msg_emoteonly', undefined]],
  ] as const)('under %j of %j is told %j', (settings, facts, expected) => {
    expect(codeOf({ settings, facts })).toEqual(expected);
    for (const role of ['owner', 'moderator', 'vip'] as const)
      expect(codeOf({ settings, facts: { ...facts, role } })).toBeUndefined();
  });

  it('of nothing but emotes is said where only those are', () => {
    expect(codeOf({ settings: { emote_only: true }, text: ':wave: :wave:' })).toBeUndefined();
    expect(codeOf({ settings: { emote_only: true }, text: ':unknown:' })?.[0]).toBe('msg_emoteonly');
  });

  it('waits for the pause of slow mode, to the millisecond', () => {
    const settings = { slow_seconds: 30 };
    expect(codeOf({ settings, sentAtMs: [now - 29_999] })).toEqual(['msg_slowmode', 1]);
    expect(codeOf({ settings, sentAtMs: [now - 30_000] })).toBeUndefined();
    expect(codeOf({ settings, sentAtMs: [now - 1_000], facts: { role: 'vip' } })).toBeUndefined();
  });

  it('is the twentieth at most in any thirty seconds; of moderators the hundredth', () => {
    const sent = (count: number) => Array.from({ length: count }, (_, index) => now - 29_999 + index);
    expect(codeOf({ sentAtMs: sent(19) })).toBeUndefined();
    expect(codeOf({ sentAtMs: sent(20) })).toEqual(['msg_ratelimit', 1]);
    expect(codeOf({ sentAtMs: sent(20).map((at) => at - 1) })).toBeUndefined();
    expect(codeOf({ sentAtMs: sent(99), facts: { role: 'moderator' } })).toBeUndefined();
    expect(codeOf({ sentAtMs: sent(100), facts: { role: 'moderator' } })?.[0]).toBe('msg_ratelimit');
  });

  it('is not the last one again, whatever its spaces and invisible characters', () => {
    const last = { lastText: comparable('Hello  World'), sentAtMs: [now - 10_000] };
    for (const text of ['hello world', ' HELLO WORLD', 'hel\u200blo world', 'ｈｅｌｌｏ world'])
      expect(codeOf({ ...last, text })?.[0], text).toBe('msg_duplicate');
    expect(codeOf({ ...last, text: 'hello worlds' })).toBeUndefined();
    expect(codeOf({ ...last, sentAtMs: [now - 30_000], text: 'hello world' })).toBeUndefined();
  });

  it('is new to the room where nothing may be said twice', () => {
    expect(codeOf({ settings: { unique_only: true }, isKnown: true })).toEqual(['msg_r9k', undefined]);
    expect(codeOf({ settings: { unique_only: true } })).toBeUndefined();
  });
});

describe('a bot', () => {
  const bot: Partial<ChatterFacts> = { botMessages: 50 };

  it('is held to its own rate, may repeat itself, and is bound by modes as others are', () => {
    const second = Math.floor(now / 1_000);
    expect(codeOf({ facts: bot, counted: [[second - 1, 49]], lastText: 'hello', sentAtMs: [now - 1] })).toBe(
      undefined,
    );
    expect(codeOf({ facts: bot, counted: [[second - 10, 50]] })).toEqual(['msg_ratelimit', 21_000]);
    expect(codeOf({ facts: bot, counted: [[second - 31, 50]] })).toBeUndefined();
    expect(codeOf({ facts: bot, settings: { members_only: true } })).toEqual(['msg_subsonly', undefined]);
  });

  it('never writes more in any 30 seconds than its rate, and as much as that in the long run', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2_000 }), { minLength: 200, maxLength: 400 }),
        (pauses) => {
          const facts = { ...viewer, botMessages: 20 };
          const sent: number[] = [];
          let writer: Writer = { facts, sentAtMs: [], lastText: undefined, counted: [] };
          let atMs = now;
          for (const pause of pauses) {
            atMs += pause;
            const said = { text: 'beep', fragments: [], isKnown: () => false };
            if (reasonToDrop(writer, openSettings, said, atMs) !== undefined) continue;
            writer = { ...writer, counted: counting(writer, atMs) };
            sent.push(atMs);
          }
          for (const [index, at] of sent.entries())
            expect(sent.slice(index).filter((other) => other < at + 30_000).length).toBeLessThanOrEqual(20);
          const lastedMs = atMs - now;
          const offered = Math.min(pauses.length, (lastedMs / 31_000) * 20);
          expect(sent.length).toBeGreaterThanOrEqual(Math.floor(offered) - 20);
        },
      ),
      { numRuns: 200 },
    );
  });
});
