const ipv4Pattern = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/**
 * The network an address counts for: an IPv4 address as a whole, an IPv6 address by its /64 (one subscriber commands a
 * whole /64, and must not get a fresh quota from each address in it). One spelling for each network, whatever the
 * spelling of the address. IPv4-mapped IPv6 is IPv4. Undefined for what is not an address.
 */
export function networkOf(address: string): string | undefined {
  if (ipv4Pattern.test(address)) return address;
  const groups = parseIpv6(address);
  if (groups === undefined) return undefined;
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6);
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  }
  const prefix = groups.slice(0, 4).map((group) => group.toString(16));
  return `${prefix.join(':')}::/64`;
}

/** The eight 16-bit groups of an IPv6 address (RFC 4291 §2.2), or undefined. A zone id (RFC 4007) is dropped. */
export function parseIpv6(address: string): number[] | undefined {
  let [text = ''] = address.split('%', 1);
  const lastColon = text.lastIndexOf(':');
  const tail = text.slice(lastColon + 1);
  if (tail.includes('.')) {
    if (!ipv4Pattern.test(tail)) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = tail.split('.').map(Number);
    text = `${text.slice(0, lastColon + 1)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, rest] = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (head === undefined || ![...head, ...(rest ?? [])].every((group) => /^[0-9a-f]{1,4}$/i.test(group)))
    return undefined;
  const missing = 8 - head.length - (rest?.length ?? 0);
  if (rest === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...Array<string>(rest === undefined ? 0 : missing).fill('0'), ...(rest ?? [])].map(
    (group) => Number.parseInt(group, 16),
  );
}
