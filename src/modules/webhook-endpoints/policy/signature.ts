import { hmacSha256, randomBytes } from '../../../shared/crypto.ts';
import { base64, fromBase64Url } from '../../../shared/encoding.ts';

const secretPrefix = 'whsec_';
const secretBytes = 32;

/** A new secret as its owner gets it: `whsec_` and 32 random bytes in base64 (Standard Webhooks 1.0.0, "Signature scheme"). */
export const newSecret = (): string => secretPrefix + base64(randomBytes(secretBytes));

/**
 * The headers of an attempt. With several secrets, as while one replaces another, each signs, the newest first.
 * @throws RangeError for a secret that is none.
 */
export async function signedHeaders(message: {
  /** The same on every attempt. */
  readonly id: string;
  readonly body: string;
  readonly secrets: readonly string[];
  /** Of this attempt. */
  readonly nowMs: number;
}): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(message.nowMs / 1_000));
  const content = `${message.id}.${timestamp}.${message.body}`;
  const signatures = await Promise.all(
    message.secrets.map(async (secret) => `v1,${base64(await hmacSha256(keyOf(secret), content))}`),
  );
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

function keyOf(secret: string): Uint8Array {
  const text = secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : '';
  const key = fromBase64Url(text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''));
  if (key === undefined || key.length < 24 || key.length > 64) throw new RangeError('not a webhook secret');
  return key;
}
