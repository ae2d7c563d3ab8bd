import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { withClient } from '../local-cloud/postgres/index.ts';
import { buildBundle } from './bundle.ts';
import { benchChat } from './chat/run.ts';
import { simulateChat } from './chat/simulation/run.ts';
import { createCleanup } from './cleanup.ts';
import { benchIdentity } from './identity/run.ts';
import { benchLive } from './live/run.ts';
import { chooseLoader, writeRequests } from './load/run-load.ts';
import { describeMachine } from './machine.ts';
import { measureInTurn, type Rounds } from './measure.ts';
import { type BenchOptions, readOptions, type ScenarioName } from './options.ts';
import { serveApp, serveBare, serveHonoNode, type Workshop } from './peers.ts';
import { recordEndpoints } from './record-endpoints.ts';
import { foreignLoad, ratioTable, resultTable } from './report.ts';
import { describeScenario, type Scenario } from './scenarios.ts';
import { type BenchServer, bodyOf } from './servers.ts';
import { cdnBaseUrl, release, workerSettings } from './settings.ts';
import { benchUploader } from './uploader/run.ts';
import { benchUploads } from './uploads/run.ts';
import { benchViews } from './views/run.ts';
import { workerdVersion } from './workerd/serve.ts';
import { startDatabases } from './world/databases.ts';
import { imaginePeople } from './world/people.ts';
import { seedWorld, slotMap } from './world/seed.ts';
import { createSigningKey, tokenRules } from './world/tokens.ts';

const root = dirname(import.meta.dirname);
const bridgePoolSize = 8;
const say = (line: string): void => console.error(line);

/** Announces the next step. @throws Error when the run was interrupted meanwhile. */
const step = (line: string): void => {
  if (interrupted) throw new Error('interrupted');
  say(line);
};

async function bench(options: BenchOptions, workshop: Workshop): Promise<void> {
  const { directory, cleanup } = workshop;
  const loader = chooseLoader(options.connections, options.nodeLoader, cleanup);

  step('Bundling the Worker...');
  const bundle = await buildBundle(root, join(directory, 'bundle'));
  step('Starting Postgres and the Neon bridge, writing the measured world...');
  const { postgres, bridge, urls } = await startDatabases(root, directory, cleanup);
  const people = imaginePeople(Date.now());
  await seedWorld(urls, people);
  const key = createSigningKey();
  const describe = (name: ScenarioName): Promise<Scenario> => describeScenario(name, people, key);
  const scenarios = await Promise.all(options.scenarios.map(describe));

  step('Recording the statements of each endpoint, starting the servers, comparing their answers...');
  const settings = workerSettings(urls, key);
  const world = { bridgeUrl: bridge.url, urls, people };
  const { statements, bodies } = await recordEndpoints(workshop, bundle, settings, world, scenarios);
  const direct = { ...settings, NEON_PROXY_URL: bridge.url };
  const ours = await serveApp(workshop, 'ours', bundle, direct);
  const limited = await serveApp(workshop, 'ours, limits on', bundle, {
    ...direct,
    RATE_LIMITS_ENABLED: 'true',
  });
  const bare = await serveBare(workshop, {
    LIVEZ: bodies.livez ?? '',
    VIDEO: bodies.video ?? '',
    FEED: bodies.feed ?? '',
  });
  const node = await serveHonoNode(workshop, {
    publicJwk: key.publicJwk,
    issuer: tokenRules.issuer,
    audience: tokenRules.audience,
    cdnBaseUrl,
    cursorSecret: settings.CURSOR_SECRET ?? '',
    release,
    replicaUrl: urls.primary.replica,
    shardUrls: urls.shards.map(({ app }) => app),
    slotMap,
    poolSize: bridgePoolSize,
    statements,
  });

  const machine = describeMachine(
    workerdVersion(),
    await postgresVersion(urls.primary.replica),
    loader.description,
  );
  const surroundings = { loader, postgresPid: postgres.pid, trips: () => bridge.stats() };
  const results = new Map<string, Rounds>();
  for (const name of options.scenarios) {
    // With tokens of now: what came before may have taken long.
    const scenario = await describe(name);
    await compareAnswers(scenario, ours, [limited, node]);
    await bodyOf(bare, firstOf(scenario));
    const bytes = Buffer.byteLength(bodies[name] ?? '');
    step(`${scenario.title}: ${bytes} bytes, load average ${loadavg()[0]?.toFixed(1)}`);
    const requestsFile = join(directory, `${name}.requests`);
    writeRequests(requestsFile, scenario.requests);
    // The liveness route has no limit to switch on.
    const servers = name === 'livez' ? [ours, bare, node] : [ours, limited, bare, node];
    const rounds = await measureInTurn(servers, requestsFile, options, surroundings, (line) =>
      say(`  ${line}`),
    );
    results.set(scenario.title, rounds);
  }

  console.log(`\n${[...machine, foreignLoad(results)].join('\n')}`);
  console.log(
    `${options.rounds} rounds of ${options.secondsPerRun} s for each server in turn after ${options.warmUpSeconds} s of warm-up${Number.isFinite(options.maxForeignCores) ? `, runs beside more than ${options.maxForeignCores} busy cores thrown away` : ''}; median (least..greatest)\n`,
  );
  console.log(resultTable(results));
  console.log(`\n${ratioTable(results, ratios)}`);
}

const ratios = [
  ['ours', 'bare'],
  ['ours', 'hono-node'],
  ['ours, limits on', 'ours'],
] as const;

const firstOf = ({ requests, name }: Scenario) => {
  const [first] = requests;
  if (first === undefined) throw new RangeError(`${name} has no requests`);
  return first;
};

/** Sends every request to every server. @throws Error unless all bodies are the same, byte for byte. */
async function compareAnswers(
  { title, requests }: Scenario,
  ours: BenchServer,
  others: readonly BenchServer[],
): Promise<void> {
  for (const request of requests) {
    const expected = await bodyOf(ours, request);
    for (const other of others) {
      const body = await bodyOf(other, request);
      if (body !== expected)
        throw new Error(
          `${other.name} answers ${title} otherwise than ${ours.name}:\n${body.slice(0, 2_000)}\n${expected.slice(0, 2_000)}`,
        );
    }
  }
}

const postgresVersion = (url: string): Promise<string> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ version: string }>(
      "SELECT split_part(version(), ' ', 2) AS version",
    );
    return rows[0]?.version ?? 'unknown';
  });

const cleanup = createCleanup();
// The system's temp folder may be a link, and workerd does not follow one to its databases.
const directory = mkdtempSync(join(realpathSync(tmpdir()), 'social-flow-bench-'));
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    say('Stopping what the bench started...');
    // The step under way then fails, or ends and is undone below.
    void cleanup.run();
  });

const workshop = { root, directory, cleanup };
try {
  const [what, ...rest] = process.argv.slice(2);
  if (what === 'identity') await benchIdentity(rest, workshop, step);
  else if (what === 'chat') await benchChat(rest, workshop, step);
  else if (what === 'chat-simulation') simulateChat(rest);
  else if (what === 'live') await benchLive(rest, workshop, step);
  else if (what === 'views') await benchViews(rest, workshop, step);
  else if (what === 'uploads') await benchUploads(rest, workshop, step);
  else if (what === 'uploader') await benchUploader(rest, workshop, step);
  else await bench(readOptions(process.argv.slice(2)), workshop);
} catch (error) {
  if (!interrupted) console.error(error instanceof Error ? error.message : error);
  process.exitCode = interrupted ? 130 : 1;
} finally {
  await cleanup.run();
  rmSync(directory, { recursive: true, force: true });
}
