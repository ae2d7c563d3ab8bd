import { afterEach, describe, expect, it, vi } from 'vitest';
import { isChallengeServiceUp, verifyChallenge } from '../../../src/integrations/challenge/index.ts';

const challenge = {
  siteKey: 'site',
  secret: 'secret',
  hostnames: ['app.test'],
  atRegistration: false,
  verifyUrl: 'https://turnstile.test/siteverify',
};
const nowMs = Date.parse('2026-01-01T00:10:00Z');
const good = {
  success: true,
  'error-codes': [],
  challenge_ts: '2026-01-01T00:09:00.000Z',
  hostname: 'app.test',
  action: 'login',
};

interface Sent {
  readonly secret: string;
  readonly response: string;
  readonly remoteip?: string;
  readonly idempotency_key: string;
}

/** Replies of the service in order; the last one again and again. */
function replies(...list: (() => Response | Promise<Response>)[]): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal('fetch', async (_url: string, init: RequestInit) => {
    const reply = list[Math.min(sent.length, list.length - 1)];
    sent.push(JSON.parse(String(init.body)) as Sent);
    if (reply === undefined) throw new TypeError('no reply');
    init.signal?.throwIfAborted();
    return reply();
  });
  return sent;
}

const json =
  (body: unknown, status = 200) =>
  () =>
    new Response(JSON.stringify(body), { status });
const lost = () => Promise.reject(new TypeError('connection lost'));
const verify = (response = 'token') =>
  verifyChallenge({ challenge }, { response, remoteIp: '192.0.2.1', action: 'login' }, nowMs);

afterEach(() => vi.unstubAllGlobals());

describe('an answer to a challenge', () => {
  it('passes for the right action, host and time', async () => {
    const sent = replies(json(good));
    expect(await verify()).toBe('passed');
    expect(sent).toEqual([
      { secret: 'secret', response: 'token', remoteip: '192.0.2.1', idempotency_key: expect.any(String) },
    ]);
  });

  it('fails when it was for something else, too old, of the future, or undated', async () => {
    for (const part of [
      { action: 'register' },
      { action: '' },
      { hostname: 'evil.test' },
      { hostname: undefined },
      { challenge_ts: '2026-01-01T00:04:59.000Z' },
      { challenge_ts: '2026-01-01T00:11:01.000Z' },
      { challenge_ts: 'yesterday' },
      { challenge_ts: undefined },
      { success: false, 'error-codes': ['timeout-or-duplicate'] },
      { success: false, 'error-codes': ['invalid-input-response'] },
    ]) {
      replies(json({ ...good, ...part }));
      expect(await verify(), JSON.stringify(part)).toBe('failed');
    }
  });

  it('fails when the service stumbles over it and over no other', async () => {
    const stumbles: (() => Response | Promise<Response>)[][] = [
      [json({ success: false, 'error-codes': ['bad-request'] }, 400)],
      [json({ success: false, 'error-codes': ['internal-error'] })],
      [json({}, 500), json({}, 500)],
      [lost, lost],
    ];
    for (const stumble of stumbles) {
      replies(...stumble, json({ success: false, 'error-codes': ['invalid-input-response'] }));
      expect(await verify()).toBe('failed');
    }
  });

  it('is not even sent when empty or longer than any', async () => {
    const sent = replies(json(good));
    expect(await verify('')).toBe('failed');
    expect(await verify('x'.repeat(2_049))).toBe('failed');
    expect(sent).toEqual([]);
  });

  it('is asked about again under the same key when the reply is lost, and only once more', async () => {
    const sent = replies(lost, json(good));
    expect(await verify()).toBe('passed');
    expect(sent).toHaveLength(2);
    expect(sent[1]?.idempotency_key).toBe(sent[0]?.idempotency_key);
    const failing = replies(json({}, 500));
    expect(await verify()).toBe('unavailable');
    expect(failing.filter(({ response }) => response === 'token')).toHaveLength(2);
  });

  it('cannot be judged when the service is at fault, or we are', async () => {
    for (const reply of [
      lost,
      json({ success: false, 'error-codes': ['internal-error'] }),
      json({ success: false, 'error-codes': ['invalid-input-secret'] }),
      json('not what was agreed'),
      () => new Response('<html>'),
      () => new Response(null, { status: 302, headers: { location: 'https://elsewhere.test' } }),
    ]) {
      replies(reply);
      expect(await verify()).toBe('unavailable');
      expect(await isChallengeServiceUp({ challenge })).toBe(false);
    }
    replies(json({ success: false, 'error-codes': ['invalid-input-response'] }));
    expect(await isChallengeServiceUp({ challenge })).toBe(true);
  });

  it('is not waited for beyond the deadline', async () => {
    vi.stubGlobal(
      'fetch',
      (_url: string, init: RequestInit) =>
        new Promise((_, reject) =>
          init.signal?.addEventListener('abort', () => reject(new DOMException('late', 'AbortError'))),
        ),
    );
    expect(await verify()).toBe('unavailable');
  });
});
