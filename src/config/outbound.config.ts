import { baseUrl, integer, list } from './fields.ts';
import { defineSection } from './section.ts';

const ports = () => list().pipe(integer(1, 65_535).array().min(1).max(20));

export const outboundSection = defineSection('Calls to addresses users give', {
  dohUrl: {
    env: 'DOH_URL',
    schema: baseUrl(),
    default: 'https://cloudflare-dns.com/dns-query',
    doc: 'Resolver asked for the addresses of a host before it is called (DNS over HTTPS with JSON answers).',
  },
  dohTimeoutMs: {
    env: 'DOH_TIMEOUT_MS',
    schema: integer(100, 10_000),
    default: '2000',
    unit: 'milliseconds',
    doc: 'A host whose addresses are not known after this long is not called.',
  },
  ports: {
    env: 'OUTBOUND_PORTS',
    schema: ports(),
    default: '443,8443',
    doc: 'Ports that may be called, comma-separated.',
  },
  trustedHosts: {
    env: 'OUTBOUND_TRUSTED_HOSTS',
    schema: list(),
    default: '',
    doc: 'For development: services on this machine, as `host` or `host:port`, that are called unchecked and over http. Must be empty in staging and production.',
  },
});
