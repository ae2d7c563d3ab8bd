import type { RequestContext } from '../../../context.ts';
import { type SignedGrant, signGrant } from '../../../integrations/aws/index.ts';

/** A signature over everything in a folder of the media bucket. */
export interface FolderGrant extends SignedGrant {
  /** Unix seconds. */
  readonly expiresAt: number;
}

// Signatures that do for everybody are made once an isolate and five minutes: RSA takes a millisecond of CPU.
const bucketSeconds = 300;
const known = new Map<string, FolderGrant>();
const maxKnown = 2_000;

/**
 * Signs for every object whose key begins with `prefix`.
 * @param ttlSeconds how long it lasts at least; up to five minutes longer without `ip`.
 * @param ip the only address it is good for.
 * @returns undefined in deployments whose CDN asks for no signature.
 */
export async function signFolder(
  ctx: Pick<RequestContext, 'config' | 'clock'>,
  { prefix, ttlSeconds, ip }: { readonly prefix: string; readonly ttlSeconds: number; readonly ip?: string },
): Promise<FolderGrant | undefined> {
  const [key] = ctx.config.delivery.signingKeys;
  if (key === undefined) return undefined;
  const nowSeconds = Math.floor(ctx.clock.now() / 1_000);
  const resource = `${ctx.config.aws.cdnBaseUrl}/${prefix}*`;
  if (ip !== undefined) {
    const expiresAt = nowSeconds + ttlSeconds;
    return { ...(await signGrant(key, { resource, expiresAt, ip })), expiresAt };
  }
  const step = Math.min(bucketSeconds, ttlSeconds);
  const expiresAt = Math.ceil((nowSeconds + ttlSeconds) / step) * step;
  const name = `${key.id} ${expiresAt} ${resource}`;
  const kept = known.get(name);
  if (kept !== undefined) return kept;
  const grant = { ...(await signGrant(key, { resource, expiresAt })), expiresAt };
  if (known.size >= maxKnown) known.clear();
  known.set(name, grant);
  return grant;
}
