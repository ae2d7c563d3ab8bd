import { describe, expect, it } from 'vitest';
import { formatBackupCode, normaliseBackupCode } from '../../../src/modules/factors/backup-codes.policy.ts';
import { base32, hotp, matchingStep, otpauthUri, stepOf } from '../../../src/modules/factors/totp.policy.ts';
import { randomBytes } from '../../../src/shared/crypto.ts';
import { utf8 } from '../../../src/shared/encoding.ts';

const seed = (length: number) => utf8('1234567890'.repeat(7).slice(0, length));

describe('one-time passwords', () => {
  it('are those of RFC 4226, appendix D', async () => {
    const expected = '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' ');
    for (const [counter, code] of expected.entries()) expect(await hotp(seed(20), counter, 6)).toBe(code);
  });

  it.each([
    [59, '94287082', '46119246', '90693936'],
    [1111111109, '07081804', '68084774', '25091201'],
    [1111111111, '14050471', '67062674', '99943326'],
    [1234567890, '89005924', '91819424', '93441116'],
    [2000000000, '69279037', '90698825', '38618901'],
    [20000000000, '65353130', '77737706', '47863826'],
  ])('are those of RFC 6238, appendix B, at %d s', async (time, sha1, sha256, sha512) => {
    expect(await hotp(seed(20), stepOf(time), 8, 'SHA-1')).toBe(sha1);
    expect(await hotp(seed(32), stepOf(time), 8, 'SHA-256')).toBe(sha256);
    expect(await hotp(seed(64), stepOf(time), 8, 'SHA-512')).toBe(sha512);
  });

  it('are taken for the current step and the one before, and for no other', async () => {
    const secret = seed(20);
    const now = 1_234_567_890;
    const step = stepOf(now);
    for (const offset of [-3, -2, -1, 0, 1, 2]) {
      const code = await hotp(secret, step + offset, 6);
      expect(await matchingStep(secret, code, now), String(offset)).toBe(
        offset === 0 || offset === -1 ? step + offset : undefined,
      );
    }
  });

  it.each(['', '1', '00592', '0059240', '٠٠٥٩٢٤', '005924\u0000'])('are not %j', async (code) => {
    expect(await matchingStep(seed(20), code, 1_234_567_890)).toBeUndefined();
  });

  it('change at the edge of a step, not within it', async () => {
    const secret = seed(20);
    const code = await hotp(secret, 41_152_263, 6);
    expect(await matchingStep(secret, code, 41_152_263 * 30)).toBe(41_152_263);
    expect(await matchingStep(secret, code, 41_152_263 * 30 - 1)).toBeUndefined();
    expect(await matchingStep(secret, code, 41_152_264 * 30 + 29)).toBe(41_152_263);
    expect(await matchingStep(secret, code, 41_152_265 * 30)).toBeUndefined();
  });
});

describe('a seed', () => {
  it.each([
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ])('is written in base32 as RFC 4648 §10 says for %j', (text, expected) => {
    expect(base32(utf8(text))).toBe(expected);
  });

  it('is offered to apps in the key URI format', () => {
    const uri = new URL(otpauthUri('Social Flow', 'ada_lovelace', seed(20)));
    expect(uri.protocol).toBe('otpauth:');
    expect(uri.href).toContain('//totp/Social%20Flow:ada_lovelace?');
    expect(Object.fromEntries(uri.searchParams)).toEqual({
      secret: base32(seed(20)),
      issuer: 'Social Flow',
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    });
  });
});

describe('a backup code', () => {
  it('keeps all of its 120 bits', () => {
    expect(formatBackupCode(new Uint8Array(15))).toBe('0000-0000-0000-0000-0000-0000');
    expect(formatBackupCode(new Uint8Array(15).fill(255))).toBe('zzzz-zzzz-zzzz-zzzz-zzzz-zzzz');
    for (let bit = 0; bit < 120; bit += 1) {
      const bytes = new Uint8Array(15);
      bytes[bit >> 3] = 1 << (bit & 7);
      expect(formatBackupCode(bytes)).not.toBe('0000-0000-0000-0000-0000-0000');
    }
    expect(new Set(Array.from({ length: 500 }, () => formatBackupCode(randomBytes(15)))).size).toBe(500);
  });

  it('is read however people type it', () => {
    const code = '1k9f-0tqx-7hm2-c4dz-81ye-vb6n';
    for (const typed of [code, code.toUpperCase(), code.replaceAll('-', ' '), 'lK9F-OTQX-7hm2c4dz-8iyevb6n'])
      expect(normaliseBackupCode(typed)).toBe(code.replaceAll('-', ''));
    for (const typed of ['', code.slice(1), `${code}0`, code.replace('k', 'u'), '!'.repeat(24)])
      expect(normaliseBackupCode(typed)).toBeUndefined();
  });
});
