/** Endpoints an account may have, disabled ones included. */
export const maxEndpoints = 10;

/** After so many deliveries or milliseconds an endpoint goes to the end of the line. */
export const turn = { deliveries: 20, milliseconds: 20_000 } as const;

/** Longer than one attempt with the lookup before it and the statement after it. What dies meanwhile is delivered again after this. */
export const claimMs = 60_000;

/** Retries up to this far ahead are asked for by a delayed message; a cron finds the others within a minute. */
export const soonMs = 60_000;
