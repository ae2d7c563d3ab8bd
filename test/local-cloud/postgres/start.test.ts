import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { DataDirectoryInUseError, startPostgres, withClient } from '../../../local-cloud/postgres/index.ts';
import { describeProcess } from '../../../local-cloud/postgres/processes.ts';
import { temporaryDir, temporaryPostgres } from '../../support/node/temporary.ts';

const startModule = new URL('../../../local-cloud/postgres/index.ts', import.meta.url).href;

async function show(url: string, setting: string): Promise<unknown> {
  return withClient(url, async (client) => {
    const { rows } = await client.query('SELECT current_setting($1) AS value', [setting]);
    return rows[0]?.value;
  });
}

async function remember(url: string, note: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query('CREATE TABLE IF NOT EXISTS notes (note text)');
    await client.query('INSERT INTO notes VALUES ($1)', [note]);
  });
}

async function recall(url: string): Promise<string[]> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ note: string }>('SELECT note FROM notes');
    return rows.map((row) => row.note);
  });
}

/** Starts a server in a child process that keeps running, and returns its handle's facts. */
async function startInChild(
  dataDir: string,
): Promise<{ child: ChildProcessByStdio<Writable, Readable, null>; pid: number; superuserUrl: string }> {
  const script = `
    import { startPostgres } from ${JSON.stringify(startModule)};
    const handle = await startPostgres({ dataDir: ${JSON.stringify(dataDir)}, port: 0 });
    console.log(JSON.stringify({ pid: handle.pid, superuserUrl: handle.superuserUrl }));
    process.stdin.once('data', () => process.exit(0));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [output] = await once(child.stdout, 'data');
  return { child, ...JSON.parse(String(output)) };
}

test('the server speaks UTF-8 with C.UTF-8 collation, UTC and SCRAM passwords', async () => {
  const { superuserUrl } = await temporaryPostgres({ dataDir: await temporaryDir() });
  expect(await show(superuserUrl, 'server_encoding')).toBe('UTF8');
  expect(await show(superuserUrl, 'timezone')).toBe('UTC');
  expect(await show(superuserUrl, 'password_encryption')).toBe('scram-sha-256');
  expect(Number(await show(superuserUrl, 'max_connections'))).toBe(200);
  await withClient(superuserUrl, async (client) => {
    const { rows } = await client.query(
      `SELECT datlocprovider, datlocale, upper('straße é') AS upper, lower('ÀÇ') AS lower, 'ä' < 'b' COLLATE "C" AS bytewise
       FROM pg_database WHERE datname = current_database()`,
    );
    expect(rows[0]).toEqual({
      datlocprovider: 'b',
      datlocale: 'C.UTF-8',
      upper: 'STRAßE É',
      lower: 'àç',
      bytewise: false,
    });
  });
});

test('the server listens on loopback TCP only, and asks for a password there', async () => {
  const { superuserUrl } = await temporaryPostgres({ dataDir: await temporaryDir() });
  expect(await show(superuserUrl, 'listen_addresses')).toBe('127.0.0.1');
  expect(await show(superuserUrl, 'unix_socket_directories')).toBe('');
  const wrong = new URL(superuserUrl);
  wrong.password = 'guess';
  await expect(withClient(wrong.href, async () => undefined)).rejects.toMatchObject({ code: '28P01' });
});

test('data survives a stop and a start, and fresh throws it away', async () => {
  const dataDir = await temporaryDir();
  const first = await startPostgres({ dataDir, port: 0 });
  await remember(first.superuserUrl, 'kept');
  await first.stop();
  const second = await startPostgres({ dataDir, port: 0 });
  expect(await recall(second.superuserUrl)).toEqual(['kept']);
  await second.stop();
  const third = await temporaryPostgres({ dataDir, fresh: true });
  await expect(recall(third.superuserUrl)).rejects.toMatchObject({ code: '42P01' });
});

test('crash safety is on by default and can be switched off', async () => {
  const dataDir = await temporaryDir();
  const safe = await startPostgres({ dataDir, port: 0 });
  expect(await show(safe.superuserUrl, 'fsync')).toBe('on');
  await safe.stop();
  const fast = await temporaryPostgres({ dataDir, durable: false });
  expect(await show(fast.superuserUrl, 'fsync')).toBe('off');
});

test('another port is chosen when the preferred one is taken', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  onTestFinished(() => void blocker.close());
  const address = blocker.address();
  const taken = typeof address === 'object' && address !== null ? address.port : 0;
  const postgres = await startPostgres({ dataDir: await temporaryDir(), port: taken });
  onTestFinished(() => postgres.stop({ removeData: true }));
  expect(postgres.port).not.toBe(taken);
  expect(await show(postgres.superuserUrl, 'port')).toBe(String(postgres.port));
});

test('a second start from the same directory is refused while the first runs', async () => {
  const dataDir = await temporaryDir();
  const { superuserUrl } = await temporaryPostgres({ dataDir });
  await expect(startPostgres({ dataDir, port: 0 })).rejects.toBeInstanceOf(DataDirectoryInUseError);
  await remember(superuserUrl, 'undisturbed');
});

test('a server left behind by a killed supervisor is stopped and its data taken over', async () => {
  const dataDir = await temporaryDir();
  const { child, pid, superuserUrl } = await startInChild(dataDir);
  await remember(superuserUrl, 'written before the kill');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(describeProcess(pid)?.command).toContain('postgres');

  const next = await temporaryPostgres({ dataDir });
  expect(describeProcess(pid)).toBeNull();
  expect(await recall(next.superuserUrl)).toEqual(['written before the kill']);
});

test('a supervisor that exits without stopping takes its server with it', async () => {
  const { child, pid } = await startInChild(await temporaryDir());
  child.stdin.write('exit');
  await once(child, 'exit');
  await expect.poll(() => describeProcess(pid), { timeout: 30_000 }).toBeNull();
});

test('a crashed server recovers what was committed', async () => {
  const dataDir = await temporaryDir();
  const crashed = await startPostgres({ dataDir, port: 0 });
  await remember(crashed.superuserUrl, 'committed');
  process.kill(crashed.pid, 'SIGKILL');
  await expect(crashed.exited).resolves.toContain('SIGKILL');
  await crashed.stop();
  const next = await temporaryPostgres({ dataDir });
  expect(await recall(next.superuserUrl)).toEqual(['committed']);
});

test('a pid file whose pid now belongs to another program is not in the way', async () => {
  const dataDir = await temporaryDir();
  const crashed = await startPostgres({ dataDir, port: 0 });
  const pidFile = join(crashed.pgdata, 'postmaster.pid');
  const lines = (await readFile(pidFile, 'utf8')).split('\n');
  await remember(crashed.superuserUrl, 'kept');
  await crashed.stop();
  const bystander = spawn('sleep', ['600']);
  onTestFinished(() => void bystander.kill());
  await writeFile(pidFile, [String(bystander.pid), ...lines.slice(1)].join('\n'));

  const next = await temporaryPostgres({ dataDir });
  expect(await recall(next.superuserUrl)).toEqual(['kept']);
  expect(bystander.exitCode).toBeNull();
});

test('an initialisation that was interrupted is done again', async () => {
  const dataDir = await temporaryDir();
  const unfinished = join(dataDir, 'cluster', 'pgdata.unfinished');
  await mkdir(unfinished, { recursive: true });
  await writeFile(join(unfinished, 'postgresql.conf'), 'half written');
  const { superuserUrl } = await temporaryPostgres({ dataDir });
  expect(await show(superuserUrl, 'server_encoding')).toBe('UTF8');
});

test('data of another major version is refused with the way out', async () => {
  const dataDir = await temporaryDir();
  const first = await startPostgres({ dataDir, port: 0 });
  await first.stop();
  await writeFile(join(first.pgdata, 'PG_VERSION'), '14\n');
  await expect(startPostgres({ dataDir, port: 0 })).rejects.toThrow(/Postgres 14.*--fresh/);
  await temporaryPostgres({ dataDir, fresh: true });
});
