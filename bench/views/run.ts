import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withClient } from '../../local-cloud/postgres/index.ts';
import { buildBundle } from '../bundle.ts';
import { cpuSecondsOf } from '../cpu.ts';
import { describeMachine } from '../machine.ts';
import { serveApp, type Workshop } from '../peers.ts';
import { markdown, median, spread } from '../report.ts';
import type { BenchServer } from '../servers.ts';
import { workerSettings } from '../settings.ts';
import { workerdVersion } from '../workerd/serve.ts';
import { startDatabases } from '../world/databases.ts';
import { createSigningKey } from '../world/tokens.ts';
import type { BeatsOrder, FlushReport, IncrementsOrder } from './workload.ts';

const usage = 'npm run bench -- views [--quick]';
const beatsPerSession = 10;

interface Pace {
  readonly perSecond: number;
  readonly cpuMs: number;
}

/**
 * Measures what counting views costs: heartbeats beside the bare increment of a row in an object, in the same runtime and in
 * turn, and what a flush of them writes.
 * @throws Error with the usage for arguments it does not know.
 */
export async function benchViews(
  argv: readonly string[],
  workshop: Workshop,
  step: (line: string) => void,
): Promise<void> {
  const quick = isQuick(argv);
  const rounds = quick ? 2 : 7;
  const count = quick ? 2_000 : 20_000;
  step('Bundling the counter...');
  const entry = join('bench', 'views', 'worker', 'worker.ts');
  const bundle = await buildBundle(workshop.root, join(workshop.directory, 'views-bundle'), entry);
  step('Starting Postgres and the Neon bridge...');
  const { bridge, urls } = await startDatabases(workshop.root, workshop.directory, workshop.cleanup);
  const settings = {
    ...workerSettings(urls, createSigningKey()),
    NEON_PROXY_URL: bridge.url,
    LOG_LEVEL: 'silent',
  };
  const server = await serveApp(workshop, 'views', bundle, settings);

  const postgres = await withClient(urls.primary.owner, async (client) => {
    const { rows } = await client.query<{ version: string }>(
      "SELECT split_part(version(), ' ', 2) AS version",
    );
    return rows[0]?.version ?? 'unknown';
  });

  const increments = (objects: number) => () =>
    post(server, '/increments', { count, objects } satisfies IncrementsOrder);
  const beats = (shards: number) => () =>
    post(server, '/beats', {
      videoId: randomUUID(),
      ownerId: randomUUID(),
      sessions: count / beatsPerSession,
      beats: count,
      shards,
    } satisfies BeatsOrder);
  const contestants: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['heartbeats, one object', beats(1)],
    ['bare increments, one object', increments(1)],
    ['heartbeats, 8 objects', beats(8)],
    ['bare increments, 8 objects', increments(8)],
  ];
  const paces = new Map<string, Pace[]>(contestants.map(([name]) => [name, []]));
  for (const [, run] of contestants) await run();
  for (let round = 1; round <= rounds; round += 1)
    for (const [name, run] of contestants) {
      const pace = await paceOf(server, count, run);
      paces.get(name)?.push(pace);
      step(`round ${round}/${rounds} ${name}: ${pace.perSecond.toFixed(0)}/s`);
    }

  step('Flushes...');
  const flush = await flushCost(server, urls.primary.owner, count);
  console.log(
    `\n${describeMachine(workerdVersion(), postgres, 'in the server itself, 64 in flight').join('\n')}\n`,
  );
  console.log(paceTable(paces));
  console.log(`\n${flushTable(flush, count)}`);
}

function isQuick(argv: readonly string[]): boolean {
  try {
    return parseArgs({ args: [...argv], options: { quick: { type: 'boolean', default: false } } }).values
      .quick;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nUsage: ${usage}`);
  }
}

async function paceOf(server: BenchServer, count: number, run: () => Promise<unknown>): Promise<Pace> {
  const [cpuBefore, startedAt] = [cpuSecondsOf(server.pid), performance.now()];
  await run();
  const seconds = (performance.now() - startedAt) / 1_000;
  return { perSecond: count / seconds, cpuMs: ((cpuSecondsOf(server.pid) - cpuBefore) * 1_000) / count };
}

/** What the heartbeats of one video write when they are flushed. */
async function flushCost(server: BenchServer, databaseUrl: string, count: number): Promise<FlushReport> {
  const [videoId, ownerId] = [randomUUID(), randomUUID()];
  await withClient(databaseUrl, async (client) => {
    await client.query('INSERT INTO users (id, username, email, display_name) VALUES ($1, $2, $3, $2)', [
      ownerId,
      'bench_views',
      'views@bench.test',
    ]);
    await client.query(
      `INSERT INTO videos (id, owner_id, title, state, duration_ms, published_at, hls_key, dash_key)
       VALUES ($1, $2, 'measured', 'published', 600000, now(), 'media/x.m3u8', 'media/x.mpd')`,
      [videoId, ownerId],
    );
  });
  await post(server, '/beats', {
    videoId,
    ownerId,
    sessions: count / beatsPerSession,
    beats: count,
    shards: 1,
  } satisfies BeatsOrder);
  const report = (await post(server, '/flush', videoId)) as FlushReport;
  const views = await withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ views: string }>(
      'SELECT views FROM video_counters WHERE video_id = $1',
      [videoId],
    );
    return Number(rows[0]?.views);
  });
  if (views !== count / beatsPerSession)
    throw new Error(`${views} views were flushed of ${count / beatsPerSession}`);
  return report;
}

async function post(server: BenchServer, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}\n${server.complaints()}`);
  const answer = JSON.parse(text) as { readonly refused?: number };
  if ((answer.refused ?? 0) > 0) throw new Error(`${answer.refused} heartbeats were refused`);
  return answer;
}

function paceTable(paces: ReadonlyMap<string, readonly Pace[]>): string {
  const cpuOf = (name: string): number[] => (paces.get(name) ?? []).map(({ cpuMs }) => cpuMs);
  const rows = [...paces].map(([name, rounds]) => {
    const bare = cpuOf(name.replace('heartbeats', 'bare increments'));
    return [
      name,
      spread(
        rounds.map(({ perSecond }) => perSecond),
        0,
      ),
      (1_000 / median(cpuOf(name))).toFixed(0),
      spread(
        rounds.map(({ cpuMs }, round) => (bare[round] ?? Number.NaN) / cpuMs),
        2,
      ),
    ];
  });
  return markdown(['what', 'a second', 'a second per core', 'pace per core / bare increment'], rows);
}

// A video that gets as many heartbeats as one object is meant for, and one with a single viewer, flush every 40 s.
const perFlush = { busy: 250 * 40, lonely: 40 / 5 };

const flushTable = (report: FlushReport, count: number): string =>
  markdown(
    ['flush of', 'statements', 'rows written', 'bytes sent', 'statements for 10^6 heartbeats'],
    [
      [
        `${count} heartbeats of ${count / beatsPerSession} sessions (measured)`,
        String(report.statements),
        String(report.rows),
        String(report.bytes),
        String((1e6 / count) * report.statements),
      ],
      [
        'one busy object: 250 heartbeats/s (computed)',
        '1',
        'as above',
        'as above',
        String(1e6 / perFlush.busy),
      ],
      ['a video with one viewer (computed)', '1', 'about 7', 'about 6,000', String(1e6 / perFlush.lonely)],
    ],
  );
