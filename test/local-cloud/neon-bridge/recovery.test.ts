import { neon } from '@neondatabase/serverless';
import { expect, test } from 'vitest';
import { startPostgres } from '../../../local-cloud/postgres/index.ts';
import { useNeon } from '../../support/node/neon-fixture.ts';

const neonFixture = useNeon();
const connect = () => neon(neonFixture.urls.primary.app);

async function restartPostgres(): Promise<void> {
  const { dataDir, port } = neonFixture.postgres;
  neonFixture.postgres = await startPostgres({ dataDir, port, durable: false });
  expect(neonFixture.postgres.port).toBe(port);
}

test('queries fail while Postgres is down, and succeed again once it is back', async () => {
  const sql = connect();
  await Promise.all(Array.from({ length: 8 }, () => sql`SELECT 1`));
  await neonFixture.postgres.stop();
  await expect(sql`SELECT 1`).rejects.toThrow(/HTTP status 500.*Couldn't connect to compute node/);
  expect((await fetch(`${neonFixture.bridge.url}/health`)).status).toBe(503);

  await restartPostgres();
  expect((await fetch(`${neonFixture.bridge.url}/health`)).status).toBe(200);
  const rows = await Promise.all(Array.from({ length: 20 }, () => sql`SELECT 1 AS one`));
  expect(rows).toEqual(Array.from({ length: 20 }, () => [{ one: 1 }]));
});

test('a crash of Postgres in the middle of a query is an error, not a hang, and the next query succeeds', async () => {
  const sql = connect();
  const [backend] = await sql`SELECT pg_backend_pid() AS pid`;
  expect(backend).toBeDefined();
  const running = sql`SELECT pg_sleep(600)`;
  const failed = expect(running).rejects.toMatchObject({ name: 'NeonDbError' });
  const watcher = connect();
  await expect
    .poll(
      () =>
        watcher`SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND state = 'active' AND pid <> pg_backend_pid()`,
      {
        timeout: 30_000,
      },
    )
    .toHaveLength(1);
  process.kill(neonFixture.postgres.pid, 'SIGQUIT');
  await failed;
  await neonFixture.postgres.exited;
  await neonFixture.postgres.stop();
  await restartPostgres();
  expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
});

test('a client that goes away stops its query in the database', async () => {
  const abort = new AbortController();
  const impatient = neon(neonFixture.urls.primary.app, { fetchOptions: { signal: abort.signal } });
  const running = expect(impatient`SELECT pg_sleep(601)`).rejects.toThrow(/abort/i);
  const sql = connect();
  const sleeping = () =>
    sql`SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(601)%' AND state = 'active' AND pid <> pg_backend_pid()`;
  await expect.poll(sleeping, { timeout: 30_000 }).toHaveLength(1);
  abort.abort();
  await running;
  await expect.poll(sleeping, { timeout: 30_000 }).toHaveLength(0);
  expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
});

test('more requests at once than connections all get their answer', async () => {
  const sql = connect();
  const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => sql`SELECT ${n}::int AS n`));
  expect(answers).toEqual(Array.from({ length: 200 }, (_, n) => [{ n }]));
});
