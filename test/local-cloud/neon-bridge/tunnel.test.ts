import { once } from 'node:events';
import { connect } from 'node:net';
import { Client, neon, Pool } from '@neondatabase/serverless';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { useNeon } from '../../support/node/neon-fixture.ts';

const neonFixture = useNeon();

beforeAll(async () => {
  await neon(
    neonFixture.urls.primary.owner,
  )`CREATE TABLE accounts (id int PRIMARY KEY, balance int CHECK (balance >= 0))`;
  await neon(neonFixture.urls.primary.app)`INSERT INTO accounts VALUES (1, 100), (2, 0)`;
});

function openPool(connectionString: string = neonFixture.urls.primary.app): Pool {
  const pool = new Pool({ connectionString });
  onTestFinished(() => pool.end());
  return pool;
}

function openSocket(path: string): Promise<{ opened: boolean; socket: WebSocket }> {
  const socket = new WebSocket(`ws://${neonFixture.bridge.host}:${neonFixture.bridge.port}${path}`);
  onTestFinished(() => socket.close());
  return new Promise((resolve) => {
    socket.addEventListener('open', () => resolve({ opened: true, socket }));
    socket.addEventListener('error', () => resolve({ opened: false, socket }));
  });
}

test('an interactive transaction commits what it decided between statements', async () => {
  const client = await openPool().connect();
  await client.query('BEGIN');
  const { rows } = await client.query('SELECT balance FROM accounts WHERE id = $1 FOR UPDATE', [1]);
  const half = rows[0].balance / 2;
  await client.query('UPDATE accounts SET balance = balance - $1 WHERE id = 1', [half]);
  await client.query('UPDATE accounts SET balance = balance + $1 WHERE id = 2', [half]);
  await client.query('COMMIT');
  client.release();
  expect(await neon(neonFixture.urls.primary.app)`SELECT balance FROM accounts ORDER BY id`).toEqual([
    { balance: 50 },
    { balance: 50 },
  ]);
});

test('an interactive transaction that is rolled back leaves nothing', async () => {
  const client = await openPool().connect();
  await client.query('BEGIN');
  await client.query('INSERT INTO accounts VALUES (3, 1)');
  await expect(client.query('UPDATE accounts SET balance = -1 WHERE id = 3')).rejects.toMatchObject({
    code: '23514',
    constraint: 'accounts_balance_check',
  });
  await client.query('ROLLBACK');
  client.release();
  expect(await neon(neonFixture.urls.primary.app)`SELECT id FROM accounts WHERE id = 3`).toEqual([]);
});

test('a wrong password fails through the tunnel too', async () => {
  const url = new URL(neonFixture.urls.primary.app);
  url.password = 'guess';
  const client = new Client(url.href);
  client.on('error', () => undefined);
  await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
});

test('megabytes travel both ways unharmed', async () => {
  const pool = openPool();
  const text = 'é😀'.repeat(1_000_000);
  const { rows } = await pool.query(`SELECT $1::text AS echoed, repeat('y', 20000000) AS long`, [text]);
  expect(rows[0].echoed === text).toBe(true);
  expect(rows[0].long).toHaveLength(20_000_000);
});

test('twenty tunnels work side by side', async () => {
  const pools = Array.from({ length: 20 }, () => openPool());
  const results = await Promise.all(pools.map((pool, index) => pool.query('SELECT $1::int AS n', [index])));
  expect(results.map((result) => result.rows[0].n)).toEqual(pools.map((_, index) => index));
});

test.each([
  ['another port of this machine', '127.0.0.1:22'],
  ['another host', 'example.com:5432'],
  ['the cloud metadata address', '169.254.169.254:80'],
  ['nonsense', 'nonsense'],
])('a tunnel to %s is refused', async (_, address) => {
  expect((await openSocket(`/v2?address=${address}`)).opened).toBe(false);
});

test('upgrades elsewhere than /v2 are refused', async () => {
  expect((await openSocket(`/sql`)).opened).toBe(false);
});

test('a malformed upgrade request is refused and the bridge goes on', async () => {
  const { host, port, url } = neonFixture.bridge;
  const socket = connect(port, host);
  socket.write('GET // HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const [reply] = await once(socket, 'data');
  expect(String(reply)).toMatch(/^HTTP\/1\.1 404 /);
  socket.destroy();
  expect((await fetch(`${url}/health`)).status).toBe(200);
});

test('text messages, which the Postgres protocol never has, end the tunnel', async () => {
  const { socket, opened } = await openSocket(`/v2?address=127.0.0.1:${neonFixture.postgres.port}`);
  expect(opened).toBe(true);
  const closed = new Promise<number>((resolve) =>
    socket.addEventListener('close', (event) => resolve(event.code)),
  );
  socket.send('hello');
  expect(await closed).toBe(1003);
});

test('closing a tunnel ends its database session', async () => {
  const client = new Client(neonFixture.urls.primary.app);
  client.on('error', () => undefined);
  await client.connect();
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  await client.end();
  const sql = neon(neonFixture.urls.primary.app);
  await expect
    .poll(() => sql`SELECT pid FROM pg_stat_activity WHERE pid = ${rows[0].pid}`, { timeout: 30_000 })
    .toEqual([]);
});
