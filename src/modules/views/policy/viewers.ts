import { networkOf } from '../../../http/rate-limit/ip.ts';
import { hmacSha256 } from '../../../shared/crypto.ts';
import { hex } from '../../../shared/encoding.ts';

const keyLength = 16;

/** Names a signed-in viewer: a keyed hash, the same for all videos and days. 32 hex digits. */
export const userViewer = async (secret: string, userId: string): Promise<string> =>
  hex((await hmacSha256(secret, `viewer\nuser\n${userId}`)).subarray(0, keyLength));

/**
 * Names a viewer nobody knows, by network and browser, under the random salt of a day. Without the salt, which is deleted when
 * the day is over, no address can be tried against it, not even by us.
 */
export async function strangerViewer(
  secret: string,
  salt: string,
  from: { readonly ip: string | undefined; readonly userAgent: string | undefined },
): Promise<string> {
  const key = await hmacSha256(secret, `viewer\nsalt\n${salt}`);
  const network = networkOf(from.ip ?? '') ?? 'unknown';
  return hex((await hmacSha256(key, `${network}\n${from.userAgent ?? ''}`)).subarray(0, keyLength));
}

/** Which of several objects counts a viewer: always the same one. */
export const shardOf = (viewer: string, shards: number): number =>
  shards <= 1 ? 0 : 1 + (Number.parseInt(viewer.slice(-8), 16) % shards);
