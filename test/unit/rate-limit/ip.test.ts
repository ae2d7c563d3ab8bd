import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { networkOf, parseIpv6 } from '../../../src/http/rate-limit/ip.ts';

describe('the network an address counts for', () => {
  it('is an IPv4 address as a whole', () => {
    expect(networkOf('203.0.113.7')).toBe('203.0.113.7');
  });

  it('is the same /64 for every spelling and every host of an IPv6 network', () => {
    for (const address of [
      '2001:db8:0:1::',
      '2001:DB8:0:1::1',
      '2001:0db8:0000:0001:ffff:ffff:ffff:ffff',
      '2001:db8::1:0:0:0:5',
      '2001:db8:0:1:0:0:192.0.2.1',
      '2001:db8:0:1::1%eth0',
    ])
      expect(networkOf(address)).toBe('2001:db8:0:1::/64');
    expect(networkOf('2001:db8:0:2::1')).toBe('2001:db8:0:2::/64');
    expect(networkOf('::1')).toBe('0:0:0:0::/64');
  });

  it('is the IPv4 address for IPv4-mapped IPv6, in both spellings', () => {
    expect(networkOf('::ffff:203.0.113.7')).toBe('203.0.113.7');
    expect(networkOf('::FFFF:cb00:7107')).toBe('203.0.113.7');
    expect(networkOf('0:0:0:0:0:ffff:203.0.113.7')).toBe('203.0.113.7');
  });

  it('does not exist for what is not an address', () => {
    for (const text of [
      '', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.4 ', ':', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7::8', '12345::', 'g::', '::1.2.3', '::256.1.1.1', 'localhost', '[::1]', ':1:2:3:4:5:6:7', '1:2:3:4:5:6:7:',
    ]) // biome-ignore format: one list
      expect(networkOf(text), text).toBeUndefined();
  });

  it('reads what the canonical form (RFC 5952) writes, and any other form', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
          minLength: 8,
          maxLength: 8,
        }),
        (groups) => {
          const plain = groups.map((group) => group.toString(16)).join(':');
          const padded = groups.map((group) => group.toString(16).padStart(4, '0').toUpperCase()).join(':');
          const compressed = new URL(`http://[${plain}]/`).hostname.slice(1, -1);
          for (const spelling of [plain, padded, compressed]) expect(parseIpv6(spelling)).toEqual(groups);
        },
      ),
    );
  });
});
