import { fork } from 'node:child_process';
import { open } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Workshop } from '../peers.ts';
import { markdown, spread } from '../report.ts';

const names = {
  ours: 'ours, 3 parts of 10 MiB at once',
  tus: 'tus-js-client, chunks of 10 MiB',
  fetch: 'one fetch of the whole file',
  idle: 'Node, sending nothing',
} as const;
type Client = keyof typeof names;

interface Outcome {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

/**
 * Measures what memory and CPU an upload of 5 GB takes in Node, beside tus-js-client, one plain request, and an idle process. The
 * server keeps nothing, so figures are of the clients.
 */
export async function benchUploader(
  argv: readonly string[],
  { directory, cleanup }: Workshop,
  step: (line: string) => void,
): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options: { quick: { type: 'boolean', default: false } } });
  const sizeBytes = values.quick ? 200_000_000 : 5_000_000_000;
  const rounds = values.quick ? 1 : 3;
  const file = join(directory, 'film.mp4');
  // Sparse: it takes no room on disk, and reading it is as fast as it gets.
  const handle = await open(file, 'w');
  await handle.truncate(sizeBytes);
  await handle.close();
  const sink = fork(join(import.meta.dirname, 'sink.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  cleanup.add(() => void sink.kill());
  const url = await new Promise<string>((resolve) =>
    sink.once('message', (message) => resolve(String(message))),
  );

  const results = new Map<Client, Outcome[]>();
  for (let round = 1; round <= rounds; round += 1)
    for (const client of Object.keys(names) as Client[]) {
      const outcome = await send(client, [url, file, String(sizeBytes)]);
      results.set(client, [...(results.get(client) ?? []), outcome]);
      step(
        `round ${round}/${rounds} ${client}: ${outcome.seconds.toFixed(1)} s, peak ${outcome.peakMiB.toFixed(0)} MiB`,
      );
    }

  const megabytes = sizeBytes / 1e6;
  const rows = [...results].map(([client, outcomes]) => [
    names[client],
    spread(
      outcomes.map(({ peakMiB }) => peakMiB),
      0,
    ),
    client === 'idle'
      ? '-'
      : spread(
          outcomes.map(({ seconds }) => megabytes / seconds),
          0,
        ),
    client === 'idle'
      ? '-'
      : spread(
          outcomes.map(({ cpuSeconds }) => (cpuSeconds * 1_000) / (megabytes / 1_000)),
          0,
        ),
  ]);
  console.log(`${cpus().length} cores (${cpus()[0]?.model}), Node ${process.version}`);
  console.log(`\nAn upload of ${megabytes} MB, ${rounds} rounds.\n`);
  console.log(markdown(['client', 'peak memory MiB', 'MB/s', 'CPU ms/GB'], rows));
}

const send = (client: Client, args: readonly string[]): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'send.ts'), [client, ...args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    let outcome: Outcome | undefined;
    child.on('message', (message) => {
      outcome = message as Outcome;
    });
    child.on('error', reject);
    child.on('exit', (code) =>
      outcome === undefined ? reject(new Error(`${client} ended with ${code}`)) : resolve(outcome),
    );
  });
