import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPublicAddress, parseIpv4, parseIpv6 } from '../../../src/shared/net/ip-address.ts';

const octet = fc.integer({ min: 0, max: 255 });
const v4 = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.'));

describe('which addresses are public', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2001:4860:4860::8888',
    '2a00:1450:4001:82a::200e',
    '2001:200::1',
  ])('%s is', (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.0', '100.127.255.255', '127.0.0.1', '127.255.255.255'],
    ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.8', '192.0.2.1', '192.88.99.1'],
    ...['192.168.1.1', '198.18.0.1', '198.19.255.255', '198.51.100.9', '203.0.113.77', '224.0.0.1'],
    ...['239.255.255.255', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', '::ffff:8.8.8.8', '::ffff:127.0.0.1', '::ffff:7f00:1', '::8.8.8.8', '64:ff9b::7f00:1'],
    ...['64:ff9b::8.8.8.8', '64:ff9b:1::1', '100::1', '2001::1', '2001:0:53aa:64c:0:0:f7ff:fffe'],
    ...['2001:10::1', '2001:20::1', '2001:db8::1', '2002:7f00:1::', '2002:a00:1::1', '3fff::1', '5f00::1'],
    ...['fc00::1', 'fd12:3456::1', 'fe80::1', 'fec0::1', 'ff02::1', 'fd00:ec2::254'],
    ...[
      '',
      'localhost',
      '1.2.3',
      '01.2.3.4',
      '0x7f.0.0.1',
      '2130706433',
      '1.2.3.4.5',
      '256.1.1.1',
      ' 8.8.8.8',
    ],
    ...[
      '2606:4700::1%eth0',
      '[2606:4700::1]',
      '1::2::3',
      ':::',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      'g::1',
    ],
  ])('%s is not', (address) => expect(isPublicAddress(address)).toBe(false));

  it('no IPv6 form that carries an IPv4 address is, whatever address it carries', () => {
    fc.assert(
      fc.property(v4, (address) => {
        for (const form of [
          `::ffff:${address}`,
          `::${address}`,
          `64:ff9b::${address}`,
          `64:ff9b:1::${address}`,
        ])
          expect(isPublicAddress(form)).toBe(false);
      }),
    );
  });

  it('reads every spelling of an IPv6 address as the same number', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }), (groups) => {
        const full = groups.map((group) => group.toString(16).padStart(4, '0')).join(':');
        const canonical = new URL(`https://[${full}]/`).hostname.slice(1, -1);
        expect(parseIpv6(canonical)).toBe(parseIpv6(full));
        expect(parseIpv6(full.toUpperCase())).toBe(
          groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n),
        );
      }),
    );
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f:.]{0,50}$/)), (text) => {
        isPublicAddress(text);
        parseIpv4(text);
      }),
    );
  });
});
