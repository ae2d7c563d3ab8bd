import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withClient } from '../../local-cloud/postgres/index.ts';
import { buildBundle } from '../bundle.ts';
import type { Loader } from '../load/run-load.ts';
import { describeMachine } from '../machine.ts';
import { type Measurement, measure, type Rounds } from '../measure.ts';
import { serveApp, serveBare, type Workshop } from '../peers.ts';
import { outputOf, startProcess } from '../processes.ts';
import { foreignLoad, ratioTable, resultTable } from '../report.ts';
import type { BenchServer } from '../servers.ts';
import { workerSettings } from '../settings.ts';
import { workerdVersion } from '../workerd/serve.ts';
import { startDatabases } from '../world/databases.ts';
import { createSigningKey, type SigningKey, signAccessToken } from '../world/tokens.ts';
import { startStandInS3 } from './s3.ts';
import { requestOf, type Sent, type Step, steps, titles } from './workload.ts';

const usage = 'npm run bench -- uploads [--quick]';
const connections = 32;
const sender = `our own in Node, ${connections} connections, no pipelining, each request once`;
/** The bare Worker is so much faster that the clock would not see it otherwise. */
const bareRepeats = 10;
/** For what a server does after its last answer. */
const quietMs = 300;

/**
 * Measures what the API has to do with an upload, whose bytes go past it: starting it, signing and noting its parts, completing
 * it. Beside the bare Worker, in turn.
 * @throws Error with the usage for arguments it does not know.
 */
export async function benchUploads(
  argv: readonly string[],
  workshop: Workshop,
  step: (line: string) => void,
): Promise<void> {
  const quick = isQuick(argv);
  const rounds = quick ? 2 : 7;
  const uploads = quick ? 100 : 1_000;
  step('Bundling the Worker...');
  const bundle = await buildBundle(workshop.root, join(workshop.directory, 'bundle'));
  step('Starting Postgres, the Neon bridge and the stand-in for S3...');
  const { postgres, bridge, urls } = await startDatabases(
    workshop.root,
    workshop.directory,
    workshop.cleanup,
  );
  const key = createSigningKey();
  const server = await serveApp(workshop, 'ours', bundle, {
    ...workerSettings(urls, key),
    NEON_PROXY_URL: bridge.url,
    S3_ENDPOINT: await startStandInS3(workshop.cleanup),
  });
  const creators = await seedCreators(urls.primary.owner, uploads);
  const { loader, answers } = createSender(workshop);
  const surroundings = { loader, postgresPid: postgres.pid, trips: () => bridge.stats() };
  const run = async (target: BenchServer, requests: readonly Sent[]): Promise<Measurement> => {
    const file = join(workshop.directory, 'uploads.requests');
    writeFileSync(file, JSON.stringify(requests), { mode: 0o600 });
    return measure(target, file, 0, surroundings);
  };

  step('Warming up...');
  const tokens = await tokensOf(key, creators);
  const first = new Map<Step, string>();
  let ids: readonly string[] = [];
  for (const name of steps) {
    await run(server, requestsOf(name, tokens, ids));
    first.set(name, answers()[0] ?? '');
    if (name === 'start') ids = idsIn(answers());
  }
  const bare = await serveBare(
    workshop,
    Object.fromEntries([...first].map(([name, body]) => [name.toUpperCase(), body])),
    join(import.meta.dirname, 'bare-worker.js'),
  );
  for (const name of steps) {
    await run(bare, repeated(requestsOf(name, tokens, ids)));
    if (answers()[0] !== first.get(name))
      throw new Error(`the bare Worker answers ${titles[name]} otherwise`);
  }

  const results = new Map(steps.map((name) => [titles[name], emptyRounds([server, bare])]));
  for (let round = 1; round <= rounds; round += 1) {
    // Of now: what came before may have taken long.
    const fresh = await tokensOf(key, creators);
    for (const name of steps) {
      const requests = requestsOf(name, fresh, ids);
      const ours = await run(server, requests);
      if (name === 'start') ids = idsIn(answers());
      const floor = await run(bare, repeated(requests));
      const taken = results.get(titles[name]);
      taken?.get(server.name)?.push(ours);
      taken?.get(bare.name)?.push(floor);
      step(
        `round ${round}/${rounds} ${name}: ${Math.round(ours.requestsPerSecond)} requests/s, ${ours.cpuMs.toFixed(3)} ms CPU`,
      );
    }
  }
  await checkDone(urls.primary.owner, uploads * (rounds + 1));
  report(results, await postgresVersion(urls.primary.owner), uploads, rounds);
}

function isQuick(argv: readonly string[]): boolean {
  try {
    return parseArgs({ args: [...argv], options: { quick: { type: 'boolean', default: false } } }).values
      .quick;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nUsage: ${usage}`);
  }
}

/** Each request of a file once; how long is what it takes. */
function createSender({ directory, cleanup }: Workshop) {
  const answersFile = join(directory, 'uploads.answers');
  let current: ReturnType<typeof startProcess> | undefined;
  cleanup.add(() => current?.stop());
  const loader: Loader = {
    description: sender,
    run: async (server, requestsFile) => {
      current = startProcess({
        role: 'loader',
        command: process.execPath,
        args: [
          join(import.meta.dirname, 'sender.ts'),
          String(server.port),
          requestsFile,
          answersFile,
          String(connections),
        ],
        stdout: 'pipe',
      });
      const { requests, microseconds } = JSON.parse(await outputOf(current)) as {
        readonly requests: number;
        readonly microseconds: number;
      };
      await new Promise((resolve) => setTimeout(resolve, quietMs));
      return { requests, seconds: microseconds / 1_000_000 };
    },
  };
  return { loader, answers: () => JSON.parse(readFileSync(answersFile, 'utf8')) as string[] };
}

/** As many creators as uploads of a round, so that no quota is met. */
async function seedCreators(databaseUrl: string, count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await withClient(databaseUrl, (client) =>
    client.query(
      `INSERT INTO users (id, username, email, display_name)
       SELECT id, 'creator_' || position, 'creator' || position || '@bench.test', 'Creator'
       FROM unnest($1::uuid[]) WITH ORDINALITY AS creator (id, position)`,
      [ids],
    ),
  );
  return ids;
}

const tokensOf = (key: SigningKey, creators: readonly string[]): Promise<string[]> =>
  Promise.all(creators.map((id) => signAccessToken(key, id)));

const requestsOf = (step: Step, tokens: readonly string[], ids: readonly string[]): Sent[] =>
  tokens.map((token, index) => requestOf(step, token, ids[index] ?? ''));

const repeated = (requests: readonly Sent[]): Sent[] =>
  Array.from({ length: bareRepeats }, () => requests).flat();

const idsIn = (answers: readonly string[]): string[] =>
  answers.map((answer) => (JSON.parse(answer) as { readonly id: string }).id);

const emptyRounds = (servers: readonly BenchServer[]) =>
  new Map<string, Measurement[]>(servers.map(({ name }) => [name, []]));

/** @throws Error unless every upload was really completed. */
async function checkDone(databaseUrl: string, expected: number): Promise<void> {
  const done = await withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ done: number }>(
      "SELECT count(*)::int AS done FROM uploads WHERE state = 'completed'",
    );
    return rows[0]?.done;
  });
  if (done !== expected) throw new Error(`${done} uploads were completed of ${expected}`);
}

const postgresVersion = (url: string): Promise<string> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ version: string }>(
      "SELECT split_part(version(), ' ', 2) AS version",
    );
    return rows[0]?.version ?? 'unknown';
  });

function report(
  results: ReadonlyMap<string, Rounds>,
  postgres: string,
  uploads: number,
  rounds: number,
): void {
  console.log(
    `\n${[...describeMachine(workerdVersion(), postgres, sender), foreignLoad(results)].join('\n')}`,
  );
  console.log(
    `${rounds} rounds of ${uploads} uploads of five parts; S3 is a stand-in that keeps nothing, in the process of the bridge; median (least..greatest)\n`,
  );
  console.log(`${resultTable(results)}\n\n${ratioTable(results, [['ours', 'bare']])}`);
}
