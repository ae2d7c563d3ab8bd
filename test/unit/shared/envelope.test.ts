import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EnvelopeKeys, open, seal, sealedVersion } from '../../../src/shared/crypto/envelope.ts';
import { randomBytes } from '../../../src/shared/crypto.ts';
import { fromHex, fromUtf8, hex, utf8 } from '../../../src/shared/encoding.ts';

const [first, second] = [randomBytes(32), randomBytes(32)];
const keys: EnvelopeKeys = { keys: new Map([[1, first]]), currentVersion: 1 };
const rotated: EnvelopeKeys = {
  keys: new Map([
    [1, first],
    [2, second],
  ]),
  currentVersion: 2,
};
const place = { table: 'refresh_tokens', column: 'replay_blob', rowId: 'row-1' };

describe('a sealed value', () => {
  it('opens at its place and holds nothing readable', async () => {
    const sealed = await seal(keys, utf8('a secret text'), place);
    expect(fromUtf8((await open(keys, sealed, place)) ?? new Uint8Array())).toBe('a secret text');
    expect(new TextDecoder().decode(sealed)).not.toContain('secret');
    expect(sealedVersion(sealed)).toBe(1);
    expect(sealed.length).toBe(1 + 12 + 13 + 16);
  });

  it('survives any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
        expect(await open(keys, await seal(keys, bytes, place), place)).toEqual(new Uint8Array(bytes));
      }),
      { numRuns: 50 },
    );
  });

  it('is different every time, so equal secrets are not seen to be equal', async () => {
    const all = await Promise.all(Array.from({ length: 200 }, () => seal(keys, utf8('x'), place)));
    expect(new Set(all.map((sealed) => hex(sealed.subarray(1, 13)))).size).toBe(200);
  });

  it.each([
    ['row', { rowId: 'row-2' }],
    ['column', { column: 'totp_secret' }],
    ['table', { table: 'users' }],
  ])('does not open in another %s: swapping two ciphertexts fails', async (_, change) => {
    const [one, other] = [place, { ...place, ...change }];
    const [sealed, swapped] = [await seal(keys, utf8('one'), one), await seal(keys, utf8('other'), other)];
    expect(await open(keys, swapped, one)).toBeUndefined();
    expect(await open(keys, sealed, other)).toBeUndefined();
  });

  it('does not open when any one byte of it was changed', async () => {
    const sealed = await seal(rotated, utf8('secret'), place);
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Uint8Array.from(sealed);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(await open(rotated, changed, place), `byte ${index}`).toBeUndefined();
    }
  });

  it('opens under its old key after a rotation, and not when that key is gone', async () => {
    const sealed = await seal(keys, utf8('old'), place);
    expect(await open(rotated, sealed, place)).toEqual(utf8('old'));
    expect(sealedVersion(await seal(rotated, utf8('new'), place))).toBe(2);
    expect(await open({ keys: new Map([[2, second]]), currentVersion: 2 }, sealed, place)).toBeUndefined();
  });

  it.each([[0], [1], [13], [28]])('of %i bytes is none', async (length) => {
    expect(await open(keys, randomBytes(length), place)).toBeUndefined();
    expect(sealedVersion(randomBytes(length))).toBeUndefined();
  });

  it('cannot be made without the current key', async () => {
    await expect(seal({ ...keys, currentVersion: 9 }, utf8('x'), place)).rejects.toThrow(RangeError);
  });
});

describe('hexadecimal', () => {
  it('comes back as the bytes it was made of', () => {
    expect(fromHex(hex(Uint8Array.of(0, 15, 16, 255)))).toEqual(Uint8Array.of(0, 15, 16, 255));
    expect(fromHex('')).toEqual(new Uint8Array());
  });

  it.each(['0', 'zz', '0x00', ' 00'])('is refused as %j', (text) => {
    expect(() => fromHex(text)).toThrow(RangeError);
  });
});
