import type { RequestRecord } from './store.ts';

export interface BeginRequest {
  /** Hash of who, method, path and key. */
  readonly scope: string;
  /** Hash of what is asked for; the same key with another one is a client error. */
  readonly fingerprint: string;
  /** Unique for each HTTP request, so that a repeated call is recognised. */
  readonly claim: string;
  readonly ttlSeconds: number;
  /** After this long without an answer the runner is taken for dead. */
  readonly leaseMs: number;
}

export type BeginResult =
  /** Run it. After a crash the same `seed` comes again, so that a second run makes the same ids. */
  | { readonly state: 'new'; readonly seed: string }
  | {
      readonly state: 'replay';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array;
    }
  | { readonly state: 'running'; readonly retryAfterSeconds: number }
  | { readonly state: 'mismatch' };

/** What to do about a request, given what is known under its scope (undefined: nothing, or expired). */
export function judge(
  record: RequestRecord | undefined,
  request: BeginRequest,
  nowMs: number,
): 'insert' | 'rerun' | 'repeated' | 'replay' | 'running' | 'mismatch' {
  if (record === undefined) return 'insert';
  if (record.fingerprint !== request.fingerprint) return 'mismatch';
  if (record.answered) return 'replay';
  if (record.claim === null || record.leaseEndsAtMs <= nowMs) return 'rerun';
  return record.claim === request.claim ? 'repeated' : 'running';
}
