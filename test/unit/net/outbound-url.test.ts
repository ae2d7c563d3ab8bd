import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkOutboundUrl } from '../../../src/shared/net/index.ts';
import { parseIpv4 } from '../../../src/shared/net/ip-address.ts';

const policy = { ports: [443, 8443], trustedHosts: [] };
const problemOf = (url: string): string | undefined => {
  const checked = checkOutboundUrl(url, policy);
  return checked.ok ? undefined : checked.problem;
};

describe('addresses users give', () => {
  it.each([
    ['https://example.com/film.mp4', 'example.com'],
    ['https://EXAMPLE.com:8443/film.mp4?x=1#part', 'example.com'],
    ['https://example.com./film.mp4', 'example.com'],
    ['https://münchen.example/film.mp4', 'xn--mnchen-3ya.example'],
    ['https://_dmarc.sub-domain.example.co.uk/', '_dmarc.sub-domain.example.co.uk'],
    ['https://8.8.8.8/film.mp4', undefined],
    ['https://[2606:4700:4700::1111]/film.mp4', undefined],
  ])('%s may be called', (url, nameToResolve) => {
    expect(checkOutboundUrl(url, policy)).toMatchObject({ ok: true, nameToResolve });
  });

  it.each([
    ['', 'malformed'],
    ['film.mp4', 'malformed'],
    ['//example.com/film.mp4', 'malformed'],
    [`https://example.com/${'a'.repeat(2_048)}`, 'malformed'],
    ['http://example.com/', 'scheme'],
    ['ftp://example.com/', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['data:text/plain,hello', 'scheme'],
    ['javascript:alert(1)', 'scheme'],
    ['gopher://example.com/', 'scheme'],
    ['https://user@example.com/', 'credentials'],
    ['https://user:pw@example.com/', 'credentials'],
    ['https://:pw@example.com/', 'credentials'],
    ['https://example.com:22/', 'port'],
    ['https://example.com:80/', 'port'],
    ['https://example.com:65535/', 'port'],
    ['https://localhost/', 'host'],
    ['https://api.localhost/', 'host'],
    ['https://LOCALHOST./', 'host'],
    ['https://intranet/', 'host'],
    ['https://metadata.google.internal/', 'host'],
    ['https://printer.local/', 'host'],
    ['https://router.lan/', 'host'],
    ['https://box.home.arpa/', 'host'],
    ['https://hidden.onion/', 'host'],
    ['https://example..com/', 'host'],
    [`https://${'a'.repeat(64)}.com/`, 'host'],
    ['https://127.0.0.1/', 'private_address'],
    ['https://127.0.0.1./', 'private_address'],
    ['https://127.1/', 'private_address'],
    ['https://0/', 'private_address'],
    ['https://2130706433/', 'private_address'],
    ['https://0x7f000001/', 'private_address'],
    ['https://0x7f.1/', 'private_address'],
    ['https://0177.0.0.1/', 'private_address'],
    ['https://017700000001/', 'private_address'],
    ['https://127.0.0.1/', 'private_address'],
    ['https://127。0。0。1/', 'private_address'],
    ['https://%31%32%37.0.0.1/', 'private_address'],
    ['https://169.254.169.254/latest/meta-data/', 'private_address'],
    ['https://10.1.2.3:8443/', 'private_address'],
    ['https://[::1]/', 'private_address'],
    ['https://[::]/', 'private_address'],
    ['https://[::ffff:127.0.0.1]/', 'private_address'],
    ['https://[::ffff:8.8.8.8]/', 'private_address'],
    ['https://[64:ff9b::a00:1]/', 'private_address'],
    ['https://[2002:a00:1::]/', 'private_address'],
    ['https://[fd00:ec2::254]/', 'private_address'],
    ['https://[fe80::1]/', 'private_address'],
  ])('%s is refused: %s', (url, problem) => expect(problemOf(url)).toBe(problem));

  it('refuses every private IPv4 address in each of its spellings', () => {
    const host = fc.tuple(
      fc.constantFrom(10, 127),
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 0, max: 255 }),
    );
    fc.assert(
      fc.property(host, ([a, b, c, d]) => {
        const whole = parseIpv4(`${a}.${b}.${c}.${d}`) ?? 0;
        const octal = [a, b, c, d].map((part) => `0${part.toString(8)}`).join('.');
        const hexadecimal = [a, b, c, d].map((part) => `0x${part.toString(16)}`).join('.');
        const short = `${a}.${b}.${c * 256 + d}`;
        for (const text of [`${whole}`, `0x${whole.toString(16)}`, octal, hexadecimal, short])
          expect(problemOf(`https://${text}/`)).toBe('private_address');
      }),
    );
  });

  it('calls trusted services of a developer as they are, and no others on their host', () => {
    const trusting = { ...policy, trustedHosts: ['127.0.0.1:9000', 'files.test'] };
    const allowed = (url: string) => checkOutboundUrl(url, trusting).ok;
    expect(allowed('http://127.0.0.1:9000/film.mp4')).toBe(true);
    expect(allowed('http://files.test:1234/film.mp4')).toBe(true);
    expect(allowed('http://127.0.0.1:9001/film.mp4')).toBe(false);
    expect(allowed('https://127.0.0.1/film.mp4')).toBe(false);
    expect(allowed('ftp://files.test/film.mp4')).toBe(false);
    expect(allowed('http://user@127.0.0.1:9000/film.mp4')).toBe(false);
  });
});
