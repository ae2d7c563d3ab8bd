import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRefreshToken, isRefreshToken } from '../../../src/modules/auth/policy/refresh-token.ts';

const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('refresh token form', () => {
  it('is recognised whatever its random bytes are', () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        const token = formatRefreshToken(secret);
        expect(token).toMatch(/^sfr_[A-Za-z0-9_-]{49}$/);
        expect(isRefreshToken(token)).toBe(true);
      }),
    );
  });

  it('ends in the CRC-32 of its body', () => {
    // zlib.crc32(b"A" * 43) == 0xc2b5986
    expect(formatRefreshToken(new Uint8Array(32))).toBe(`sfr_${'A'.repeat(43)}DCtZhg`);
  });

  it('is not recognised with any one character changed', () => {
    const others = fc.constantFrom(...'ABCDEFxyz0189-_');
    fc.assert(
      fc.property(secrets, fc.nat({ max: 52 }), others, (secret, position, character) => {
        const token = formatRefreshToken(secret);
        const changed = token.slice(0, position) + character + token.slice(position + 1);
        fc.pre(changed !== token);
        expect(isRefreshToken(changed)).toBe(false);
      }),
    );
  });

  it.each(['', 'sfr_', 'sfr_short', 'eyJhbGciOiJFZERTQSJ9.e30.AAAA', `sfr_${'ä'.repeat(49)}`])(
    'does not recognise %j',
    (text) => {
      expect(isRefreshToken(text)).toBe(false);
    },
  );
});
