import type { Config } from '../../config/index.ts';
import { checkOutboundUrl, isPublicAddress, type UrlProblem } from '../../shared/net/index.ts';
import { ResolverUnavailable, resolveAddresses } from '../dns/index.ts';

export type OutboundFailure =
  /** The address, or one it led to, is not called; `problem` says why. */
  | 'refused'
  | 'unknown_host'
  | 'too_many_redirects'
  /** Nobody answered, or not in time. May pass. */
  | 'unreachable'
  /** We could not find out where the name points. May pass. */
  | 'unresolved';

export class OutboundError extends Error {
  readonly failure: OutboundFailure;
  readonly problem: UrlProblem | undefined;

  constructor(failure: OutboundFailure, options: { problem?: UrlProblem; cause?: unknown } = {}) {
    super(`call to a given address: ${options.problem ?? failure}`, { cause: options.cause });
    this.name = 'OutboundError';
    this.failure = failure;
    this.problem = options.problem;
  }

  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    return this.failure === 'unreachable' || this.failure === 'unresolved';
  }
}

export interface OutboundRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Redirects that are followed, each hop checked like the first; 0 hands the first answer over as it is. */
  readonly maxRedirects: 0 | 1 | 2 | 3 | 4 | 5;
  /** Ends the whole exchange, also while the body is read. */
  readonly signal: AbortSignal;
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Checks that an address given by a user leads to the public internet: by itself, then by every address its name has.
 * @throws OutboundError `refused`, `unknown_host`, `unresolved`.
 */
export async function requirePublicUrl(config: Config['outbound'], address: string): Promise<URL> {
  const checked = checkOutboundUrl(address, config);
  if (!checked.ok) throw new OutboundError('refused', { problem: checked.problem });
  const { url, nameToResolve } = checked;
  if (nameToResolve === undefined) return url;
  let addresses: string[];
  try {
    addresses = await resolveAddresses(config, nameToResolve);
  } catch (cause) {
    if (cause instanceof ResolverUnavailable) throw new OutboundError('unresolved', { cause });
    throw cause;
  }
  if (addresses.length === 0) throw new OutboundError('unknown_host');
  if (!addresses.every(isPublicAddress)) throw new OutboundError('refused', { problem: 'private_address' });
  return url;
}

/**
 * Calls an address given by a user, and only if it is one of the public internet (decision 0037 says what remains).
 * @returns the answer whatever its status, body unread, and the address it came from.
 * @throws OutboundError
 */
export async function fetchPublic(
  config: Config['outbound'],
  address: string,
  request: OutboundRequest,
): Promise<{ readonly response: Response; readonly url: string }> {
  let next = address;
  for (let hop = 0; hop <= request.maxRedirects; hop += 1) {
    const url = await requirePublicUrl(config, next);
    const response = await callOnce(url, request);
    const location = redirects.has(response.status) ? response.headers.get('location') : null;
    if (location === null || request.maxRedirects === 0) return { response, url: url.href };
    await response.body?.cancel();
    if (!URL.canParse(location, url.href)) throw new OutboundError('refused', { problem: 'malformed' });
    next = new URL(location, url.href).href;
  }
  throw new OutboundError('too_many_redirects');
}

async function callOnce(url: URL, request: OutboundRequest): Promise<Response> {
  try {
    return await fetch(url.href, {
      method: request.method,
      headers: { ...request.headers },
      redirect: 'manual',
      signal: request.signal,
      ...(request.body === undefined ? {} : { body: request.body }),
    });
  } catch (cause) {
    throw new OutboundError('unreachable', { cause });
  }
}

/**
 * The first `limit` bytes of an answer; the rest is not read.
 * @throws OutboundError `unreachable` when it breaks off.
 */
export async function readAtMost(response: Response, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(limit);
  let length = 0;
  const reader = response.body?.getReader();
  try {
    while (reader !== undefined && length < limit) {
      const { done, value } = await reader.read();
      if (done) break;
      const taken = value.subarray(0, limit - length);
      bytes.set(taken, length);
      length += taken.length;
    }
  } catch (cause) {
    throw new OutboundError('unreachable', { cause });
  }
  await reader?.cancel().catch(() => undefined);
  return bytes.slice(0, length);
}
