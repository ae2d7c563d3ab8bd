import type { StoredAnswer } from '../../../durable-objects/idempotency/store.ts';

// Allowed by name, so that no cookie, token or per-request header is ever kept.
const keptHeaders = ['content-type', 'content-language', 'location', 'etag', 'cache-control', 'x-error-code'];
const keptRefusals = new Set([403, 404, 409]);

/**
 * What becomes of an answer. `keep`: the request was carried out, or refused by the state of things, and a repetition
 * gets the same. `forget`: it never started (bad input, no token, too many requests). `repeat`: it may have acted and
 * failed, so it must run again with the same ids.
 */
export function fateOf(status: number): 'keep' | 'forget' | 'repeat' {
  if ((status >= 200 && status < 300) || keptRefusals.has(status)) return 'keep';
  return status >= 500 ? 'repeat' : 'forget';
}

export async function captureAnswer(response: Response): Promise<StoredAnswer> {
  return {
    status: response.status,
    headers: Object.fromEntries(
      keptHeaders.flatMap((name): [string, string][] => {
        const value = response.headers.get(name);
        return value === null ? [] : [[name, value]];
      }),
    ),
    body: new Uint8Array(await response.clone().arrayBuffer()),
  };
}

export function replayAnswer(answer: StoredAnswer): Response {
  const headers = new Headers({ ...answer.headers });
  headers.set('idempotency-replayed', 'true');
  // 204 and 205 take no body, not even an empty one.
  return new Response(answer.body.length === 0 ? null : answer.body, { status: answer.status, headers });
}
