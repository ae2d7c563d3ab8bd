import { describe, expect, it } from 'vitest';
import { call, seedUser } from '../../support/worker/client.ts';

const texts = [
  '',
  ' ',
  '\u0000',
  'a\u0000b@example.com',
  '\ud800',
  'ada\udead@example.com',
  '\u202eada',
  'İ'.repeat(40),
  'é@example.com',
  "'; DROP TABLE users; --",
  '%00%ff',
  '{}',
  `sfp_${'A'.repeat(49)}`,
  `sfv_${'A'.repeat(49)}`,
  `sfr_${'A'.repeat(49)}`,
  'eyJhbGciOiJub25lIn0.e30.',
  '９９９９９９',
  '1e400',
  'x'.repeat(5_000),
];
const values: readonly unknown[] = [...texts, null, true, -1, 1e308, [], [[]], {}, { toString: 1 }];

const assertion = (value: unknown) => ({
  id: value,
  rawId: value,
  type: 'public-key',
  response: { clientDataJSON: value, authenticatorData: value, signature: value, userHandle: value },
});
const attestation = (value: unknown) => ({
  id: value,
  rawId: value,
  type: 'public-key',
  response: { clientDataJSON: value, attestationObject: value, transports: [value] },
});

type Bodies = Readonly<Record<string, (value: unknown) => unknown>>;
const open: Bodies = {
  '/v1/auth/register': (value) => ({ username: value, email: value, password: value, display_name: value }),
  '/v1/auth/login': (value) => ({ identifier: value, password: value, challenge_response: value }),
  '/v1/auth/mfa': (value) => ({ mfa_token: value, code: value }),
  '/v1/auth/mfa/sms': (value) => ({ mfa_token: value }),
  '/v1/auth/refresh': (value) => ({ refresh_token: value }),
  '/v1/auth/reactivate': (value) => ({ identifier: value, password: value, backup_code: value }),
  '/v1/auth/password-reset': (value) => ({ identifier: value }),
  '/v1/auth/password-reset/confirm': (value) => ({ token: value, new_password: value }),
  '/v1/auth/passkeys/reactivate': (value) => ({ challenge_token: value, credential: assertion(value) }),
  '/v1/auth/passkeys/login': (value) => ({ challenge_token: value, credential: assertion(value) }),
  '/v1/auth/passkeys/mfa/options': (value) => ({ mfa_token: value }),
  '/v1/auth/passkeys/mfa': (value) => ({
    mfa_token: value,
    challenge_token: value,
    credential: assertion(value),
  }),
};
const own: Bodies = {
  '/v1/auth/step-up': (value) => ({ backup_code: value }),
  '/v1/auth/passkeys/step-up': (value) => ({ challenge_token: value, credential: assertion(value) }),
  '/v1/auth/email-verification/confirm': (value) => ({ token: value }),
  '/v1/me/password': (value) => ({ current_password: value, new_password: value }),
  '/v1/me/email': (value) => ({ email: value }),
  '/v1/me/factors/totp/confirm': (value) => ({ code: value }),
  '/v1/me/factors/phone/confirm': (value) => ({ code: value }),
  '/v1/me/passkeys': (value) => ({ challenge_token: value, credential: attestation(value), name: value }),
  '/v1/realtime/tickets': (value) => ({ purpose: value }),
};

const headersOf = (value: unknown) =>
  typeof value === 'string' && /^[\x20-\x7e]{1,100}$/.test(value)
    ? {
        'user-agent': value,
        cookie: `__Host-sf_access=${value}; __Host-sf_refresh=${value}`,
        'idempotency-key': value,
      }
    : {};

describe('what no client would send', () => {
  it.each(Object.entries(open))('is never our fault at %s', async (path, bodyOf) => {
    for (const value of values) {
      const response = await call('POST', path, { body: bodyOf(value), headers: headersOf(value) });
      expect(response.status, JSON.stringify(value).slice(0, 60)).toBeLessThan(500);
    }
  });

  it.each(Object.entries(own))('is never our fault at %s', async (path, bodyOf) => {
    for (const value of values) {
      const { token } = await seedUser();
      const response = await call('POST', path, { token, body: bodyOf(value) });
      expect(response.status, JSON.stringify(value).slice(0, 60)).toBeLessThan(500);
    }
  });

  it('is refused however deep it is nested', async () => {
    for (const body of [
      '['.repeat(200_000),
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      `{"identifier":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)},"password":"x"}`,
    ]) {
      const response = await call('POST', '/v1/auth/login', { body });
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
    }
  });
});
