import { describe, expect, it } from 'vitest';
import { open, seal } from '../../../src/shared/crypto/envelope.ts';
import { randomBytes } from '../../../src/shared/crypto.ts';
import { utf8 } from '../../../src/shared/encoding.ts';

const keys = new Map([[1, randomBytes(32)]]);
const place = 'totp_factors|sealed_secret|a';
const secret = utf8('a seed of twenty b..');

describe('an envelope', () => {
  it('opens where it was sealed, and only there', async () => {
    const sealed = await seal(keys, place, secret);
    expect(await open(keys, place, sealed)).toEqual(secret);
    for (const other of [
      'totp_factors|sealed_secret|b',
      'totp_factors|other|a',
      'others|sealed_secret|a',
      '',
    ])
      expect(await open(keys, other, sealed)).toBeUndefined();
  });

  it('is never the same twice and shows nothing of its content', async () => {
    const [first, second] = [await seal(keys, place, secret), await seal(keys, place, secret)];
    expect(first).not.toEqual(second);
    expect(first).toHaveLength(1 + 12 + secret.length + 16);
  });

  it('does not open after any byte of it changed, or was cut off', async () => {
    const sealed = await seal(keys, place, secret);
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = sealed.slice();
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(await open(keys, place, changed), `byte ${index}`).toBeUndefined();
      expect(await open(keys, place, sealed.slice(0, index)), `length ${index}`).toBeUndefined();
    }
  });

  it('is sealed with the newest key and opens with the one it names', async () => {
    const old = await seal(keys, place, secret);
    const rotated = new Map([...keys, [2, randomBytes(32)] as const]);
    expect((await seal(rotated, place, secret))[0]).toBe(2);
    expect(await open(rotated, place, old)).toEqual(secret);
    expect(await open(new Map([[1, randomBytes(32)]]), place, old)).toBeUndefined();
    expect(await open(new Map([[2, randomBytes(32)]]), place, old)).toBeUndefined();
  });
});
