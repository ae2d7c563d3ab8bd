import type { Bindings } from '../../../src/context.ts';

/** The bindings of the Worker under test, typed as it sees them. */
export const testEnv = (env: object): Bindings => env as Bindings;
