import { base64, fromHex } from '../../shared/encoding.ts';
import type { NamedWindow } from './policies.ts';

/** A window as it is quoted to its caller. */
export interface QuotedWindow extends NamedWindow {
  /** Hashed partition in hex; its first bytes tell quotas of one name apart, and nothing about whose they are. */
  readonly partition?: string;
}

/** What is left of a quota. */
export interface QuotaState {
  readonly window: QuotedWindow;
  readonly remaining: number;
  readonly resetSeconds: number;
}

const partitionDigits = 12;

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers-10 as RFC 9651 lists: all windows that were charged, and what is left
 * of the tightest.
 */
export function quotaHeaders(windows: readonly QuotedWindow[], state: QuotaState): Record<string, string> {
  return {
    'ratelimit-policy': windows
      .map((window) => `"${window.name}";q=${window.limit};w=${window.periodSeconds}${partitionKey(window)}`)
      .join(', '),
    ratelimit: `"${state.window.name}";r=${Math.max(0, state.remaining)};t=${state.resetSeconds}${partitionKey(state.window)}`,
  };
}

const partitionKey = ({ partition }: QuotedWindow): string =>
  partition === undefined ? '' : `;pk=:${base64(fromHex(partition.slice(0, partitionDigits)))}:`;
