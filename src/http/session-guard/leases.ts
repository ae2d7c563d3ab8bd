import type { GuardState } from '../../../durable-objects/session-guard/session-guard.ts';

/** How long an isolate may go by what a guard said: the bound on how long an ended session can still read. */
export const leaseMs = 9_000;

const maxUsers = 10_000;

interface Lease {
  epoch: number;
  readonly ended: Map<string, number>;
  untilMs: number;
}

export interface TokenOfSession {
  readonly userId: string;
  readonly sessionId: string;
  readonly epoch: number;
}

export interface GuardLeases {
  /** `unknown` means that the guard must be asked; an end that is known stays known however old the lease is. */
  decide(token: TokenOfSession, nowMs: number): 'live' | 'ended' | 'unknown';
  /** Takes what a guard answered to a question asked at `askedAtMs`: from then on, not from the answer, the lease runs. */
  note(userId: string, state: GuardState, askedAtMs: number): void;
  /** Takes what this isolate ended itself, without a lease: it holds here even when the guard was not reached. */
  noteEnd(userId: string, state: GuardState): void;
}

/** What this isolate knows of guards, of the users seen last. */
export function createGuardLeases(capacity = maxUsers): GuardLeases {
  const leases = new Map<string, Lease>();

  const merge = (userId: string, state: GuardState, untilMs: number): void => {
    const known = leases.get(userId);
    leases.delete(userId);
    // Merged, since a question may have been on its way while this isolate ended a session.
    const ended = new Map(known?.ended);
    for (const one of state.ended)
      ended.set(one.sessionId, Math.max(one.untilMs, ended.get(one.sessionId) ?? 0));
    leases.set(userId, {
      epoch: Math.max(state.epoch, known?.epoch ?? 0),
      ended,
      untilMs: Math.max(untilMs, known?.untilMs ?? 0),
    });
    const oldest = leases.size > capacity ? leases.keys().next().value : undefined;
    if (oldest !== undefined) leases.delete(oldest);
  };

  return {
    decide({ userId, sessionId, epoch }, nowMs) {
      const lease = leases.get(userId);
      if (lease === undefined) return 'unknown';
      leases.delete(userId);
      leases.set(userId, lease);
      for (const [ended, untilMs] of lease.ended) if (untilMs <= nowMs) lease.ended.delete(ended);
      if (epoch < lease.epoch || lease.ended.has(sessionId)) return 'ended';
      return lease.untilMs > nowMs ? 'live' : 'unknown';
    },
    note: (userId, state, askedAtMs) => merge(userId, state, askedAtMs + leaseMs),
    noteEnd: (userId, state) => merge(userId, state, 0),
  };
}
