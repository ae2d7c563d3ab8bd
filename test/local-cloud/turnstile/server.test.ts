import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  dummySecrets,
  startTurnstileServer,
  type TurnstileServer,
} from '../../../local-cloud/turnstile/server.ts';

let server: TurnstileServer;
let nowMs = Date.parse('2026-01-01T00:00:00Z');
beforeAll(async () => {
  server = await startTurnstileServer({ port: 0, secret: 'local-secret', now: () => nowMs });
});
afterAll(() => server.close());

const solve = async (query: string): Promise<string> =>
  ((await (await fetch(`${server.url}/token?${query}`)).json()) as { token: string }).token;

async function verify(fields: Record<string, string>, as: 'json' | 'form' = 'json') {
  const response = await fetch(`${server.url}/turnstile/v0/siteverify`, {
    method: 'POST',
    ...(as === 'json'
      ? { body: JSON.stringify(fields), headers: { 'content-type': 'application/json' } }
      : { body: new URLSearchParams(fields) }),
  });
  return (await response.json()) as { success: boolean; 'error-codes': string[]; action?: string };
}

describe('the Turnstile stand-in', () => {
  it('answers Cloudflare’s secrets for testing as they document them', async () => {
    const response = 'XXXX.DUMMY.TOKEN.XXXX';
    expect(await verify({ secret: dummySecrets.alwaysPasses, response })).toMatchObject({
      success: true,
      hostname: 'example.com',
    });
    expect(await verify({ secret: dummySecrets.alwaysFails, response })).toMatchObject({
      success: false,
      'error-codes': ['invalid-input-response'],
    });
    expect(await verify({ secret: dummySecrets.alreadySpent, response })).toMatchObject({
      success: false,
      'error-codes': ['timeout-or-duplicate'],
    });
  });

  it('takes a token once, from JSON or a form, and again only under the same idempotency key', async () => {
    const secret = 'local-secret';
    for (const as of ['json', 'form'] as const) {
      const response = await solve('action=login&hostname=app.test');
      const fields = { secret, response, idempotency_key: 'a' };
      expect(await verify(fields, as)).toMatchObject({
        success: true,
        action: 'login',
        hostname: 'app.test',
      });
      expect(await verify(fields, as)).toMatchObject({ success: true });
      for (const again of [
        { ...fields, idempotency_key: 'b' },
        { secret, response },
      ])
        expect(await verify(again, as)).toMatchObject({ 'error-codes': ['timeout-or-duplicate'] });
    }
  });

  it('refuses old tokens, unknown ones, other secrets and what is not a request', async () => {
    const old = await solve('action=login');
    nowMs += 300_001;
    const codes = async (fields: Record<string, string>) => (await verify(fields))['error-codes'];
    expect(await codes({ secret: 'local-secret', response: old })).toEqual(['timeout-or-duplicate']);
    expect(await codes({ secret: 'local-secret', response: 'unknown' })).toEqual(['invalid-input-response']);
    expect(await codes({ secret: 'other', response: old })).toEqual(['invalid-input-secret']);
    expect(await codes({ response: old })).toEqual(['missing-input-secret']);
    expect(await codes({ secret: 'local-secret' })).toEqual(['missing-input-response']);
    const broken = await fetch(`${server.url}/turnstile/v0/siteverify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{',
    });
    expect(broken.status).toBe(400);
    expect((await fetch(`${server.url}/other`)).status).toBe(404);
  });
});
