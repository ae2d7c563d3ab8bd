import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import pg from 'pg';
import type { PostgresBinaries } from './binaries.ts';
import { type Identity, spawnAs } from './identity.ts';

export type RunningServer = {
  port: number;
  pid: number;
  /** Resolves when the server process is gone, with the reason on one line. */
  exited: Promise<string>;
  stop(): Promise<void>;
};

export type ServerOptions = {
  binaries: PostgresBinaries;
  identity: Identity;
  pgdata: string;
  host: string;
  /** Preferred port; another is taken when it is 0 or in use. */
  port: number;
  superuserPassword: string;
  /** False trades crash safety for speed. */
  durable: boolean;
  log: (line: string) => void;
};

const START_TIMEOUT_MS = 60_000;
const FAST_SHUTDOWN_TIMEOUT_MS = 20_000;

/** Runs `postgres` on `pgdata` and resolves once it answers queries. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  let port = await choosePort(options.host, options.port);
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const attempt = await tryStart(options, port, deadline);
    if ('server' in attempt) return attempt.server;
    if (Date.now() >= deadline) throw new Error(`Postgres did not start: ${attempt.failure}`);
    if (/could not create any TCP\/IP sockets|Address already in use/.test(attempt.failure)) {
      port = await choosePort(options.host, 0);
    } else if (/pre-existing shared memory block/.test(attempt.failure)) {
      // Backends of a killed server notice within moments and let go of its memory.
      await sleep(500);
    } else {
      throw new Error(`Postgres did not start: ${attempt.failure}`);
    }
  }
}

function settings(options: ServerOptions, port: number): Record<string, string> {
  const durable = options.durable ? 'on' : 'off';
  return {
    listen_addresses: options.host,
    port: String(port),
    // A socket path is limited to about 100 bytes, which a deep clone exceeds; TCP on loopback is enough.
    unix_socket_directories: '',
    max_connections: '200',
    password_encryption: 'scram-sha-256',
    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    log_line_prefix: '',
    // Failed statements are the client's to report; crashes and refusals still show.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    shared_buffers: '48MB',
    work_mem: '4MB',
    maintenance_work_mem: '32MB',
    effective_cache_size: '512MB',
    jit: 'off',
    max_parallel_workers_per_gather: '0',
    max_parallel_maintenance_workers: '0',
    max_logical_replication_workers: '0',
    autovacuum_worker_slots: '2',
    autovacuum_max_workers: '1',
    io_method: 'sync',
    wal_level: 'minimal',
    max_wal_senders: '0',
    min_wal_size: '32MB',
    max_wal_size: '256MB',
    fsync: durable,
    synchronous_commit: durable,
    full_page_writes: durable,
  };
}

type Attempt = { server: RunningServer } | { failure: string };

async function tryStart(options: ServerOptions, port: number, deadline: number): Promise<Attempt> {
  const flags = Object.entries(settings(options, port)).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const child = spawn(options.binaries.postgres, ['-D', options.pgdata, ...flags], {
    ...spawnAs(options.identity),
    // Its own process group, so that Ctrl-C in the terminal reaches it through its supervisor and in order.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lastLines: string[] = [];
  collectLines(child, (line) => {
    lastLines.push(line);
    if (lastLines.length > 20) lastLines.shift();
    options.log(line);
  });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => {
      resolve([`exit ${signal ?? code}`, ...lastLines].join('\n'));
    });
  });
  const killWithParent = (): void => {
    child.kill('SIGINT');
  };
  process.once('exit', killWithParent);
  void exited.then(() => process.off('exit', killWithParent));

  const ready = waitUntilReady(options, port, deadline, exited);
  const failure = await Promise.race([ready, exited]);
  if (failure !== null) {
    await stopChild(child, exited);
    return { failure };
  }
  const pid = child.pid;
  if (pid === undefined) return { failure: await exited };
  return { server: { port, pid, exited, stop: () => stopChild(child, exited) } };
}

function collectLines(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onLine(line);
  });
}

/** Resolves null when the server answers, else the reason it never will. */
async function waitUntilReady(
  options: ServerOptions,
  port: number,
  deadline: number,
  exited: Promise<string>,
): Promise<string | null> {
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  let last = 'no answer';
  while (!gone && Date.now() < deadline) {
    const client = new pg.Client({
      host: options.host,
      port,
      user: 'postgres',
      password: options.superuserPassword,
      database: 'postgres',
      connectionTimeoutMillis: 2_000,
      ssl: false,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
      if (rows[0]?.data_directory === options.pgdata) return null;
      last = 'another server answers on this port: Address already in use';
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
      if (error instanceof pg.DatabaseError && error.code === '28P01') {
        return 'the superuser password does not match this data directory; start with --fresh to replace it';
      }
    } finally {
      await client.end().catch(() => undefined);
    }
    await sleep(30);
  }
  return last;
}

async function stopChild(child: ChildProcess, exited: Promise<string>): Promise<void> {
  for (const [signal, timeoutMs] of [
    ['SIGINT', FAST_SHUTDOWN_TIMEOUT_MS],
    ['SIGQUIT', 5_000],
  ] as const) {
    child.kill(signal);
    const timer = new AbortController();
    const stopped = await Promise.race([
      exited.then(() => true),
      sleep(timeoutMs, timer.signal).then(() => false),
    ]);
    timer.abort();
    if (stopped) return;
  }
  child.kill('SIGKILL');
  await exited;
}

/** The preferred port when it is free on `host`, else any free one. */
async function choosePort(host: string, preferred: number): Promise<number> {
  return (preferred === 0 ? null : await probePort(host, preferred)) ?? (await probePort(host, 0)) ?? 0;
}

function probePort(host: string, port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(null));
    probe.listen(port, host, () => {
      const address = probe.address();
      const chosen = typeof address === 'object' && address !== null ? address.port : null;
      probe.close(() => resolve(chosen));
    });
  });
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
