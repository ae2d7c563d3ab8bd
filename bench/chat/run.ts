import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { batchMs } from '../../durable-objects/chat-room/protocol.ts';
import { buildBundle } from '../bundle.ts';
import { cpuSecondsOf } from '../cpu.ts';
import { describeMachine } from '../machine.ts';
import { serveApp, serveNodeScript, type Workshop } from '../peers.ts';
import { startProcess } from '../processes.ts';
import { markdown, spread } from '../report.ts';
import type { BenchServer } from '../servers.ts';
import { workerSettings } from '../settings.ts';
import { workerdVersion } from '../workerd/serve.ts';
import { createSigningKey } from '../world/tokens.ts';
import type { CrowdOrder, CrowdReport } from './workload.ts';

const usage = 'npm run bench -- chat [--quick] [--sockets 5000] [--seconds 60] [--rounds 3]';
const nowhere = 'postgres://nobody:nothing@127.0.0.1:1/none';

interface Outcome extends CrowdReport {
  readonly cpuSeconds: number;
}

/**
 * Measures what a chat room costs: thousands of sockets and 200 messages a second, through `workerd serve`, beside `ws` on Node,
 * which gathers messages as we do, or sends each by itself.
 * @throws Error with the usage for arguments it does not know.
 */
export async function benchChat(
  argv: readonly string[],
  workshop: Workshop,
  step: (line: string) => void,
): Promise<void> {
  const { sockets, seconds, rounds } = planOf(argv);
  step('Bundling the room...');
  const entry = join('bench', 'chat', 'worker', 'worker.ts');
  const bundle = await buildBundle(workshop.root, join(workshop.directory, 'chat-bundle'), entry);
  const settings = {
    ...workerSettings(
      {
        primary: { app: nowhere, owner: nowhere, replica: nowhere },
        shards: [
          { app: nowhere, owner: nowhere },
          { app: nowhere, owner: nowhere },
        ],
      } as unknown as Parameters<typeof workerSettings>[0],
      createSigningKey(),
    ),
    NEON_PROXY_URL: 'http://127.0.0.1:1',
    LOG_LEVEL: 'silent',
  };
  const peer = join(import.meta.dirname, 'peers', 'ws-node.ts');
  const contestants: readonly (readonly [string, (round: number) => Promise<BenchServer>])[] = [
    ['ours', (round) => serveApp(workshop, `chat-${round}`, bundle, settings)],
    [
      `ws on Node, gathered ${batchMs} ms`,
      () => serveNodeScript(workshop, 'ws', peer, { args: [String(batchMs)] }),
    ],
    ['ws on Node, one by one', () => serveNodeScript(workshop, 'ws-single', peer, { args: ['0'] })],
  ];
  const outcomes = new Map<string, Outcome[]>(contestants.map(([name]) => [name, []]));
  for (let round = 1; round <= rounds; round += 1)
    for (const [name, serve] of contestants) {
      const server = await serve(round);
      const order: CrowdOrder = { port: server.port, sockets, messagesPerSecond: 200, seconds, writers: 400 };
      const outcome = await crowd(workshop, server, order);
      await server.stop();
      outcomes.get(name)?.push(outcome);
      step(
        `round ${round}/${rounds} ${name}: ${outcome.accepted} messages to ${outcome.connected} sockets, ${outcome.faults} faults, p99 ${outcome.lagMs[1]} ms, ${(outcome.cpuSeconds / outcome.seconds).toFixed(2)} cores`,
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
    String(rounds.reduce((sum, { faults, unfinished }) => sum + faults + unfinished, 0)),
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
      'gaps, reorders, unfinished',
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
