import { sha256 } from '../shared/crypto.ts';
import { base64Url } from '../shared/encoding.ts';
import type { AppMiddleware } from './env.ts';

// What RFC 9110 §15.4.5 wants on a 304 besides the ETag, and what describes the exchange rather than the body.
const bodyHeaders = [
  'content-type',
  'content-length',
  'content-encoding',
  'content-language',
  'content-range',
];

/** A weak validator (RFC 9110 §8.8.1) from a version that changes whenever the answer does. */
export const weakEtag = (version: string): string =>
  `W/"${version.replaceAll(/[^\x21\x23-\x7e\x80-\xff]/g, '_')}"`;

/**
 * Answers GET and HEAD with an ETag, and 304 without a body when the client already has this version. The tag is a hash
 * of the body unless the handler set one (see {@link weakEtag}), which saves hashing. Answers stay out of shared caches
 * unless the handler says otherwise.
 */
export function withEtag(): AppMiddleware {
  return async (c, next) => {
    await next();
    const { method } = c.req;
    if ((method !== 'GET' && method !== 'HEAD') || c.res.status !== 200) return;
    let etag = c.res.headers.get('etag');
    if (etag === null) {
      const digest = await sha256(new Uint8Array(await c.res.clone().arrayBuffer()));
      etag = weakEtag(base64Url(digest.subarray(0, 16)));
      c.header('etag', etag);
    }
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'private, no-cache');
    if (!matchesEtag(c.req.header('if-none-match'), etag)) return;
    const headers = new Headers(c.res.headers);
    for (const name of bodyHeaders) headers.delete(name);
    // Assigning a response merges the old one's headers into it, so the old one has to go first.
    c.res = undefined;
    c.res = new Response(null, { status: 304, headers });
  };
}

/** Whether an If-None-Match field lists the tag, by weak comparison (RFC 9110 §13.1.2). */
export function matchesEtag(field: string | undefined, etag: string): boolean {
  if (field === undefined) return false;
  if (field.trim() === '*') return true;
  const opaque = etag.replace(/^W\//, '');
  return [...field.matchAll(/(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g)].some(([, tag]) => tag === opaque);
}
