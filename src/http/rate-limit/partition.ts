import type { RequestContext } from '../../context.ts';
import { hmacSha256 } from '../../shared/crypto.ts';
import { hex } from '../../shared/encoding.ts';
import { viewerIdOf } from '../viewer.ts';
import { networkOf } from './ip.ts';
import type { RateLimitPolicy } from './policies.ts';

type Caller = Pick<RequestContext, 'actor' | 'ip'>;

/** Who is charged: `user:<id>` or `net:<network>`. */
export function partitionOf(caller: Caller, rule: RateLimitPolicy['partition']): string {
  const userId = rule === 'caller' ? viewerIdOf(caller) : undefined;
  if (userId !== undefined) return `user:${userId}`;
  return `net:${networkOf(caller.ip ?? '') ?? 'unknown'}`;
}

/** Whose budget pays: `user:<id>`, `key:<id>` or `net:<network>`. */
export function budgetPartitionOf(caller: Caller): string {
  return caller.actor.kind === 'api_key' ? `key:${caller.actor.keyId}` : partitionOf(caller, 'caller');
}

const memo = new Map<string, string>();
const memoLimit = 5_000;

/**
 * A keyed hash of a partition, 32 hex digits. Only hashes name anything in storage: addresses are personal data, and a
 * plain hash of an IPv4 address is undone by trying all of them.
 */
export async function hashedPartition(secret: string, partition: string): Promise<string> {
  const name = `${secret}\n${partition}`;
  const known = memo.get(name);
  if (known !== undefined) return known;
  const hashed = hex((await hmacSha256(secret, `partition\n${partition}`)).subarray(0, 16));
  if (memo.size >= memoLimit) memo.clear();
  memo.set(name, hashed);
  return hashed;
}
