import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { newSecret, signedHeaders } from '../../../src/modules/webhook-endpoints/policy/signature.ts';

const now = () => Date.now();

describe('a signature', () => {
  it('is what the library of Standard Webhooks verifies, whatever the body', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.json(), async (title, json) => {
        const secret = newSecret();
        const body = JSON.stringify({ title, json });
        const headers = await signedHeaders({ id: 'evt_1', body, secrets: [secret], nowMs: now() });
        expect(new Webhook(secret).verify(body, headers)).toEqual({ title, json });
      }),
      { numRuns: 50 },
    );
  });

  it('is the one the library makes', async () => {
    const secret = newSecret();
    const nowMs = 1_790_000_000_999;
    const headers = await signedHeaders({ id: 'evt_1', body: '{}', secrets: [secret], nowMs });
    expect(headers).toEqual({
      'webhook-id': 'evt_1',
      'webhook-timestamp': '1790000000',
      'webhook-signature': new Webhook(secret).sign('evt_1', new Date(nowMs), '{}'),
    });
  });

  it('agrees with the example of the specification', async () => {
    const headers = await signedHeaders({
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      body: '{"test": 2432232314}',
      secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
      nowMs: 1_614_265_330_000,
    });
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('is made by every secret while one replaces another', async () => {
    const [fresh, old, stranger] = [newSecret(), newSecret(), newSecret()];
    const headers = await signedHeaders({ id: 'evt_1', body: '{}', secrets: [fresh, old], nowMs: now() });
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
    for (const secret of [fresh, old]) expect(new Webhook(secret).verify('{}', headers)).toEqual({});
    expect(() => new Webhook(stranger).verify('{}', headers)).toThrow();
  });

  it('holds for nothing that was changed', async () => {
    const secret = newSecret();
    const headers = await signedHeaders({ id: 'evt_1', body: '{"a":1}', secrets: [secret], nowMs: now() });
    const library = new Webhook(secret);
    expect(() => library.verify('{"a":2}', headers)).toThrow();
    expect(() => library.verify('{"a":1}', { ...headers, 'webhook-id': 'evt_2' })).toThrow();
    const later = String(Number(headers['webhook-timestamp']) + 1);
    expect(() => library.verify('{"a":1}', { ...headers, 'webhook-timestamp': later })).toThrow();
  });
});

describe('a secret', () => {
  it('is whsec_ and 32 bytes in base64, another each time', () => {
    const secrets = Array.from({ length: 50 }, newSecret);
    for (const secret of secrets) expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(new Set(secrets).size).toBe(50);
  });

  it.each(['whsec_', 'whsec_c2hvcnQ=', 'plain', `whsec_${'A'.repeat(100)}`])('%s is none', async (secret) => {
    await expect(
      signedHeaders({ id: 'evt_1', body: '{}', secrets: [secret], nowMs: 0 }),
    ).rejects.toBeInstanceOf(RangeError);
  });
});
