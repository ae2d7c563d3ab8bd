import { sleep, waitBefore } from './backoff.ts';
import { UploadError, type UploaderApi } from './types.ts';

export interface PartUrl {
  readonly part_number: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly size_bytes: number;
  readonly expires_at: string;
}

export interface SentPart {
  readonly part_number: number;
  readonly etag: string;
}

export interface RemoteUpload {
  readonly id: string;
  readonly video_id: string;
  readonly state: 'open' | 'completing' | 'completed' | 'aborted' | 'expired';
  readonly size_bytes: number;
  readonly part_size_bytes: number;
  readonly part_count: number;
}

export interface ApiCalls {
  start(
    body: unknown,
    idempotencyKey: string,
    signal: AbortSignal,
  ): Promise<RemoteUpload & { parts: readonly PartUrl[] }>;
  /** Undefined when there is no such upload. */
  find(
    uploadId: string,
    signal: AbortSignal,
  ): Promise<(RemoteUpload & { held_parts: readonly SentPart[] }) | undefined>;
  sign(uploadId: string, partNumbers: readonly number[], signal: AbortSignal): Promise<readonly PartUrl[]>;
  acknowledge(uploadId: string, parts: readonly SentPart[], signal: AbortSignal): Promise<void>;
  complete(uploadId: string, parts: readonly SentPart[] | undefined, signal: AbortSignal): Promise<void>;
  abort(uploadId: string, signal: AbortSignal): Promise<void>;
}

export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly baseMs: number;
  readonly random: () => number;
  readonly onRetry: (retry: { what: string; attempt: number; waitMs: number; reason: string }) => void;
  /** Ends when there is a network to try again with. */
  readonly online: (signal: AbortSignal) => Promise<void>;
}

const transient = new Set([408, 425, 429, 500, 502, 503, 504]);

export const isTransient = (status: number): boolean => transient.has(status);

/** The calls of `/v1/videos/uploads`. Each is tried again after network failures, 429 and 5xx; all may be repeated safely. */
export function createApi(api: UploaderApi, retry: RetryPolicy): ApiCalls {
  const fetcher = api.fetch ?? ((input, init) => fetch(input, init));
  const base = `${api.baseUrl.replace(/\/$/, '')}/v1/videos/uploads`;

  async function once(
    method: string,
    path: string,
    signal: AbortSignal,
    body: unknown,
    key: string | undefined,
  ) {
    const ask = async (refresh: boolean) =>
      fetcher(`${base}${path}`, {
        method,
        signal,
        headers: {
          authorization: `Bearer ${await api.getToken({ refresh })}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const first = await ask(false);
    if (first.status !== 401) return first;
    await first.body?.cancel();
    return ask(true);
  }

  async function call(
    method: string,
    path: string,
    signal: AbortSignal,
    options: { readonly body?: unknown; readonly key?: string } = {},
  ): Promise<unknown> {
    const what = `${method} ${path === '' ? '/' : path}`;
    for (let attempt = 1; ; attempt += 1) {
      await retry.online(signal);
      let retryAfter: string | null = null;
      let reason: string;
      try {
        const response = await once(method, path, signal, options.body, options.key);
        if (response.ok) return response.status === 204 ? undefined : await response.json();
        const problem = await problemOf(response);
        if (!isTransient(response.status) || attempt >= retry.maxAttempts)
          throw new UploadError(
            'api_refused',
            String(problem.detail ?? problem.title ?? `${what}: ${response.status}`),
            {
              status: response.status,
              problem,
            },
          );
        retryAfter = response.headers.get('retry-after');
        reason = String(problem.code ?? response.status);
      } catch (error) {
        if (error instanceof UploadError || signal.aborted) throw error;
        if (attempt >= retry.maxAttempts)
          throw new UploadError('network', `${what} could not be sent.`, { cause: error });
        reason = error instanceof Error ? error.message : 'network';
      }
      const waitMs = waitBefore(attempt, { baseMs: retry.baseMs, retryAfter, random: retry.random });
      retry.onRetry({ what, attempt, waitMs, reason });
      await sleep(waitMs, signal);
    }
  }

  return {
    start: async (body, key, signal) => (await call('POST', '', signal, { body, key })) as never,
    async find(uploadId, signal) {
      try {
        return (await call('GET', `/${uploadId}`, signal)) as never;
      } catch (error) {
        if (error instanceof UploadError && error.status === 404) return undefined;
        throw error;
      }
    },
    async sign(uploadId, partNumbers, signal) {
      const body = { part_numbers: partNumbers };
      const { parts } = (await call('POST', `/${uploadId}/parts`, signal, { body })) as { parts: PartUrl[] };
      return parts;
    },
    acknowledge: async (uploadId, parts, signal) =>
      void (await call('PUT', `/${uploadId}/parts`, signal, { body: { parts } })),
    complete: async (uploadId, parts, signal) =>
      void (await call('POST', `/${uploadId}/complete`, signal, {
        body: parts === undefined ? {} : { parts },
      })),
    abort: async (uploadId, signal) => void (await call('DELETE', `/${uploadId}`, signal)),
  };
}

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
