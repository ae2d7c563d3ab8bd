import { z } from 'zod';
import type { SessionFacts } from '../../../../durable-objects/view-counter/protocol.ts';
import { hmacSha256, secretsEqual } from '../../../shared/crypto.ts';
import { base64Url, fromBase64Url, fromUtf8, hex, utf8 } from '../../../shared/encoding.ts';

/** Room for the longest facts there can be. */
export const maxTokenLength = 2_048;

// What tokens hold: our own words, so this only keeps tokens of another release from passing for ours.
const factsSchema = z.strictObject({
  id: z.uuid(),
  videoId: z.uuid(),
  ownerId: z.uuid(),
  shard: z.int().nonnegative(),
  viewer: z.string().length(32),
  userId: z.uuid().optional(),
  durationMs: z.int().positive(),
  counted: z.boolean(),
  source: z.string(),
  referrer: z.string().optional(),
  country: z.string(),
  device: z.string(),
  startedAtMs: z.int(),
  expiresAtMs: z.int(),
  knownViews: z.int().nonnegative(),
});

const tagOf = async (secret: string, payload: string): Promise<Uint8Array> =>
  (await hmacSha256(secret, `watch-session\n${payload}`)).subarray(0, 16);

/** A session as a token: readable to its holder, signed with HMAC-SHA-256 (truncated to 128 bits). */
export async function sealSession(secret: string, facts: SessionFacts): Promise<string> {
  const payload = base64Url(utf8(JSON.stringify(facts)));
  return `${payload}.${base64Url(await tagOf(secret, payload))}`;
}

/** The session of a token; undefined when we did not make it. Says nothing about its end. */
export async function openSession(secret: string, token: string): Promise<SessionFacts | undefined> {
  const [payload = '', tag = '', ...rest] = token.split('.');
  const given = fromBase64Url(tag);
  const bytes = fromBase64Url(payload);
  if (rest.length > 0 || given === undefined || bytes === undefined || payload === '') return undefined;
  if (!(await secretsEqual(hex(given), hex(await tagOf(secret, payload))))) return undefined;
  const parsed = factsSchema.safeParse(JSON.parse(fromUtf8(bytes)));
  return parsed.success ? (parsed.data as SessionFacts) : undefined;
}
