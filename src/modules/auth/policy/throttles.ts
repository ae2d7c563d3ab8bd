import type { RateWindow } from '../../../../durable-objects/rate-limiter/gcra.ts';

const hour = 3_600;

/**
 * How many failed attempts are let through: `burst` at once, `limit` an hour. Attempts that succeed are given back.
 *
 * A network an account was logged into from answers for itself only (`pair`), so nobody elsewhere can lock it out. All other
 * networks share the account's budget, and each has one of its own over all accounts.
 */
export const throttles = {
  /** One account from one network. */
  loginPair: { limit: 20, periodSeconds: hour, burst: 5 },
  /** One account from all networks it was never logged into from. */
  loginAccount: { limit: 20, periodSeconds: hour, burst: 10 },
  /** One network over all accounts that were never logged into from it. */
  loginNetwork: { limit: 60, periodSeconds: hour, burst: 20 },
  /** One account from all such networks, by attempts with a solved challenge: a way in while others fill `loginAccount`. */
  challengedAccount: { limit: 30, periodSeconds: hour, burst: 15 },
  /** One network over all such accounts, by attempts with a solved challenge. */
  challengedNetwork: { limit: 60, periodSeconds: hour, burst: 20 },
  /** All failed logins together: full when there are far more than successes, each of which takes two back. */
  loginAnomaly: { limit: 1_200, periodSeconds: hour, burst: 300 },
  /** Each solved challenge once; Turnstile takes none older than five minutes. */
  challengeAnswer: { limit: 1, periodSeconds: 600, burst: 1 },
  /** Second factors at login, from a network the account was logged into from. */
  secondFactorPair: { limit: 10, periodSeconds: hour, burst: 5 },
  /** Second factors at login from all other networks: at most 250 a day, of a million codes. */
  secondFactorAccount: { limit: 10, periodSeconds: hour, burst: 5 },
  /** Passwords and codes given by a session that is open already. */
  reauthentication: { limit: 10, periodSeconds: hour, burst: 5 },
} as const satisfies Readonly<Record<string, RateWindow>>;

export type ThrottleName = keyof typeof throttles;

/** One count an attempt is charged to. */
export interface ThrottleCount {
  readonly throttle: ThrottleName;
  /** Whom it counts; hashed before it leaves the isolate. */
  readonly subject: string;
}

/**
 * Whom a typed name is counted as: itself, whether or not an account has it. Were the two names of an account counted as one,
 * filling the count of its username would show whose an address is.
 */
export const nameSubject = (identifier: string): string => `name:${identifier.toLowerCase()}`;

/** What an attempt at a password is charged to. `account` is `nameSubject`; of passkeys the account's id. */
export const loginCounts = (account: string, network: string, knownNetwork: boolean): ThrottleCount[] => {
  const pair: ThrottleCount = { throttle: 'loginPair', subject: `${account}\n${network}` };
  if (knownNetwork) return [pair];
  return [
    pair,
    { throttle: 'loginNetwork', subject: network },
    { throttle: 'loginAccount', subject: account },
  ];
};

/** What an attempt with a solved challenge is charged to when the counts of everybody are full. */
export const challengedCounts = (account: string, network: string): ThrottleCount[] => [
  { throttle: 'loginPair', subject: `${account}\n${network}` },
  { throttle: 'challengedNetwork', subject: network },
  { throttle: 'challengedAccount', subject: account },
];

/** Failures on a count after which the next attempt needs a challenge, where challenges are configured. */
export const challengeAfter: Readonly<Partial<Record<ThrottleName, number>>> = {
  loginPair: 3,
  loginAccount: 5,
  loginNetwork: 10,
};

/** What an attempt at a second factor is charged to. */
export const secondFactorCounts = (
  userId: string,
  network: string,
  knownNetwork: boolean,
): ThrottleCount[] => [
  knownNetwork
    ? { throttle: 'secondFactorPair', subject: `${userId}\n${network}` }
    : { throttle: 'secondFactorAccount', subject: userId },
];
