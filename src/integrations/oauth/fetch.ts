import { ProviderError } from './errors.ts';
import type { ProviderName } from './providers.ts';

const maxAnswerBytes = 262_144;

export interface ProviderCall {
  readonly provider: ProviderName;
  readonly timeoutMs: number;
}

/**
 * One call to a provider under a deadline that also covers the body, of which at most 256 KiB are read. Redirects are not
 * followed: they would carry secrets to another host.
 * @throws ProviderError `unreachable`: no whole answer in time, or one of 5xx or 429; `answer_invalid`: too large.
 */
export async function fetchProvider(call: ProviderCall, url: string, init: RequestInit): Promise<Response> {
  const { provider, timeoutMs } = call;
  let response: Response;
  let body: Uint8Array | undefined;
  try {
    response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
    body = await readAtMost(response, maxAnswerBytes);
  } catch (cause) {
    throw new ProviderError(provider, 'unreachable', 'no answer', cause);
  }
  if (response.status >= 500 || response.status === 429)
    throw new ProviderError(provider, 'unreachable', `status ${response.status}`);
  if (body === undefined) throw new ProviderError(provider, 'answer_invalid', 'answer too large');
  const hasBody = response.status !== 204 && response.status !== 304 && response.status >= 200;
  return new Response(hasBody ? body : null, { status: response.status, headers: response.headers });
}

/**
 * The JSON of a 200.
 * @throws ProviderError.
 */
export async function fetchProviderJson(
  call: ProviderCall,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const response = await fetchProvider(call, url, {
    headers: { accept: 'application/json', 'user-agent': 'social-flow', ...headers },
  });
  if (response.status !== 200)
    throw new ProviderError(call.provider, 'answer_invalid', `status ${response.status}`);
  try {
    return await response.json();
  } catch (cause) {
    throw new ProviderError(call.provider, 'answer_invalid', 'not JSON', cause);
  }
}

async function readAtMost(response: Response, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
