import { parseArgs } from 'node:util';

export interface StartOptions {
  /** Throw away the database, the objects and the Worker's own state first. */
  readonly fresh: boolean;
  /** Start `wrangler dev` too. */
  readonly worker: boolean;
  readonly seed: boolean;
  readonly workerPort: number;
  readonly stateDir: string | undefined;
  readonly help: boolean;
  /** Probabilities (0..1) of misbehaviour of the emulated EventBridge. */
  readonly chaos: { readonly duplicate: number; readonly reorder: number; readonly drop: number };
}

export const usage = `Usage: npm start -- [options]
  --fresh              start with empty databases, buckets and Durable Objects
  --no-worker          only the local cloud; run \`npx wrangler dev\` yourself
  --no-seed            no demo people, posts and videos
  --port N             port of the API (default 8787; the next free one when taken)
  --state-dir DIR      where everything is kept (default .local-cloud)
  --chaos d,r,l        events duplicated, reordered, lost, each 0..1 (e.g. 0.3,0.3,0.1)`;

/** @throws Error with a sentence for people when an option is not known or not valid. */
export function parseOptions(args: readonly string[]): StartOptions {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      fresh: { type: 'boolean', default: false },
      worker: { type: 'boolean', default: true },
      seed: { type: 'boolean', default: true },
      port: { type: 'string', default: '8787' },
      'state-dir': { type: 'string' },
      chaos: { type: 'string', default: '0,0,0' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const workerPort = Number(values.port);
  if (!Number.isInteger(workerPort) || workerPort < 1 || workerPort > 65_535)
    throw new Error(`--port must be 1 to 65535, not ${values.port}`);
  const [duplicate = Number.NaN, reorder = Number.NaN, drop = Number.NaN, ...rest] = values.chaos
    .split(',')
    .map(Number);
  if (rest.length > 0 || [duplicate, reorder, drop].some((share) => !(share >= 0 && share <= 1)))
    throw new Error(`--chaos takes three numbers from 0 to 1, such as 0.3,0.3,0.1, not ${values.chaos}`);
  return {
    fresh: values.fresh,
    worker: values.worker,
    seed: values.seed,
    workerPort,
    stateDir: values['state-dir'],
    help: values.help,
    chaos: { duplicate, reorder, drop },
  };
}
