import { generateKeyPairSync, randomBytes } from 'node:crypto';

/** An Ed25519 private JWK (RFC 8037), as `ACCESS_TOKEN_KEYS` holds it. */
export interface SigningKey {
  readonly kty: string;
  readonly crv: string;
  readonly kid: string;
  readonly x: string;
  readonly d: string;
}

/** A rotation that would end tokens which have not expired. */
export class RotationRefused extends Error {
  override readonly name = 'RotationRefused';
}

// Clocks of isolates differ, and a new setting takes a moment to reach them all.
const graceSeconds = 300;
const kidPattern = /^k(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z-/;

/**
 * The keys after a rotation: a new one, which signs, and the one that signed until now, which still verifies. The `kid` of a
 * key says when it was made, and so when the one before it signed its last token.
 * @throws RotationRefused when a key would go whose tokens may still live, unless `force`.
 */
export function rotateKeys(
  current: readonly SigningKey[],
  options: { readonly nowMs: number; readonly tokenTtlSeconds: number; readonly force: boolean },
): readonly [SigningKey, ...SigningKey[]] {
  const [signing, retiring] = current;
  if (retiring !== undefined && !options.force) assertExpired(signing, retiring, options);
  const next = newSigningKey(options.nowMs);
  return signing === undefined ? [next] : [next, signing];
}

function assertExpired(
  signing: SigningKey | undefined,
  retiring: SigningKey,
  { nowMs, tokenTtlSeconds }: { readonly nowMs: number; readonly tokenTtlSeconds: number },
): void {
  const retiredAtMs = madeAtMs(signing?.kid ?? '');
  if (retiredAtMs === undefined)
    throw new RotationRefused(
      `The kid of the first key does not tell when it was made, so tokens of ${retiring.kid} may still live.`,
    );
  const expiredAtMs = retiredAtMs + (tokenTtlSeconds + graceSeconds) * 1000;
  if (nowMs < expiredAtMs)
    throw new RotationRefused(
      `Tokens of ${retiring.kid} may live until ${new Date(expiredAtMs).toISOString()}; rotate after that.`,
    );
}

function newSigningKey(nowMs: number): SigningKey {
  const {
    crv = '',
    x = '',
    d = '',
    kty = '',
  } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const madeAt = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return { kty, crv, kid: `k${madeAt}-${randomBytes(4).toString('hex')}`, x, d };
}

function madeAtMs(kid: string): number | undefined {
  const [, year, month, day, hour, minute, second] = kidPattern.exec(kid) ?? [];
  if (second === undefined) return undefined;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
