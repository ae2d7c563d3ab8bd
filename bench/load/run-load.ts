import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cleanup } from '../cleanup.ts';
import { programPath } from '../machine.ts';
import { outputOf, type StartedProcess, startProcess } from '../processes.ts';
import type { BenchRequest, BenchServer } from '../servers.ts';

export interface LoadResult {
  /** Answers with status 200 that were read to their end. */
  readonly requests: number;
  readonly seconds: number;
}

export interface Loader {
  readonly description: string;
  /** Sends requests over a fixed number of kept connections, each waiting for its answer. @throws Error when any request failed. */
  run(server: BenchServer, requestsFile: string, seconds: number): Promise<LoadResult>;
}

const resultLine = /^RESULT (\{.*\})$/m;

/** `wrk` with one thread when it is there, else our loader in Node; the same one for the whole run. */
export function chooseLoader(connections: number, nodeOnly: boolean, cleanup: Cleanup): Loader {
  let current: StartedProcess | undefined;
  cleanup.add(() => current?.stop());
  const wrk = nodeOnly ? undefined : programPath('wrk');
  const command = (server: BenchServer, requestsFile: string, seconds: number): [string, string[]] =>
    wrk === undefined
      ? [
          process.execPath,
          [
            join(import.meta.dirname, 'loader.ts'),
            String(server.port),
            requestsFile,
            String(connections),
            String(seconds),
          ],
        ]
      : [
          wrk,
          [
            ...[
              '-t1',
              `-c${connections}`,
              `-d${seconds}s`,
              '--timeout',
              '10s',
              '-s',
              join(import.meta.dirname, 'wrk.lua'),
            ],
            ...[`http://127.0.0.1:${server.port}`, '--', requestsFile],
          ],
        ];
  return {
    description: `${wrk === undefined ? 'our own in Node (wrk is not on PATH)' : 'wrk, one thread'}, ${connections} connections, no pipelining`,
    run: async (server, requestsFile, seconds) => {
      const [program, args] = command(server, requestsFile, seconds);
      for (let attempt = 1; ; attempt += 1) {
        current = startProcess({ role: 'loader', command: program, args, stdout: 'pipe' });
        const output = await outputOf(current);
        const result = JSON.parse(resultLine.exec(output)?.[1] ?? '{}') as Readonly<Record<string, number>>;
        const { requests = 0, microseconds = 0, ...failures } = result;
        const failed = Object.entries(failures).filter(([, count]) => count > 0);
        if (failed.length === 0 && requests > 0) return { requests, seconds: microseconds / 1_000_000 };
        const told = failed.map(([kind, count]) => `${count} ${kind} errors`).join(', ');
        // workerd now and then closes connections whose predecessors the loader left in the middle of an answer.
        const onlyCut = failed.every(([kind, count]) => kind === 'read' && count <= connections);
        if (attempt >= 3 || requests === 0 || !onlyCut)
          throw new Error(
            `${server.name} failed under load: ${requests} requests, ${told}\n${server.complaints()}`,
          );
        console.error(`${server.name} closed connections (${told}): this run is done again`);
      }
    },
  };
}

/** Writes the requests of a scenario where loaders read them. */
export function writeRequests(path: string, requests: readonly BenchRequest[]): void {
  const lines = requests.map(({ path: target, headers }) =>
    [target, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\t'),
  );
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
}
