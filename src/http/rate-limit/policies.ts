import type { RateWindow } from '../../../durable-objects/rate-limiter/gcra.ts';

export interface NamedWindow extends RateWindow {
  /** Shown in the RateLimit headers; a structured-field token in quotes. */
  readonly name: string;
}

export interface RateLimitPolicy {
  /** Every window must allow a request, or none is charged. */
  readonly windows: readonly NamedWindow[];
  /** `caller`: the user when known, else the address. `ip`: always the address. */
  readonly partition: 'caller' | 'ip';
  /** What happens when the counters cannot be reached: `open` lets requests pass, `closed` answers 503. */
  readonly onFailure: 'open' | 'closed';
  /** Units an isolate may hold for a busy caller for one second, to decide without asking. 0: every request is counted by the object. */
  readonly leaseUnits: number;
}

const minute = 60;
const hour = 3_600;
const day = 86_400;

/**
 * The limits of the API. A window lets `limit` units through in `periodSeconds` on average and at most `burst`
 * (default: `limit`) at one moment.
 */
export const rateLimitPolicies = {
  /** Reads. */
  read: {
    windows: [{ name: 'read', limit: 600, periodSeconds: minute }],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 32,
  },
  /** Readiness, which asks every dependency: enough for monitors, too little to wear the database out. */
  health: {
    windows: [{ name: 'health', limit: 60, periodSeconds: minute }],
    partition: 'ip',
    onFailure: 'open',
    leaseUnits: 0,
  },
  /** Writes without a policy of their own. */
  write: {
    windows: [{ name: 'write', limit: 120, periodSeconds: minute }],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 0,
  },
  /** Register and login: each costs a password hash, and guessing must be slow. */
  auth: {
    windows: [{ name: 'auth', limit: 10, periodSeconds: minute }],
    partition: 'ip',
    onFailure: 'closed',
    leaseUnits: 0,
  },
  /** The steps of a social login, of which each login takes four; its secrets cannot be guessed. */
  oauth: {
    windows: [{ name: 'oauth', limit: 60, periodSeconds: minute }],
    partition: 'ip',
    onFailure: 'closed',
    leaseUnits: 0,
  },
  /** Exchanging refresh tokens. */
  refresh: {
    windows: [{ name: 'refresh', limit: 60, periodSeconds: minute }],
    partition: 'ip',
    onFailure: 'closed',
    leaseUnits: 0,
  },
  /** Starting, re-signing and completing uploads. */
  upload: {
    windows: [{ name: 'upload', limit: 120, periodSeconds: minute }],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 0,
  },
  like: {
    windows: [{ name: 'like', limit: 120, periodSeconds: minute }],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 0,
  },
  /** Following in bulk is how spam accounts grow. */
  follow: {
    windows: [
      { name: 'follow-hour', limit: 100, periodSeconds: hour },
      { name: 'follow-day', limit: 400, periodSeconds: day },
    ],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 0,
  },
  /** Opening realtime connections. */
  realtime: {
    windows: [{ name: 'realtime', limit: 60, periodSeconds: minute }],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 0,
  },
  /** Events of outside systems, which come in bursts from few addresses. */
  webhook: {
    windows: [{ name: 'webhook', limit: 6_000, periodSeconds: minute }],
    partition: 'ip',
    onFailure: 'open',
    leaseUnits: 100,
  },
  /** The OpenAPI document and its reader. */
  docs: {
    windows: [{ name: 'docs', limit: 120, periodSeconds: minute }],
    partition: 'ip',
    onFailure: 'open',
    leaseUnits: 16,
  },
} as const satisfies Readonly<Record<string, RateLimitPolicy>>;

export type LimitName = keyof typeof rateLimitPolicies;

export const policyOf = (name: LimitName): RateLimitPolicy => rateLimitPolicies[name];
