/** Logical slots an owner may fall into. 480 divides evenly by 1..6, 8, 10, 12, 15, 16, 20, 24... so shards can be added without moving everything. */
export const slotCount = 480;

/** The slot of an owner: a stable hash of the UUID text (FNV-1a 32 with murmur3's finaliser, since UUIDv7s share a prefix). */
export function slotOf(ownerId: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < ownerId.length; index += 1) {
    hash ^= ownerId.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return (hash >>> 0) % slotCount;
}

/**
 * Reads a slot map such as `0-239=0,240-479=1` (inclusive ranges).
 * @returns shard index by slot.
 * @throws RangeError when a slot is missing, given twice or mapped to a shard that does not exist.
 */
export function parseSlotMap(text: string, shardCount: number): readonly number[] {
  const shards = new Array<number>(slotCount).fill(-1);
  for (const range of text.split(',')) {
    const match = /^(\d+)-(\d+)=(\d+)$/.exec(range);
    const [from, to, shard] = (match ?? []).slice(1).map(Number);
    if (from === undefined || to === undefined || shard === undefined || from > to || to >= slotCount)
      throw new RangeError(`slot range ${range} is not within 0-${slotCount - 1}`);
    if (shard >= shardCount)
      throw new RangeError(`slot range ${range} names shard ${shard}, but there are ${shardCount}`);
    for (let slot = from; slot <= to; slot += 1) {
      if (shards[slot] !== -1) throw new RangeError(`slot ${slot} is mapped twice`);
      shards[slot] = shard;
    }
  }
  const missing = shards.indexOf(-1);
  if (missing >= 0) throw new RangeError(`slot ${missing} is mapped to no shard`);
  return shards;
}
