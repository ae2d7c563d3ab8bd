import type { TripCounts } from '../local-cloud/neon-bridge/index.ts';
import {
  cpuSecondsOf,
  cpuSecondsOfFamily,
  cpuSecondsOfMachine,
  cpuSecondsWithEnded,
  residentMib,
} from './cpu.ts';
import type { Loader } from './load/run-load.ts';
import type { BenchServer } from './servers.ts';

/** One run of one server in one round. */
export interface Measurement {
  readonly requestsPerSecond: number;
  /** CPU milliseconds of the server process for each request. */
  readonly cpuMs: number;
  /** Share of one core the server used, 0 to 1 and beyond. */
  readonly busy: number;
  /** CPU milliseconds spent elsewhere for each request. */
  readonly bridgeCpuMs: number;
  readonly postgresCpuMs: number;
  /** Database round trips through the bridge for each request. */
  readonly trips: number;
  /** Resident memory of the server afterwards. */
  readonly memoryMib: number;
  /** Cores that processes outside the bench kept busy meanwhile; undefined where the system does not tell. */
  readonly foreignCores: number | undefined;
}

export interface Surroundings {
  readonly loader: Loader;
  readonly postgresPid: number;
  /** Trips through the bridge so far. */
  readonly trips: () => TripCounts;
}

/** Loads a server for some seconds and looks at what that cost. */
export async function measure(
  server: BenchServer,
  requestsFile: string,
  seconds: number,
  { loader, postgresPid, trips }: Surroundings,
): Promise<Measurement> {
  const read = () => ({
    at: performance.now() / 1_000,
    server: cpuSecondsOf(server.pid),
    // The bridge is the only part of this process that works during a run.
    bridge: cpuSecondsOf(process.pid),
    postgres: cpuSecondsOfFamily(postgresPid),
    trips: trips().roundTrips,
    machine: cpuSecondsOfMachine(),
    bench: cpuSecondsWithEnded(process.pid),
  });
  const before = read();
  const { requests, seconds: measuredSeconds } = await loader.run(server, requestsFile, seconds);
  const after = read();
  const msPerRequest = (part: 'server' | 'bridge' | 'postgres'): number =>
    ((after[part] - before[part]) * 1_000) / requests;
  // The bench itself counts with the loader that has just ended.
  const used = (['server', 'bench', 'postgres'] as const).reduce(
    (sum, part) => sum + after[part] - before[part],
    0,
  );
  return {
    requestsPerSecond: requests / measuredSeconds,
    cpuMs: msPerRequest('server'),
    busy: (after.server - before.server) / measuredSeconds,
    bridgeCpuMs: msPerRequest('bridge'),
    postgresCpuMs: msPerRequest('postgres'),
    trips: (after.trips - before.trips) / requests,
    memoryMib: residentMib(server.pid),
    foreignCores:
      after.machine === undefined || before.machine === undefined
        ? undefined
        : Math.max(0, after.machine - before.machine - used) / (after.at - before.at),
  };
}

/** Measurements of each server in order of rounds. */
export type Rounds = ReadonlyMap<string, readonly Measurement[]>;

export interface Plan {
  readonly rounds: number;
  readonly secondsPerRun: number;
  readonly warmUpSeconds: number;
  readonly maxForeignCores: number;
}

/** How long to wait for a quiet machine, in all, and between two looks. */
const patienceMs = 4 * 3_600_000;
const pauseMs = 10_000;
const lookMs = 2_000;

/** Warms every server up, then measures them in turn, A B C A B C, so that a change of the machine meets all of them. */
export async function measureInTurn(
  servers: readonly BenchServer[],
  requestsFile: string,
  plan: Plan,
  surroundings: Surroundings,
  onProgress: (line: string) => void,
): Promise<Rounds> {
  for (const server of servers) await measure(server, requestsFile, plan.warmUpSeconds, surroundings);
  const results = new Map<string, Measurement[]>(servers.map(({ name }) => [name, []]));
  for (let round = 1; round <= plan.rounds; round += 1)
    for (const server of servers) {
      const result = await measureUndisturbed(server, requestsFile, plan, surroundings, onProgress);
      results.get(server.name)?.push(result);
      onProgress(
        `round ${round}/${plan.rounds} ${server.name}: ${Math.round(result.requestsPerSecond)} requests/s, ${result.cpuMs.toFixed(3)} ms CPU`,
      );
    }
  return results;
}

// What decides is the load others made, never the result.
async function measureUndisturbed(
  server: BenchServer,
  requestsFile: string,
  { secondsPerRun, maxForeignCores }: Plan,
  surroundings: Surroundings,
  onProgress: (line: string) => void,
): Promise<Measurement> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    if (Number.isFinite(maxForeignCores) && (await busyCores()) > maxForeignCores) {
      await sleep(pauseMs);
      continue;
    }
    const result = await measure(server, requestsFile, secondsPerRun, surroundings);
    const { foreignCores = 0 } = result;
    if (foreignCores <= maxForeignCores) return result;
    onProgress(`${server.name}: thrown away, other processes kept ${foreignCores.toFixed(2)} cores busy`);
  }
  throw new Error(`other processes kept more than ${maxForeignCores} cores busy for too long`);
}

/** Cores busy while the bench does nothing. */
async function busyCores(): Promise<number> {
  const before = cpuSecondsOfMachine();
  await sleep(lookMs);
  const after = cpuSecondsOfMachine();
  return before === undefined || after === undefined ? 0 : ((after - before) * 1_000) / lookMs;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
