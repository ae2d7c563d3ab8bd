// IANA IPv4 Special-Purpose Address Registry (RFC 6890 and later), multicast and class E: nobody's on the public internet.
const reservedV4: readonly (readonly [network: number, prefixLength: number])[] = [
  [0x00000000, 8],
  [0x0a000000, 8],
  [0x64400000, 10],
  [0x7f000000, 8],
  [0xa9fe0000, 16],
  [0xac100000, 12],
  [0xc0000000, 24],
  [0xc0000200, 24],
  [0xc01fc400, 24],
  [0xc034c100, 24],
  [0xc0586300, 24],
  [0xc0a80000, 16],
  [0xc0af3000, 24],
  [0xc6120000, 15],
  [0xc6336400, 24],
  [0xcb007100, 24],
  [0xe0000000, 4],
  [0xf0000000, 4],
];

// Only 2000::/3 is given out as global unicast (RFC 4291 §2.4). Everything that wraps an IPv4 address (mapped, NAT64) lies
// outside it, except these: IETF protocols with Teredo, documentation, 6to4, AS112 and the second documentation range.
const reservedV6: readonly (readonly [network: bigint, prefixLength: bigint])[] = [
  [0x20010000n << 96n, 23n],
  [0x20010db8n << 96n, 32n],
  [0x20020000n << 96n, 16n],
  [0x2620004f8000n << 80n, 48n],
  [0x3fff0000n << 96n, 20n],
];

/** Four decimal numbers, without the octal, hexadecimal and short forms some resolvers take. */
export function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

/** Any text form of RFC 4291 §2.2, without brackets and zone. */
export function parseIpv6(text: string): bigint | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<number>(Math.max(0, missing)).fill(0), ...(tail ?? [])];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

function groupsOf(half: string, index: number, halves: readonly string[]): number[] | undefined {
  if (half === '') return halves.length === 2 ? [] : undefined;
  const groups: number[] = [];
  const words = half.split(':');
  for (const [position, word] of words.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(word)) {
      groups.push(Number.parseInt(word, 16));
      continue;
    }
    const isLast = index === halves.length - 1 && position === words.length - 1;
    const embedded = isLast ? parseIpv4(word) : undefined;
    if (embedded === undefined) return undefined;
    groups.push(Math.floor(embedded / 65_536), embedded % 65_536);
  }
  return groups;
}

/** Whether an address is one of the public internet: nothing private, local, shared, reserved, multicast, or an IPv4 address in disguise. */
export function isPublicAddress(text: string): boolean {
  const v4 = parseIpv4(text);
  if (v4 !== undefined)
    return !reservedV4.some(
      ([network, length]) => Math.floor(v4 / 2 ** (32 - length)) === Math.floor(network / 2 ** (32 - length)),
    );
  const v6 = parseIpv6(text);
  if (v6 === undefined) return false;
  return (
    v6 >> 125n === 1n &&
    !reservedV6.some(([network, length]) => v6 >> (128n - length) === network >> (128n - length))
  );
}
