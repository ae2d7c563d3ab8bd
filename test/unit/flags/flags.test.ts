import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { flagsKey, isEnabled, loadFlags } from '../../../src/shared/flags/index.ts';
import { rolloutPosition } from '../../../src/shared/flags/rollout.ts';
import { encodeId } from '../../../src/shared/ids.ts';
import { testEnv } from '../../support/worker/env.ts';
import { httpContext, type LoggedLine } from '../../support/worker/http-app.ts';

const { FLAGS } = testEnv(env);
const users = (count: number) => Array.from({ length: count }, () => crypto.randomUUID());

/** Another isolate: it shares the document, not the memory. */
const isolate = (lines: LoggedLine[] = [], clock = { now: () => Date.now() }) => {
  const context = httpContext({}, lines);
  return { ...context, clock, bindings: { FLAGS: { get: FLAGS.get.bind(FLAGS) } as KVNamespace } };
};

const flagsFrom = async (document: unknown, lines: LoggedLine[] = []) => {
  await FLAGS.put(flagsKey, typeof document === 'string' ? document : JSON.stringify(document));
  return loadFlags(isolate(lines));
};

beforeEach(() => FLAGS.delete(flagsKey));

describe('feature flags', () => {
  it('have their defaults while nothing is said about them', async () => {
    const flags = await loadFlags(isolate());
    expect(isEnabled(flags, 'videoUploads', crypto.randomUUID())).toBe(true);
    expect(isEnabled(flags, 'followBackfill', undefined)).toBe(true);
  });

  it('can be switched off without a deploy, and are noticed within half a minute', async () => {
    let nowMs = Date.now();
    const scope = isolate([], { now: () => nowMs });
    expect(isEnabled(await loadFlags(scope), 'videoUploads', undefined)).toBe(true);
    await FLAGS.put(flagsKey, JSON.stringify({ videoUploads: { enabled: false } }));
    expect(isEnabled(await loadFlags(scope), 'videoUploads', undefined)).toBe(true);
    nowMs += 30_001;
    expect(isEnabled(await loadFlags(scope), 'videoUploads', undefined)).toBe(false);
  });

  it('reach about the share of users that was asked for, and keep everybody when the share grows', async () => {
    const everyone = users(4_000);
    let before = new Set<string>();
    for (const percent of [0, 1, 25, 60, 100]) {
      const flags = await flagsFrom({ videoUploads: { percent } });
      const now = new Set(everyone.filter((user) => isEnabled(flags, 'videoUploads', user)));
      expect(Math.abs(now.size / everyone.length - percent / 100)).toBeLessThan(0.04);
      for (const user of before) expect(now.has(user)).toBe(true);
      before = now;
    }
  });

  it('choose different users for different flags', async () => {
    const flags = await flagsFrom({ videoUploads: { percent: 50 }, followBackfill: { percent: 50 } });
    const both = users(2_000).filter(
      (user) => isEnabled(flags, 'videoUploads', user) && isEnabled(flags, 'followBackfill', user),
    );
    expect(both.length).toBeGreaterThan(350);
    expect(both.length).toBeLessThan(650);
  });

  it('can be set for one user, by public id, whatever else is said', async () => {
    const [beta, banned, other] = users(3) as [string, string, string];
    const flags = await flagsFrom({
      videoUploads: { enabled: false, users: { [encodeId('user', beta)]: true } },
      followBackfill: { users: { [encodeId('user', banned)]: false } },
    });
    expect(isEnabled(flags, 'videoUploads', beta)).toBe(true);
    expect(isEnabled(flags, 'videoUploads', other)).toBe(false);
    expect(isEnabled(flags, 'followBackfill', banned)).toBe(false);
    expect(isEnabled(flags, 'followBackfill', other)).toBe(true);
  });

  it('are on for strangers only when they are on for everybody', async () => {
    const flags = await flagsFrom({ videoUploads: { percent: 99 }, followBackfill: { percent: 100 } });
    expect(isEnabled(flags, 'videoUploads', undefined)).toBe(false);
    expect(isEnabled(flags, 'followBackfill', undefined)).toBe(true);
  });

  it('have their defaults, with a log line, when the document is broken', async () => {
    for (const document of [
      'not json',
      '[]',
      { videoUploads: { enabled: 'no' } },
      { videoUploads: { percent: 101 } },
      { videoUploads: { enabled: false, users: { alice: true } } },
      { videoUploads: { enabled: false, unknown: 1 } },
    ]) {
      const lines: LoggedLine[] = [];
      expect(isEnabled(await flagsFrom(document, lines), 'videoUploads', undefined)).toBe(true);
      expect(lines.map(({ event }) => event)).toEqual(['flags.unreadable']);
    }
  });

  it('have their defaults when KV cannot be reached, and do not ask again for each request', async () => {
    let reads = 0;
    const FLAGS = {
      get: () => {
        reads += 1;
        return Promise.reject(new Error('gone'));
      },
    } as unknown as KVNamespace;
    const scope = { ...httpContext(), bindings: { FLAGS } };
    for (let count = 0; count < 3; count += 1)
      expect(isEnabled(await loadFlags(scope), 'videoUploads', undefined)).toBe(true);
    expect(reads).toBe(1);
  });

  it('ignore names no code reads, even odd ones', async () => {
    const flags = await flagsFrom(
      '{"__proto__":{"enabled":false},"toString":{"enabled":false},"retired":{}}',
    );
    expect(isEnabled(flags, 'videoUploads', undefined)).toBe(true);
  });
});

describe('the place of a user in a rollout', () => {
  it('is stable and within 0..9999 for any text', () => {
    expect(rolloutPosition('videoUploads', '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e6f')).toBe(
      rolloutPosition('videoUploads', '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e6f'),
    );
    fc.assert(
      fc.property(fc.string(), fc.string(), (flag, user) => {
        const position = rolloutPosition(flag, user);
        expect(Number.isInteger(position) && position >= 0 && position < 10_000).toBe(true);
      }),
    );
  });

  it('is spread evenly over ids that follow each other', () => {
    const buckets = new Array<number>(20).fill(0);
    for (let index = 0; index < 20_000; index += 1) {
      const bucket = Math.floor(
        rolloutPosition('f', `01964d2e-6d30-7000-8000-${index.toString(16).padStart(12, '0')}`) / 500,
      );
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    // Chi-square with 19 degrees of freedom: 43.8 is exceeded once in a thousand.
    const chiSquare = buckets.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
    expect(chiSquare).toBeLessThan(43.8);
  });
});
