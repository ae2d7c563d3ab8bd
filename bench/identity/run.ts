import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withClient } from '../../local-cloud/postgres/index.ts';
import { buildBundle } from '../bundle.ts';
import { chooseLoader, writeRequests } from '../load/run-load.ts';
import { describeMachine } from '../machine.ts';
import { measure, measureInTurn, type Rounds } from '../measure.ts';
import { serveApp, serveBare, serveNodeScript, type Workshop } from '../peers.ts';
import { foreignLoad, markdown, median, ratioTable, resultTable, spread } from '../report.ts';
import type { BenchRequest, BenchServer } from '../servers.ts';
import { workerSettings } from '../settings.ts';
import { workerdVersion } from '../workerd/serve.ts';
import { startDatabases } from '../world/databases.ts';
import { createSigningKey, type SigningKey, signAccessToken } from '../world/tokens.ts';
import {
  type Decider,
  honoDecider,
  oursDecider,
  randomSequence,
  redisDeciders,
  wrongDecisions,
} from './decisions.ts';
import { type Act, betterAuthLogins, hashes, ourLogins, type Pace, paceOf } from './logins.ts';

/** Of a caller who is busy and yet far from the 100 a second of the policy it is measured under. */
const busyRequestsPerSecond = 15;
const usage = 'npm run bench -- identity [--quick]';

interface Plan {
  readonly rounds: number;
  readonly secondsPerRun: number;
  readonly warmUpSeconds: number;
  readonly maxForeignCores: number;
  readonly decisions: number;
}

const quick: Plan = {
  rounds: 2,
  secondsPerRun: 1,
  warmUpSeconds: 1,
  maxForeignCores: Number.POSITIVE_INFINITY,
  decisions: 10_000,
};
const full: Plan = { ...quick, rounds: 5, secondsPerRun: 8, warmUpSeconds: 3, decisions: 100_000 };

/**
 * Measures what access costs: checking a token, checking a limit, deciding limits, logging in; each beside a named peer in the
 * same run.
 * @throws Error with the usage for arguments it does not know.
 */
export async function benchIdentity(
  argv: readonly string[],
  workshop: Workshop,
  step: (line: string) => void,
): Promise<void> {
  const plan = planOf(argv);
  const loader = chooseLoader(32, false, workshop.cleanup);
  step('Bundling the Worker and its single steps...');
  const entry = join('bench', 'identity', 'worker', 'worker.ts');
  const [bundle, steps] = await Promise.all([
    buildBundle(workshop.root, join(workshop.directory, 'bundle')),
    buildBundle(workshop.root, join(workshop.directory, 'steps-bundle'), entry),
  ]);
  step('Starting Postgres and the Neon bridge...');
  const { postgres, bridge, urls } = await startDatabases(
    workshop.root,
    workshop.directory,
    workshop.cleanup,
  );
  const key = createSigningKey();
  const settings = { ...workerSettings(urls, key), NEON_PROXY_URL: bridge.url, LOG_LEVEL: 'silent' };
  const server = await serveApp(workshop, 'ours', steps, settings);
  const bare = await serveBare(workshop, { LIVEZ: 'ok', VIDEO: 'ok', FEED: 'ok' });
  const machine = describeMachine(
    workerdVersion(),
    await postgresVersion(urls.primary.owner),
    loader.description,
  );

  const checks = new Map<string, Rounds>();
  const surroundings = { loader, postgresPid: postgres.pid, trips: () => bridge.stats() };
  const pilotFile = join(workshop.directory, 'pilot.requests');
  writeRequests(pilotFile, await callersOf(300, '/limit/leased', address));
  const pilot = await measure(server, pilotFile, 1, surroundings);
  for (const [name, requests] of await checkRequests(key, pilot.requestsPerSecond)) {
    step(`${name}...`);
    const requestsFile = join(workshop.directory, `${checks.size}.requests`);
    writeRequests(requestsFile, requests);
    checks.set(name, await measureInTurn([server, bare], requestsFile, plan, surroundings, step));
  }

  step('Limiter decisions...');
  const deciders = [
    oursDecider(server, '/decisions', 'ours, Durable Objects'),
    oursDecider(server, '/decisions/memory', 'ours, the algorithm alone'),
    ...(await redisDeciders(workshop.directory, workshop.cleanup)),
    honoDecider(),
  ];
  const decisions = await decideInTurn(deciders, plan);

  step('Logins...');
  const logins = await logInInTurn(
    await loginServers(workshop, bundle, settings, urls.primary.owner, server),
    plan,
    step,
  );

  console.log(`\n${[...machine, foreignLoad(checks)].join('\n')}`);
  console.log(
    `${plan.rounds} rounds of ${plan.secondsPerRun} s for each server in turn after ${plan.warmUpSeconds} s of warm-up; median (least..greatest)\n`,
  );
  console.log(`${resultTable(checks)}\n\n${ratioTable(checks, [['ours', 'bare']])}\n`);
  console.log(`${decisionTable(decisions, plan, deciders.length)}\n\n${loginTable(logins)}`);
}

function planOf(argv: readonly string[]): Plan {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { quick: { type: 'boolean', default: false } },
    });
    return values.quick ? quick : full;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nUsage: ${usage}`);
  }
}

type HeadersOf = (ip: string) => Promise<Record<string, string>>;

const address: HeadersOf = async (ip) => ({ 'cf-connecting-ip': ip });

const callersOf = (count: number, path: string, headersOf: HeadersOf): Promise<BenchRequest[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, index) => ({
      path,
      headers: await headersOf(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`),
    })),
  );

/**
 * Callers of each check: with sessions of their own, busy enough for leases, or too many for any to meet a limit. No more than
 * that: each has an object with files of its own, of which a process may have some ten thousand open.
 */
async function checkRequests(
  key: SigningKey,
  expectedPerSecond: number,
): Promise<Map<string, readonly BenchRequest[]>> {
  const bearer = async () => ({ authorization: `Bearer ${await signAccessToken(key, crypto.randomUUID())}` });
  const busy = Math.max(4, Math.ceil(expectedPerSecond / busyRequestsPerSecond));
  return new Map([
    ['token check', await callersOf(200, '/token', bearer)],
    ['limit check in a lease', await callersOf(busy, '/limit/leased', address)],
    ['limit check by the object', await callersOf(4_000, '/limit/counted', address)],
  ]);
}

interface DecisionRound {
  readonly perSecond: number;
  readonly wrong: number;
}

async function decideInTurn(deciders: readonly Decider[], plan: Plan): Promise<Map<string, DecisionRound[]>> {
  const results = new Map<string, DecisionRound[]>(deciders.map(({ name }) => [name, []]));
  for (const { decide } of deciders) await decide(randomSequence(2_000));
  for (let round = 0; round < plan.rounds; round += 1)
    for (const { name, decide } of deciders) {
      const sequence = randomSequence(plan.decisions);
      const startedAt = performance.now();
      const answers = await decide(sequence);
      const seconds = (performance.now() - startedAt) / 1_000;
      results.get(name)?.push({
        perSecond: sequence.length / seconds,
        wrong: wrongDecisions(sequence, answers),
      });
    }
  return results;
}

function decisionTable(
  results: ReadonlyMap<string, readonly DecisionRound[]>,
  plan: Plan,
  count: number,
): string {
  const ours = [...results.values()][0] ?? [];
  const rows = [...results].map(([name, rounds]) => [
    name,
    spread(
      rounds.map(({ perSecond }) => perSecond),
      0,
    ),
    spread(
      rounds.map(({ perSecond }, round) => (ours[round]?.perSecond ?? Number.NaN) / perSecond),
      3,
    ),
    `${rounds.reduce((sum, { wrong }) => sum + wrong, 0)} of ${plan.decisions * plan.rounds}`,
  ]);
  if (count === 3) rows.push(['redis', 'redis-server is not on PATH', '', '']);
  return markdown(['limiter', 'decisions/s', 'ours / this', 'wrong decisions'], rows);
}

interface LoginServer {
  readonly server: BenchServer;
  readonly act: Act;
  readonly name: string;
}

async function loginServers(
  workshop: Workshop,
  bundle: string,
  settings: Readonly<Record<string, string>>,
  databaseUrl: string,
  steps: BenchServer,
): Promise<LoginServer[]> {
  const peers = join(import.meta.dirname, 'peers');
  const app = await serveApp(workshop, 'ours, whole', bundle, settings);
  await withClient(databaseUrl, (client) => client.query('CREATE SCHEMA better_auth'));
  const peer = await serveNodeScript(workshop, 'better-auth', join(peers, 'better-auth.ts'), {
    env: { PEER_DATABASE_URL: `${databaseUrl}?options=-c%20search_path%3Dbetter_auth` },
  });
  const node = await serveNodeScript(workshop, 'kdf-node', join(peers, 'kdf-node.ts'));
  return [
    { name: 'our login', server: app, act: await ourLogins(app) },
    { name: 'better-auth login', server: peer, act: await betterAuthLogins(peer) },
    { name: 'the KDF alone, workerd', server: steps, act: hashes(steps, '/kdf') },
    { name: 'the KDF alone, Node', server: node, act: hashes(node, '/') },
  ];
}

async function logInInTurn(
  servers: readonly LoginServer[],
  plan: Plan,
  step: (line: string) => void,
): Promise<Map<string, Pace[]>> {
  const results = new Map<string, Pace[]>(servers.map(({ name }) => [name, []]));
  for (const { server, act } of servers) await paceOf(server, act, 0.5);
  for (let round = 1; round <= plan.rounds; round += 1)
    for (const { name, server, act } of servers) {
      const pace = await paceOf(server, act, plan.secondsPerRun);
      results.get(name)?.push(pace);
      step(`round ${round}/${plan.rounds} ${name}: ${pace.perSecond.toFixed(2)}/s`);
    }
  return results;
}

function loginTable(results: ReadonlyMap<string, readonly Pace[]>): string {
  const ours = results.get('our login') ?? [];
  const rows = [...results].map(([name, rounds]) => [
    name,
    spread(
      rounds.map(({ perSecond }) => perSecond),
      2,
    ),
    spread(
      rounds.map(({ cpuMs }) => cpuMs),
      0,
    ),
    (1_000 / median(rounds.map(({ cpuMs }) => cpuMs))).toFixed(2),
    spread(
      rounds.map(({ perSecond }, round) => (ours[round]?.perSecond ?? Number.NaN) / perSecond),
      2,
    ),
  ]);
  return markdown(['what', 'a second', 'CPU ms each', 'a second per core', 'our logins / this'], rows);
}

const postgresVersion = (url: string): Promise<string> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ version: string }>(
      "SELECT split_part(version(), ' ', 2) AS version",
    );
    return rows[0]?.version ?? 'unknown';
  });
