import type { LockState } from './store.ts';

/** Longest time a holder may keep the lock without renewing. */
export const maxTtlMs = 3_600_000;

/** Whether somebody holds the lock at `nowMs`. */
export const isHeld = (state: LockState, nowMs: number): boolean =>
  state.owner !== undefined && state.expiresAtMs > nowMs;

/**
 * Gives the lock to `owner` when it is free, with a token greater than any before. An owner who asks again while holding
 * it gets the same grant: the answer to the first call may have been lost. Undefined when somebody else holds it.
 */
export function grant(
  state: LockState,
  request: { readonly owner: string; readonly ttlMs: number },
  nowMs: number,
): LockState | undefined {
  if (isHeld(state, nowMs)) return state.owner === request.owner ? state : undefined;
  return {
    fencingToken: state.fencingToken + 1,
    owner: request.owner,
    expiresAtMs: nowMs + request.ttlMs,
  };
}

/** Extends a grant that is still held. Undefined when it ran out or belongs to somebody else. */
export function renew(
  state: LockState,
  request: { readonly owner: string; readonly fencingToken: number; readonly ttlMs: number },
  nowMs: number,
): LockState | undefined {
  if (!isHeld(state, nowMs) || !isGrant(state, request)) return undefined;
  return { ...state, expiresAtMs: Math.max(state.expiresAtMs, nowMs + request.ttlMs) };
}

/** Frees the lock. Undefined when the grant is not the current one. */
export function release(
  state: LockState,
  request: { readonly owner: string; readonly fencingToken: number },
): LockState | undefined {
  return isGrant(state, request) ? { ...state, owner: undefined, expiresAtMs: 0 } : undefined;
}

const isGrant = (
  state: LockState,
  request: { readonly owner: string; readonly fencingToken: number },
): boolean => state.owner === request.owner && state.fencingToken === request.fencingToken;

/** @throws RangeError when a grant would end at once or never. */
export function assertTtl(ttlMs: number): void {
  if (!Number.isSafeInteger(ttlMs) || ttlMs < 1 || ttlMs > maxTtlMs)
    throw new RangeError(`ttlMs must be a whole number from 1 to ${maxTtlMs}`);
}
