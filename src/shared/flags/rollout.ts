/**
 * Where a user stands in the rollout of a flag, 0..9999. Stable: raising the percentage only adds users. Different flags
 * order users differently, so that the same people are not first every time.
 * FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/) with the finalizer of MurmurHash3, which spreads its low bits.
 */
export function rolloutPosition(flag: string, userId: string): number {
  let hash = 0x811c9dc5;
  const text = `${flag}\n${userId}`;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % 10_000;
}
