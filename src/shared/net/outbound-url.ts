import { isPublicAddress, parseIpv4 } from './ip-address.ts';

/** Why an address somebody gave us is not called. */
export type UrlProblem = 'malformed' | 'scheme' | 'credentials' | 'port' | 'host' | 'private_address';

export interface OutboundPolicy {
  /** Ports that may be called; 443 is what `https` means without one. */
  readonly ports: readonly number[];
  /** `host` or `host:port` of services on a developer's machine, called as they are. Empty in production. */
  readonly trustedHosts: readonly string[];
}

export type CheckedUrl =
  | {
      readonly ok: true;
      readonly url: URL;
      /** The name whose addresses remain to be looked up and checked; undefined when the URL is safe as it is. */
      readonly nameToResolve: string | undefined;
    }
  | { readonly ok: false; readonly problem: UrlProblem };

const maxUrlLength = 2_048;
// Names that mean something only inside a network (RFC 6761, RFC 6762, RFC 8375, RFC 9476, and ICANN's `internal`).
const localNames =
  /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp|home\.arpa|alt|onion)$/;
const dnsName = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Judges an address given by a user by itself: only https, no credentials, allowed ports, and no host that is an address of
 * ours or a local name. The URL parser has turned every other spelling of an IPv4 address (octal, hexadecimal, one number,
 * full-width digits) into four decimal numbers by then (https://url.spec.whatwg.org/#concept-ipv4-parser).
 */
export function checkOutboundUrl(text: string, policy: OutboundPolicy): CheckedUrl {
  const refused = (problem: UrlProblem): CheckedUrl => ({ ok: false, problem });
  if (text.length > maxUrlLength || !URL.canParse(text)) return refused('malformed');
  const url = new URL(text);
  url.hash = '';
  if (url.username !== '' || url.password !== '') return refused('credentials');
  const port = url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port);
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  const trusted = [url.hostname, `${url.hostname}:${port}`];
  if (isWeb && policy.trustedHosts.some((host) => trusted.includes(host)))
    return { ok: true, url, nameToResolve: undefined };
  if (url.protocol !== 'https:') return refused('scheme');
  if (!policy.ports.includes(port)) return refused('port');
  const host = url.hostname.replace(/\.$/, '');
  const literal = host.startsWith('[') ? host.slice(1, -1) : parseIpv4(host) === undefined ? undefined : host;
  if (literal !== undefined)
    return isPublicAddress(literal)
      ? { ok: true, url, nameToResolve: undefined }
      : refused('private_address');
  if (!dnsName.test(host) || localNames.test(host)) return refused('host');
  return { ok: true, url, nameToResolve: host };
}
