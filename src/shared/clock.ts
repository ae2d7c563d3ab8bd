/** The current time in Unix milliseconds. A port so that tests move time instead of back-dating rows. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
