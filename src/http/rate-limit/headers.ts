import type { NamedWindow } from './policies.ts';

/** What is left of a quota. */
export interface QuotaState {
  readonly window: NamedWindow;
  readonly remaining: number;
  readonly resetSeconds: number;
}

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers-10 as RFC 9651 lists: all windows of the policy, and what is left
 * of the tightest.
 */
export function quotaHeaders(windows: readonly NamedWindow[], state: QuotaState): Record<string, string> {
  return {
    'ratelimit-policy': windows
      .map(({ name, limit, periodSeconds }) => `"${name}";q=${limit};w=${periodSeconds}`)
      .join(', '),
    ratelimit: `"${state.window.name}";r=${Math.max(0, state.remaining)};t=${state.resetSeconds}`,
  };
}
