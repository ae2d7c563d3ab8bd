import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { ProviderError } from './errors.ts';
import { fetchProviderJson, type ProviderCall } from './fetch.ts';
import type { ProviderClient } from './providers.ts';

const keysTtlMs = 3_600_000;
// An unknown `kid` asks for the keys again, but not more often than this.
const keysMinAgeMs = 10_000;
const clockToleranceSeconds = 30;
const maxTokenLength = 16_384;

interface KeptKeys {
  readonly keys: JSONWebKeySet;
  readonly fetchedAtMs: number;
}

// Keys by their address: values, not promises, since a request may not await another's.
const keptKeys = new Map<string, KeptKeys>();

const jwksSchema = z.object({
  keys: z.array(z.looseObject({ kty: z.enum(['RSA', 'EC']), kid: z.string() })).max(32),
});

/**
 * Checks an id token (OpenID Connect Core §3.1.3.7): signed by RS256, as both Google and Apple do, with a key the provider publishes, by this issuer, for this
 * client alone, in answer to this login, and not expired.
 * @throws ProviderError.
 */
export async function verifyIdToken(
  call: ProviderCall,
  { provider, clientId }: ProviderClient,
  token: string,
  expected: { readonly nonce: string; readonly nowMs: number },
): Promise<JWTPayload & { readonly sub: string }> {
  const { jwksUri, name } = provider;
  if (jwksUri === undefined || token.length > maxTokenLength)
    throw new ProviderError(name, 'answer_invalid', 'id token not expected');
  const verify = (keys: JSONWebKeySet) =>
    jwtVerify(token, createLocalJWKSet(keys), {
      algorithms: ['RS256'],
      issuer: provider.issuer,
      audience: clientId,
      requiredClaims: ['sub', 'exp', 'iat', 'nonce'],
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(expected.nowMs),
    });
  const kept = keptKeys.get(jwksUri);
  const young = kept !== undefined && expected.nowMs - kept.fetchedAtMs < keysTtlMs;
  const first = young ? kept : await fetchKeys(call, jwksUri, expected.nowMs);
  try {
    const { payload } = await verify(first.keys).catch(async (error: unknown) => {
      const rotated =
        error instanceof errors.JWKSNoMatchingKey && expected.nowMs - first.fetchedAtMs >= keysMinAgeMs;
      if (!rotated) throw error;
      return verify((await fetchKeys(call, jwksUri, expected.nowMs)).keys);
    });
    const { sub, aud, azp, nonce } = payload;
    if (sub === undefined || sub === '' || sub.length > 255) throw new TypeError('sub');
    if (nonce !== expected.nonce) throw new TypeError('nonce');
    if (Array.isArray(aud) && aud.length !== 1) throw new TypeError('aud');
    if (azp !== undefined && azp !== clientId) throw new TypeError('azp');
    return { ...payload, sub };
  } catch (cause) {
    if (cause instanceof ProviderError) throw cause;
    throw new ProviderError(name, 'answer_invalid', 'id token', cause);
  }
}

async function fetchKeys(call: ProviderCall, jwksUri: string, nowMs: number): Promise<KeptKeys> {
  const parsed = jwksSchema.safeParse(await fetchProviderJson(call, jwksUri));
  if (!parsed.success) throw new ProviderError(call.provider, 'answer_invalid', 'keys', parsed.error);
  const fetched = { keys: parsed.data as JSONWebKeySet, fetchedAtMs: nowMs };
  keptKeys.set(jwksUri, fetched);
  return fetched;
}
