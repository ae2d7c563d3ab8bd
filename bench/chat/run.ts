import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuSecondsOf } from '../cpu.ts';
import { describeMachine } from '../machine.ts';
import type { Workshop } from '../peers.ts';
import { startProcess } from '../processes.ts';
import { markdown, spread } from '../report.ts';
import type { BenchServer } from '../servers.ts';
import { workerdVersion } from '../workerd/serve.ts';
import { contestantsOf } from './contestants.ts';
import type { CrowdOrder, CrowdReport } from './workload.ts';

const usage =
  'npm run bench -- chat [--quick] [--sockets 5000] [--seconds 60] [--rounds 3] [--only <server>]';

interface Outcome extends CrowdReport {
  readonly cpuSeconds: number;
}

/**
 * Measures what a chat room costs: thousands of sockets and 200 messages a second, through `workerd serve`, beside others that
 * pass messages on, gathered as ours are or each by itself.
 * @throws Error with the usage for arguments it does not know.
 */
export async function benchChat(
  argv: readonly string[],
  workshop: Workshop,
  step: (line: string) => void,
): Promise<void> {
  const { sockets, seconds, rounds, only } = planOf(argv);
  const { known, left } = await contestantsOf(workshop, step);
  const contestants = only === undefined ? known : known.filter(({ name }) => name.includes(only));
  if (contestants.length === 0)
    throw new Error(`nobody is called ${only}: ${known.map(({ name }) => name).join(', ')}`);
  for (const reason of left) step(reason);
  const outcomes = new Map<string, Outcome[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round += 1)
    for (const { name, dialect, serve } of contestants) {
      const server = await serve(round);
      const order: CrowdOrder = {
        dialect,
        port: server.port,
        sockets,
        messagesPerSecond: 200,
        seconds,
        writers: 400,
      };
      const outcome = await crowd(workshop, server, order);
      await server.stop();
      outcomes.get(name)?.push(outcome);
      step(
        `round ${round}/${rounds} ${name}: ${outcome.accepted} messages to ${outcome.connected} sockets, ${outcome.faults} faults, ${outcome.closed} closed, p99 ${outcome.lagMs[1]} ms, ${(outcome.cpuSeconds / outcome.seconds).toFixed(2)} cores`,
      );
    }
  console.log(
    `\n${describeMachine(workerdVersion(), 'none', `${sockets} sockets in one Node process, 200 messages/s for ${seconds} s`).join('\n')}\n`,
  );
  console.log(table(outcomes));
}

function planOf(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        quick: { type: 'boolean', default: false },
        sockets: { type: 'string' },
        seconds: { type: 'string' },
        rounds: { type: 'string' },
        only: { type: 'string' },
      },
    });
    const number = (given: string | undefined, full: number, quick: number): number => {
      const value = given === undefined ? (values.quick ? quick : full) : Number(given);
      if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${given} is no count`);
      return value;
    };
    return {
      sockets: number(values.sockets, 5_000, 300),
      seconds: number(values.seconds, 60, 3),
      rounds: number(values.rounds, 3, 1),
      only: values.only,
    };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nUsage: ${usage}`);
  }
}

/** Sends a crowd to a server and tells what it saw. */
async function crowd({ cleanup }: Workshop, server: BenchServer, order: CrowdOrder): Promise<Outcome> {
  const started = startProcess({
    role: 'loader',
    command: process.execPath,
    args: [join(import.meta.dirname, 'crowd.ts'), JSON.stringify(order)],
    stdout: 'ignore',
    extra: 'ipc',
  });
  cleanup.add(started.stop);
  const told = <T>(key: string): Promise<T> =>
    new Promise((resolve, reject) => {
      const onMessage = (message: unknown): void => {
        if (typeof message !== 'object' || message === null || !(key in message)) return;
        started.child.off('message', onMessage);
        resolve((message as Record<string, T>)[key] as T);
      };
      started.child.on('message', onMessage);
      started.child.once('exit', (code) =>
        reject(new Error(`the crowd ended with ${code}\n${started.complaints()}`)),
      );
    });
  await told('ready');
  const cpuBefore = cpuSecondsOf(server.pid);
  started.child.send('begin');
  const report = await told<CrowdReport>('report');
  return { ...report, cpuSeconds: cpuSecondsOf(server.pid) - cpuBefore };
}

function table(outcomes: ReadonlyMap<string, readonly Outcome[]>): string {
  const [ours = []] = outcomes.values();
  const perCore = ({ deliveries, omitted, cpuSeconds }: Outcome): number =>
    (deliveries + omitted) / cpuSeconds;
  const rows = [...outcomes].map(([name, rounds]) => [
    name,
    spread(
      rounds.map(({ accepted, seconds }) => accepted / seconds),
      0,
    ),
    String(rounds.reduce((sum, { faults, closed, unfinished }) => sum + faults + closed + unfinished, 0)),
    spread(
      rounds.map(({ lagMs }) => lagMs[0]),
      0,
    ),
    spread(
      rounds.map(({ lagMs }) => lagMs[1]),
      0,
    ),
    spread(
      rounds.map(({ cpuSeconds, seconds }) => cpuSeconds / seconds),
      2,
    ),
    spread(
      rounds.map((outcome) => outcome.frames / outcome.seconds),
      0,
    ),
    spread(
      rounds.map((outcome) => perCore(outcome)),
      0,
    ),
    spread(
      rounds.flatMap((outcome, index) => {
        const own = ours[index];
        return own === undefined ? [] : [perCore(own) / perCore(outcome)];
      }),
      2,
    ),
    spread(
      rounds.map(({ deliveries, omitted }) => (100 * deliveries) / (deliveries + omitted)),
      0,
    ),
    spread(
      rounds.map(({ bytes, seconds }) => bytes / seconds / 1e6),
      1,
    ),
  ]);
  return markdown(
    [
      'server',
      'messages/s',
      'gaps, reorders, closed, unfinished',
      'median lag ms',
      'p99 lag ms',
      'server cores',
      'frames/s',
      'events told/s per core',
      'ours / this',
      'shown %',
      'MB/s',
    ],
    rows,
  );
}
