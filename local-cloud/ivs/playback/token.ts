import { verify } from 'node:crypto';
import { z } from 'zod';
import type { PlaybackKeyPair } from '../resources.ts';

/** What a playback token says ("Generate and Sign Playback Tokens", IVS Low-Latency User Guide). */
const claims = z.object({
  'aws:channel-arn': z.string(),
  exp: z.number(),
  'aws:access-control-allow-origin': z.string().optional(),
  'aws:strict-origin-enforcement': z.boolean().optional(),
  'aws:viewer-id': z.string().min(1).max(40).optional(),
  'aws:viewer-session-version': z.int().min(0).optional(),
  'aws:single-use-uuid': z.uuid().optional(),
  'aws:maximum-resolution': z.enum(['SD', 'HD', 'FULL_HD']).optional(),
});
const header = z.object({ alg: z.literal('ES384') });

export type PlaybackClaims = z.infer<typeof claims>;

const MAX_TOKEN_CHARS = 4096;
/** Longest life of a token that names a viewer or is to be used once. */
const MAX_BOUND_SECONDS = 600;

/** The claims of a token that is good for a channel now, undefined for any other. */
export function readToken(
  token: string,
  channelArn: string,
  keys: readonly PlaybackKeyPair[],
  nowMs: number,
): PlaybackClaims | undefined {
  const [head, body, signature, ...rest] = token.split('.');
  if (!head || !body || !signature || rest.length > 0 || token.length > MAX_TOKEN_CHARS) return undefined;
  if (!header.safeParse(json(head)).success) return undefined;
  const signed = Buffer.from(`${head}.${body}`);
  const bytes = Buffer.from(signature, 'base64url');
  const known = keys.some(({ publicKey }) =>
    verify('sha384', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, bytes),
  );
  const parsed = known ? claims.safeParse(json(body)) : undefined;
  if (!parsed?.success) return undefined;
  const { exp, ...said } = parsed.data;
  const nowSeconds = nowMs / 1000;
  const isBound = said['aws:viewer-id'] !== undefined || said['aws:single-use-uuid'] !== undefined;
  if (said['aws:channel-arn'] !== channelArn || exp <= nowSeconds) return undefined;
  if (isBound && exp > nowSeconds + MAX_BOUND_SECONDS) return undefined;
  return parsed.data;
}

function json(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
