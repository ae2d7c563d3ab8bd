import { parseArgs } from 'node:util';

export const scenarioNames = ['livez', 'video', 'feed'] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface BenchOptions {
  readonly rounds: number;
  readonly secondsPerRun: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  readonly scenarios: readonly ScenarioName[];
  /** Use our own loader even when `wrk` is there. */
  readonly nodeLoader: boolean;
  /** A run during which other processes kept more cores busy than this is thrown away and repeated. */
  readonly maxForeignCores: number;
}

const usage = `npm run bench -- [--quick] [--rounds N] [--seconds N] [--only livez,video,feed] [--node-loader] [--max-foreign CORES]`;

/** Reads the command line. @throws Error with the usage for anything it does not know. */
export function readOptions(argv: readonly string[]): BenchOptions {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        quick: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        only: { type: 'string' },
        'node-loader': { type: 'boolean', default: false },
        'max-foreign': { type: 'string' },
      },
    });
    const whole = (text: string | undefined, fallback: number): number => {
      if (text === undefined) return fallback;
      if (!/^[1-9]\d{0,3}$/.test(text)) throw new RangeError(`${text} is not a whole number of at least 1`);
      return Number(text);
    };
    const maxForeign = values['max-foreign'] ?? 'Infinity';
    if (!/^(\d+(\.\d+)?|Infinity)$/.test(maxForeign))
      throw new RangeError(`${maxForeign} is not a number of cores`);
    const only = values.only?.split(',') ?? scenarioNames;
    const unknown = only.find((name) => !scenarioNames.some((known) => known === name));
    if (unknown !== undefined) throw new RangeError(`there is no scenario ${unknown}`);
    return {
      rounds: whole(values.rounds, values.quick ? 2 : 7),
      secondsPerRun: whole(values.seconds, values.quick ? 2 : 10),
      warmUpSeconds: values.quick ? 1 : 5,
      connections: 32,
      scenarios: scenarioNames.filter((name) => only.includes(name)),
      nodeLoader: values['node-loader'],
      maxForeignCores: Number(maxForeign),
    };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nUsage: ${usage}`);
  }
}
