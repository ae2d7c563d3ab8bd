import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from '../../../src/config/index.ts';
import { development } from './environments.ts';

describe('the prices of encodes', () => {
  const prices = {
    currency: 'EUR',
    minimum_seconds: 10,
    basic: 7_500,
    professional: 12_000,
    audio: 2_250,
    normalization: 1_000,
    resolution: { sd: 1, hd: 2, uhd: 4 },
    frame_rate: { to_30: 1, to_60: 1.25, above: 1.5 },
  };
  const refusal = (value: unknown): string => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    try {
      parseConfig({ ...development, ENCODE_PRICES: text });
      return '';
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      return (error as ConfigError).problems.map(({ env, message }) => `${env}: ${message}`).join('\n');
    }
  };

  it('are taken whole, and by default', () => {
    expect(
      parseConfig({ ...development, ENCODE_PRICES: JSON.stringify(prices) }).encoding.encodePrices,
    ).toEqual(prices);
    expect(parseConfig(development).encoding.encodePrices.currency).toBe('USD');
  });

  it.each<[string, unknown, RegExp]>([
    ['a price below nothing', { ...prices, basic: -1 }, /^ENCODE_PRICES: basic: /],
    [
      'a factor below nothing',
      { ...prices, resolution: { sd: 1, hd: -2, uhd: 4 } },
      /^ENCODE_PRICES: resolution\.hd: /,
    ],
    ['a part of a millionth', { ...prices, audio: 0.5 }, /^ENCODE_PRICES: audio: /],
    ['a price as text', { ...prices, basic: '7500' }, /^ENCODE_PRICES: basic: /],
    ['a name nobody knows', { ...prices, baisc: 7_500 }, /^ENCODE_PRICES: .*baisc/],
    [
      'one further in',
      { ...prices, frame_rate: { ...prices.frame_rate, to_90: 2 } },
      /^ENCODE_PRICES: frame_rate: .*to_90/,
    ],
    ['a price that is missing', { ...prices, professional: undefined }, /^ENCODE_PRICES: professional: /],
    ['a currency in small letters', { ...prices, currency: 'eur' }, /^ENCODE_PRICES: currency: /],
    ['several at once', { ...prices, basic: -1, audio: -1 }, /^ENCODE_PRICES: basic: .*; audio: /],
    ['a list', [], /^ENCODE_PRICES: /],
    ['what is no JSON', '{"currency"', /^ENCODE_PRICES: must be JSON$/],
    ['more text than prices need', JSON.stringify(prices).padEnd(2_001), /^ENCODE_PRICES: /],
  ])('are refused at the start with %s, by name', (_, value, message) => {
    expect(refusal(value)).toMatch(message);
  });
});
