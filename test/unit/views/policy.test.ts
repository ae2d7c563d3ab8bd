import { describe, expect, it } from 'vitest';
import type { SessionFacts } from '../../../durable-objects/view-counter/protocol.ts';
import { nextBeatSeconds, shardsFor } from '../../../durable-objects/view-counter/pulse.ts';
import { isView, type SessionState } from '../../../durable-objects/view-counter/session.ts';
import { botSignsOf, deviceOf, isBot } from '../../../src/modules/views/policy/clients.ts';
import { maxTokenLength, openSession, sealSession } from '../../../src/modules/views/policy/session-token.ts';
import { shardOf, strangerViewer, userViewer } from '../../../src/modules/views/policy/viewers.ts';
import { randomIds } from '../../../src/shared/ids.ts';

const secret = 'a secret of the tests, long enough';

describe('viewers', () => {
  it.each([
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
      'desktop',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1',
      'mobile',
    ],
    ['Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15', 'tablet'],
    [
      'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36',
      'mobile',
    ],
    ['Mozilla/5.0 (Linux; Android 14; SM-X910) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36', 'tablet'],
    ['Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 Chrome/120.0 Safari/537.36', 'tv'],
    ['Mozilla/5.0 (PlayStation; PlayStation 5/9.00) AppleWebKit/605.1.15', 'console'],
    ['Dalvik/2.1.0 (Linux; U; Android 15; Pixel 9 Build/AP4A) okhttp/4.12.0 Mobile', 'mobile'],
  ])('watch on what their browser says: %s', (userAgent, device) => {
    expect(isBot(userAgent, undefined)).toBe(false);
    expect(deviceOf(userAgent)).toBe(device);
  });

  it.each([
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0) Chrome/140.0 Safari/537.36',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0.0.0 Safari/537.36',
    'curl/8.5.0',
    'python-requests/2.32.3',
    'facebookexternalhit/1.1',
    '',
    '   ',
    undefined,
  ])('are not programs: %s', (userAgent) => expect(isBot(userAgent, undefined)).toBe(true));

  it('are judged by Cloudflare where it judges', () => {
    const browser = 'Mozilla/5.0 (Windows NT 10.0) Firefox/140.0';
    const judged = (botManagement: unknown) => isBot(browser, botSignsOf({ botManagement }));
    expect(judged({ score: 1 })).toBe(true);
    expect(judged({ score: 29 })).toBe(true);
    expect(judged({ score: 30 })).toBe(false);
    expect(judged({ score: 99, verifiedBot: true })).toBe(true);
    // 0: not computed.
    expect(judged({ score: 0 })).toBe(false);
    for (const odd of [undefined, null, 'bot', { score: 'low' }]) expect(judged(odd)).toBe(false);
  });

  it('are the same in one network and browser on one day, and strangers on the next', async () => {
    const from = { ip: '198.51.100.7', userAgent: 'a browser' };
    const today = await strangerViewer(secret, 'aa'.repeat(32), from);
    expect(today).toMatch(/^[0-9a-f]{32}$/);
    expect(await strangerViewer(secret, 'aa'.repeat(32), { ...from })).toBe(today);
    expect(await strangerViewer(secret, 'bb'.repeat(32), from)).not.toBe(today);
    expect(await strangerViewer(secret, 'aa'.repeat(32), { ...from, ip: '198.51.100.8' })).not.toBe(today);
    expect(await strangerViewer(secret, 'aa'.repeat(32), { ...from, userAgent: 'another' })).not.toBe(today);
    const v6 = (ip: string) => strangerViewer(secret, 'aa'.repeat(32), { ...from, ip });
    expect(await v6('2001:db8:1:2::1')).toBe(await v6('2001:db8:1:2:ffff::9'));
    expect(await userViewer(secret, 'one')).not.toBe(await userViewer(secret, 'two'));
  });

  it('are always counted by the same object, and all objects get some', () => {
    const viewers = Array.from({ length: 500 }, () => randomIds.next().replaceAll('-', ''));
    expect(new Set(viewers.map((viewer) => shardOf(viewer, 1)))).toEqual(new Set([0]));
    const used = new Set(viewers.map((viewer) => shardOf(viewer, 8)));
    expect([...used].toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const viewer of viewers) expect(shardOf(viewer, 8)).toBe(shardOf(viewer, 8));
  });
});

describe('a session token', () => {
  const facts: SessionFacts = {
    id: randomIds.next(),
    videoId: randomIds.next(),
    ownerId: randomIds.next(),
    shard: 64,
    viewer: 'f'.repeat(32),
    userId: randomIds.next(),
    durationMs: 604_800_000,
    counted: false,
    source: 'notification',
    referrer: `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`,
    country: 'DE',
    device: 'desktop',
    startedAtMs: 1_800_000_000_000,
    expiresAtMs: 1_800_000_000_000,
    knownViews: Number.MAX_SAFE_INTEGER,
  };

  it('holds what it was made of, however much that is', async () => {
    const token = await sealSession(secret, facts);
    expect(token.length).toBeLessThanOrEqual(maxTokenLength);
    expect(await openSession(secret, token)).toEqual(facts);
  });

  it('is nothing under another secret, cut, prolonged or changed anywhere', async () => {
    const token = await sealSession(secret, facts);
    expect(await openSession(`${secret}!`, token)).toBeUndefined();
    for (const odd of ['', '.', '..', `${token}.`, `${token}A`, token.slice(1), token.replace('.', '')])
      expect(await openSession(secret, odd)).toBeUndefined();
    for (let at = 0; at < token.length; at += 7) {
      const other = token[at] === 'A' ? 'B' : 'A';
      expect(await openSession(secret, token.slice(0, at) + other + token.slice(at + 1))).toBeUndefined();
    }
  });
});

describe('the load of a video', () => {
  it('is spread in powers of two, at once when it grows and by halves when it falls', () => {
    expect([0, 250, 251, 600, 2_000, 1e6].map((rate) => shardsFor(rate, 1))).toEqual([1, 1, 2, 4, 8, 64]);
    expect(shardsFor(0, 64)).toBe(32);
    expect(shardsFor(0, 2)).toBe(1);
    expect(shardsFor(0, 1)).toBe(1);
  });

  it('slows players down where one object gets too much', () => {
    expect([0, 500, 501, 1_200, 1e6].map(nextBeatSeconds)).toEqual([5, 5, 10, 15, 30]);
  });
});

describe('a session', () => {
  const viewAfter = (watched: number, durationMs: number): boolean => {
    const spans = watched === 0 ? [] : ([[0, watched]] as const);
    return isView({ progress: { spans } } as unknown as SessionState, { durationMs });
  };

  it.each([
    [2_999, 60_000, false],
    [3_000, 60_000, true],
    // A film of a second, of which the player reached all but the last frames.
    [749, 1_000, false],
    [750, 1_000, true],
    [2_748, 2_999, false],
    [2_749, 2_999, true],
    [0, 100, false],
    [50, 100, true],
  ])('that watched %d ms of %d ms is a view: %s', (watched, durationMs, expected) => {
    expect(viewAfter(watched, durationMs)).toBe(expected);
  });
});
