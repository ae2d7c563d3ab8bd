import type { AppMiddleware } from './env.ts';

const always: readonly (readonly [string, string])[] = [
  ['strict-transport-security', 'max-age=63072000; includeSubDomains; preload'],
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
  ['x-frame-options', 'DENY'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['cross-origin-opener-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), geolocation=(), microphone=(), payment=()'],
];
const apiPolicy =
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

/**
 * Headers on every answer; a handler that serves a page sets its own content security policy first. One that says who may frame
 * it goes without the older header, which cannot.
 */
export function securityHeaders(): AppMiddleware {
  return async (c, next) => {
    await next();
    if (c.res.status === 101) return;
    const framable = /frame-ancestors (?!'none')/.test(c.res.headers.get('content-security-policy') ?? '');
    for (const [name, value] of always)
      if (!framable || name !== 'x-frame-options') c.res.headers.set(name, value);
    if (!c.res.headers.has('content-security-policy'))
      c.res.headers.set('content-security-policy', apiPolicy);
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'private, no-store');
  };
}
