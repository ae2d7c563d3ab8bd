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
  /** Requests an isolate may hold for a busy caller for one second, to decide without asking. 0: every request is counted by the object. */
  readonly leaseUnits: number;
  /** Points a request takes from the caller's budget unless its route says otherwise; 0 where there is no budget. */
  readonly points: number;
  /** What a request that failed with a 4xx costs: `keep` what was charged, or `refund` it to the policy's windows. Points are kept. */
  readonly onRefusal: 'keep' | 'refund';
}

const minute = 60;
const hour = 3_600;
const day = 86_400;

/**
 * Points by caller over all routes with `points`, beside the windows of each route: an account in person, each of its API
 * keys, and each network of strangers.
 */
export const budgets = {
  user: { name: 'user-budget', limit: 1_200, periodSeconds: minute },
  api_key: { name: 'key-budget', limit: 900, periodSeconds: minute },
  anonymous: { name: 'network-budget', limit: 600, periodSeconds: minute },
} as const satisfies Readonly<Record<string, NamedWindow>>;

/**
 * The limits of the API. A window lets `limit` units through in `periodSeconds` on average and at most `burst`
 * (default: `limit`) at one moment; a strict one never more than `limit` in any span of `periodSeconds`.
 */
export const rateLimitPolicies = {
  /** Reads. */
  read: {
    windows: [{ name: 'read', limit: 600, periodSeconds: minute }],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 32,
    points: 1,
    onRefusal: 'keep',
  },
  /** Readiness, which asks every dependency: enough for monitors, too little to wear the database out. */
  health: {
    windows: [{ name: 'health', limit: 60, periodSeconds: minute }],
    partition: 'ip',
    onFailure: 'open',
    leaseUnits: 0,
    points: 0,
    onRefusal: 'keep',
  },
  /** Writes without a policy of their own. */
  write: {
    windows: [{ name: 'write', limit: 120, periodSeconds: minute }],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 0,
    points: 5,
    onRefusal: 'keep',
  },
  /** Registering and logging in: each costs a password hash, and guessing must be slow. */
  auth: {
    windows: [{ name: 'auth', limit: 10, periodSeconds: minute }],
    partition: 'ip',
    onFailure: 'closed',
    leaseUnits: 0,
    points: 0,
    onRefusal: 'keep',
  },
  /** The steps of a social login, of which each login takes four; its secrets cannot be guessed. */
  oauth: {
    windows: [{ name: 'oauth', limit: 60, periodSeconds: minute }],
    partition: 'ip',
    onFailure: 'closed',
    leaseUnits: 0,
    points: 0,
    onRefusal: 'keep',
  },
  /** What sends a mail: nobody's mailbox may be flooded. Each address has limits of its own (`mail-tokens.ts`). */
  mail: {
    windows: [{ name: 'mail', limit: 10, periodSeconds: hour, burst: 5 }],
    partition: 'caller',
    onFailure: 'closed',
    leaseUnits: 0,
    points: 5,
    onRefusal: 'keep',
  },
  /** Exchanging refresh tokens. */
  refresh: {
    windows: [{ name: 'refresh', limit: 60, periodSeconds: minute }],
    partition: 'ip',
    onFailure: 'closed',
    leaseUnits: 0,
    points: 0,
    onRefusal: 'keep',
  },
  /** Starting, re-signing and completing uploads. */
  upload: {
    windows: [{ name: 'upload', limit: 120, periodSeconds: minute }],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 0,
    points: 5,
    onRefusal: 'keep',
  },
  /** Passwords of videos: each costs a hash. Wrong ones have counts of their own (`unlock-video.ts`). */
  unlock: {
    windows: [{ name: 'unlock', limit: 60, periodSeconds: minute, burst: 20 }],
    partition: 'ip',
    onFailure: 'closed',
    leaseUnits: 0,
    points: 5,
    onRefusal: 'keep',
  },
  /** Timed metadata: what IVS takes of a channel. */
  metadata: {
    windows: [{ name: 'metadata', limit: 5, periodSeconds: 1 }],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 0,
    points: 2,
    onRefusal: 'keep',
  },
  like: {
    windows: [{ name: 'like', limit: 120, periodSeconds: minute }],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 0,
    points: 5,
    onRefusal: 'keep',
  },
  /** Comments: enough for a lively talk, too little to flood one. What was refused is no comment. */
  comment: {
    windows: [
      { name: 'comment', limit: 20, periodSeconds: minute },
      { name: 'comment-day', limit: 600, periodSeconds: day },
    ],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 0,
    points: 5,
    onRefusal: 'refund',
  },
  /** Following in bulk is how spam accounts grow: no hour holds more than 100, no day more than 400. */
  follow: {
    windows: [
      { name: 'follow-hour', limit: 100, periodSeconds: hour, strict: true },
      { name: 'follow-day', limit: 400, periodSeconds: day, strict: true },
    ],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 0,
    points: 5,
    onRefusal: 'refund',
  },
  /** Undoing follows, bounded like making them: following and unfollowing in turn is spam too. */
  unfollow: {
    windows: [
      { name: 'unfollow-hour', limit: 100, periodSeconds: hour, strict: true },
      { name: 'unfollow-day', limit: 400, periodSeconds: day, strict: true },
    ],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 0,
    points: 5,
    onRefusal: 'refund',
  },
  /** New accounts of one network, beside `auth` or `oauth`. What was refused is no account. */
  register: {
    windows: [
      { name: 'register-hour', limit: 20, periodSeconds: hour },
      { name: 'register-day', limit: 60, periodSeconds: day },
    ],
    partition: 'ip',
    onFailure: 'closed',
    leaseUnits: 0,
    points: 0,
    onRefusal: 'refund',
  },
  /** Making, changing and revoking API keys. By day too: each new one is mailed, and its row outlives it. */
  keys: {
    windows: [
      { name: 'keys', limit: 30, periodSeconds: minute },
      { name: 'keys-day', limit: 500, periodSeconds: day },
    ],
    partition: 'caller',
    onFailure: 'closed',
    leaseUnits: 0,
    points: 5,
    onRefusal: 'keep',
  },
  /** What only staff may do. */
  admin: {
    windows: [{ name: 'admin', limit: 120, periodSeconds: minute }],
    partition: 'caller',
    onFailure: 'closed',
    leaseUnits: 0,
    points: 5,
    onRefusal: 'keep',
  },
  /** Refusals of one account that are written into the audit log; the request log has them all. No route has it. */
  denials: {
    windows: [{ name: 'denials', limit: 60, periodSeconds: hour }],
    partition: 'caller',
    onFailure: 'closed',
    leaseUnits: 0,
    points: 0,
    onRefusal: 'keep',
  },
  /** Opening realtime connections. */
  realtime: {
    windows: [{ name: 'realtime', limit: 60, periodSeconds: minute }],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 0,
    points: 5,
    onRefusal: 'keep',
  },
  /** Requests an account makes us send somewhere, while it waits. */
  webhook_test: {
    windows: [
      { name: 'webhook-test', limit: 10, periodSeconds: minute },
      { name: 'webhook-test-day', limit: 200, periodSeconds: day },
    ],
    partition: 'caller',
    onFailure: 'closed',
    leaseUnits: 0,
    points: 20,
    onRefusal: 'keep',
  },
  /** Starting to watch a video. One network may be a school or a mobile carrier. */
  watch: {
    windows: [{ name: 'watch', limit: 300, periodSeconds: minute }],
    partition: 'caller',
    onFailure: 'open',
    leaseUnits: 16,
    points: 2,
    onRefusal: 'keep',
  },
  /** Events of outside systems, which come in bursts from few addresses. */
  webhook: {
    windows: [{ name: 'webhook', limit: 6_000, periodSeconds: minute }],
    partition: 'ip',
    onFailure: 'open',
    leaseUnits: 100,
    points: 0,
    onRefusal: 'keep',
  },
  /** The OpenAPI document and its reader. */
  docs: {
    windows: [{ name: 'docs', limit: 120, periodSeconds: minute }],
    partition: 'ip',
    onFailure: 'open',
    leaseUnits: 16,
    points: 0,
    onRefusal: 'keep',
  },
} as const satisfies Readonly<Record<string, RateLimitPolicy>>;

export type LimitName = keyof typeof rateLimitPolicies;

export const policyOf = (name: LimitName): RateLimitPolicy => rateLimitPolicies[name];
