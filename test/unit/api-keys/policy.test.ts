import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowsAddress, parseNetwork } from '../../../src/modules/api-keys/api-keys.policy.ts';

describe('the networks of an API key', () => {
  it.each([
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['203.0.113.7', '203.0.113.7/32'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::/0', '::/0'],
  ])('take %s', (text, network) => {
    expect(parseNetwork(text)).toBe(network);
  });

  it.each([
    '',
    '/',
    '203.0.113.7/24',
    '203.0.113.0/33',
    '203.0.113.0/024',
    '203.0.113.0/-1',
    '203.0.113.0/24/24',
    '203.0.113.0/',
    '203.0.113/24',
    '2001:db8::1/64',
    '2001:db8::/129',
    'fe80::1%eth0',
    'example.com',
    ' 203.0.113.0/24',
  ])('do not take %j', (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });

  it('hold exactly the addresses that share their first bits', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(
        fc.tuple(octet, octet, octet, octet),
        fc.tuple(octet, octet, octet, octet),
        fc.integer({ min: 0, max: 32 }),
        (base, address, length) => {
          const bits = (octets: readonly number[]) =>
            octets.map((one) => one.toString(2).padStart(8, '0')).join('');
          const kept = bits(base).slice(0, length).padEnd(32, '0');
          const first = kept
            .match(/.{8}/g)
            ?.map((one) => Number.parseInt(one, 2))
            .join('.');
          const network = parseNetwork(`${first}/${length}`);
          expect(network).toBeDefined();
          expect(allowsAddress([network ?? ''], address.join('.'))).toBe(
            bits(address).startsWith(kept.slice(0, length)),
          );
        },
      ),
    );
  });

  it('hold no address of the other family, and nobody whose address is not known', () => {
    expect(allowsAddress(['::/0'], '203.0.113.7')).toBe(false);
    expect(allowsAddress(['0.0.0.0/0'], '2001:db8::1')).toBe(false);
    expect(allowsAddress(['0.0.0.0/0'], undefined)).toBe(false);
    expect(allowsAddress([], undefined)).toBe(true);
  });
});
