import { describe, expect, it } from 'vitest';
import { isServedNumber, newSmsCode } from '../../../src/modules/factors/phone.policy.ts';

const word = (value: number) => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
};

describe('a code for SMS', () => {
  it('has six digits, zeros in front too', () => {
    expect(newSmsCode(() => word(7))).toBe('000007');
    expect(newSmsCode(() => word(1_999_999))).toBe('999999');
    for (let index = 0; index < 100; index += 1) expect(newSmsCode()).toMatch(/^\d{6}$/);
  });

  it('draws again what would make low codes likelier', () => {
    const draws = [4_294_967_295, 4_294_000_000, 4_293_999_999];
    expect(newSmsCode(() => word(draws.shift() ?? 0))).toBe('999999');
    expect(draws).toEqual([]);
  });
});

describe('a number', () => {
  const prefixes = ['+1', '+351', '+44'];
  it.each([
    ['+351912345678', true],
    ['+447700900123', true],
    ['+12025550123', true],
    ['+35212345678', false],
    ['+93701234567', false],
    ['+18765551234', false],
    ['+19005551234', false],
    ['+', false],
  ])('%s is served: %s', (number, served) => {
    expect(isServedNumber(number, prefixes)).toBe(served);
  });

  it('behind a costly prefix is served where that is allowed by name', () => {
    expect(isServedNumber('+18765551234', [...prefixes, '+1876'])).toBe(true);
    expect(isServedNumber('+12025550123', ['+1876'])).toBe(false);
    expect(isServedNumber('+12025550123', [])).toBe(false);
  });
});
