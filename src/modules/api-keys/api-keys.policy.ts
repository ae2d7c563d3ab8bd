import { networkOf, parseIpv6 } from '../../http/rate-limit/ip.ts';

/** Live keys an account may have. */
export const maxApiKeys = 20;
export const maxNetworks = 10;
export const maxLifeDays = 365;
export const defaultLifeDays = 90;

interface Bits {
  readonly width: 32 | 128;
  readonly value: bigint;
}

/**
 * A network in CIDR notation (RFC 4632, RFC 4291 §2.3), lower case; a bare address is a network of one. Undefined when it is not
 * one, or names an address inside the network instead of its first.
 */
export function parseNetwork(text: string): string | undefined {
  const [address = '', length, ...rest] = text.toLowerCase().split('/');
  const bits = bitsOf(address);
  if (bits === undefined || rest.length > 0) return undefined;
  if (length === undefined) return `${address}/${bits.width}`;
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > bits.width) return undefined;
  const hostMask = (1n << BigInt(bits.width - Number(length))) - 1n;
  return (bits.value & hostMask) === 0n ? `${address}/${length}` : undefined;
}

/** Whether a key may be used from an address: from anywhere when it names no network, else only from within one of them. */
export function allowsAddress(networks: readonly string[], address: string | undefined): boolean {
  if (networks.length === 0) return true;
  const bits = address === undefined ? undefined : bitsOf(address);
  return bits !== undefined && networks.some((network) => contains(network, bits));
}

function contains(network: string, { width, value }: Bits): boolean {
  const [address = '', length] = network.split('/');
  const base = bitsOf(address);
  if (base === undefined || base.width !== width) return false;
  const hostBits = BigInt(width - Number(length));
  return base.value >> hostBits === value >> hostBits;
}

// IPv4-mapped IPv6 is IPv4, as everywhere else.
function bitsOf(address: string): Bits | undefined {
  if (address.includes('%')) return undefined;
  const network = networkOf(address);
  if (network === undefined) return undefined;
  if (!network.includes(':')) return { width: 32, value: join(network.split('.').map(Number), 8n) };
  return { width: 128, value: join(parseIpv6(address) ?? [], 16n) };
}

const join = (parts: readonly number[], bits: bigint): bigint =>
  parts.reduce((value, part) => (value << bits) | BigInt(part), 0n);
