import { rm } from 'node:fs/promises';
import { neon } from '@neondatabase/serverless';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTripCounter } from '../../../local-cloud/neon-bridge/counts.ts';
import type { TestDatabase } from '../../../local-cloud/neon-bridge/index.ts';
import { startNeonBridge } from '../../../local-cloud/neon-bridge/index.ts';
import { type DatabaseStack, startDatabaseStack } from '../../support/node/database-stack.ts';
import { control, pointDriverAt, useNeon } from '../../support/node/neon-fixture.ts';
import { makeTemporaryDir } from '../../support/node/temporary.ts';

describe('counting round trips', () => {
  const neonFixture = useNeon();
  const read = async (requestId: string): Promise<unknown> =>
    (await fetch(`${neonFixture.bridge.url}/stats?request_id=${encodeURIComponent(requestId)}`)).json();

  const send = (headers: Record<string, string>, statements: number) =>
    fetch(`${neonFixture.bridge.url}/sql`, {
      method: 'POST',
      headers: { 'neon-connection-string': neonFixture.urls.primary.app, ...headers },
      body: JSON.stringify(
        statements === 1
          ? { query: 'SELECT 1' }
          : { queries: Array.from({ length: statements }, () => ({ query: 'SELECT 1' })) },
      ),
    });

  test('trips and statements are counted per request id, background ones apart', async () => {
    await send({ 'x-request-id': 'req-1' }, 1);
    await send({ 'x-request-id': 'req-1', 'x-db-purpose': 'request' }, 3);
    await send({ 'x-request-id': 'req-1', 'x-db-purpose': 'background' }, 2);
    await send({ 'x-request-id': 'req-2' }, 1);
    expect(await read('req-1')).toEqual({ roundTrips: 2, background: 1, statements: 4 });
    expect(neonFixture.bridge.stats('req-2')).toEqual({ roundTrips: 1, background: 0, statements: 1 });
    expect(await read('never seen')).toEqual({ roundTrips: 0, background: 0, statements: 0 });
  });

  test('a failing statement was a trip as well', async () => {
    const headers = { 'neon-connection-string': neonFixture.urls.primary.app, 'x-request-id': 'req-failing' };
    await fetch(`${neonFixture.bridge.url}/sql`, { method: 'POST', headers, body: '{"query":"SELECT 1/0"}' });
    expect(await read('req-failing')).toMatchObject({ roundTrips: 1 });
  });

  test('a reset forgets everything', async () => {
    await send({ 'x-request-id': 'req-3' }, 1);
    await control(neonFixture.bridge, 'POST', '/stats/reset');
    expect(neonFixture.bridge.stats()).toEqual({ roundTrips: 0, background: 0, statements: 0 });
    expect(await read('req-3')).toMatchObject({ roundTrips: 0 });
  });

  test('only the most recently active request ids are remembered', () => {
    const counter = createTripCounter(2);
    for (const requestId of ['a', 'b', 'a', 'c']) counter.record(requestId, undefined, 1);
    expect(counter.read('a').roundTrips).toBe(2);
    expect(counter.read('b').roundTrips).toBe(0);
    expect(counter.read('c').roundTrips).toBe(1);
    expect(counter.read().roundTrips).toBe(4);
  });
});

describe('faults', () => {
  const neonFixture = useNeon();
  const sql = () => neon(neonFixture.urls.primary.app);
  const order = async (fault: unknown): Promise<number> =>
    (await control(neonFixture.bridge, 'POST', '/faults', fault)).status;
  const one = () => sql()`SELECT 1 AS one`;

  beforeEach(() => pointDriverAt(neonFixture.bridge));
  afterEach(async () => {
    expect(await order({ mode: 'none' })).toBe(200);
  });

  test('down answers as an unreachable database until told otherwise', async () => {
    await order({ mode: 'down' });
    await expect(one()).rejects.toThrow(/HTTP status 500.*Couldn't connect to compute node/);
    await expect(one()).rejects.toThrow(/HTTP status 500/);
    await order({ mode: 'none' });
    expect(await one()).toEqual([{ one: 1 }]);
  });

  test('an error is answered as often as ordered, then requests succeed', async () => {
    await order({ mode: 'error', sqlstate: '57P01', count: 2 });
    await expect(one()).rejects.toMatchObject({ code: '57P01' });
    await expect(one()).rejects.toMatchObject({ code: '57P01' });
    expect(await one()).toEqual([{ one: 1 }]);
  });

  test('the default error is a serialization failure', async () => {
    await order({ mode: 'error', count: 1 });
    await expect(one()).rejects.toMatchObject({ code: '40001' });
  });

  test('a fault after the statements loses the answer, not the work', async () => {
    await neon(neonFixture.urls.primary.owner)`CREATE TABLE lost (id int)`;
    await order({ mode: 'down', count: 1, when: 'after' });
    await expect(sql()`INSERT INTO lost VALUES (1)`).rejects.toThrow(/HTTP status 500/);
    expect(await sql()`SELECT id FROM lost`).toEqual([{ id: 1 }]);
  });

  test('a fault can be limited to one database', async () => {
    await order({ mode: 'down', database: 'social_flow_shard_0' });
    const [shard] = neonFixture.urls.shards;
    await expect(neon(shard?.app ?? '')`SELECT 1`).rejects.toThrow(/HTTP status 500/);
    expect(await one()).toEqual([{ one: 1 }]);
    await order({ mode: 'none', database: 'social_flow_shard_0' });
    expect(await neon(shard?.app ?? '')`SELECT 1 AS one`).toEqual([{ one: 1 }]);
  });

  test('a delay holds a request back', async () => {
    await order({ mode: 'none', delayMs: 600_000, count: 1 });
    const impatient = neon(neonFixture.urls.primary.app, {
      fetchOptions: { signal: AbortSignal.timeout(100) },
    });
    await expect(impatient`SELECT 1`).rejects.toThrow(/TimeoutError/);
    expect(await one()).toEqual([{ one: 1 }]);
  });

  test.each([
    { mode: 'chaos' },
    { mode: 'error', sqlstate: 'nope' },
    { mode: 'down', count: 0 },
    { mode: 'down', typo: true },
    [],
    null,
  ])('the malformed order %j is refused', async (fault) => {
    expect(await order(fault)).toBe(400);
    expect(await one()).toEqual([{ one: 1 }]);
  });

  test('a bridge without test controls has none', async () => {
    const plain = await startNeonBridge({ port: 0, postgres: neonFixture.postgres });
    expect((await control(plain, 'POST', '/faults', { mode: 'down' })).status).toBe(404);
    await plain.close();
  });
});

describe('test databases', () => {
  let baseDir: string;
  let stack: DatabaseStack;

  beforeAll(async () => {
    baseDir = await makeTemporaryDir();
    stack = await startDatabaseStack(baseDir);
  });
  beforeEach(() => pointDriverAt(stack.bridge));
  afterAll(async () => {
    await stack.stop();
    await rm(baseDir, { recursive: true, force: true });
  });

  const clone = async (template: string): Promise<TestDatabase> => {
    const response = await control(stack.bridge, 'POST', '/databases', { template });
    expect(response.status).toBe(201);
    return (await response.json()) as TestDatabase;
  };
  const tablesOf = async (database: TestDatabase): Promise<unknown[]> =>
    neon(database.app)`SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`;

  test('a clone has the migrated tables, and its rows are its own', async () => {
    const [first, second] = await Promise.all([clone('primary'), clone('primary')]);
    expect(first.name).not.toBe(second.name);
    expect(await tablesOf(first)).toEqual(await tablesOf(second));
    expect((await tablesOf(first)).length).toBeGreaterThan(0);
    await neon(first.owner)`CREATE TABLE only_here (id int)`;
    await neon(first.app)`INSERT INTO only_here VALUES (1)`;
    expect(await neon(first.replica)`SELECT id FROM only_here`).toEqual([{ id: 1 }]);
    await expect(neon(second.app)`SELECT 1 FROM only_here`).rejects.toMatchObject({ code: '42P01' });
  });

  test('a shard clone has the tables of a shard', async () => {
    const [primary, shard] = [await clone('primary'), await clone('shard')];
    expect(await tablesOf(shard)).not.toEqual(await tablesOf(primary));
  });

  test('roles keep their limits in a clone', async () => {
    const database = await clone('shard');
    await expect(neon(database.app)`CREATE TABLE mine (id int)`).rejects.toMatchObject({ code: '42501' });
    await neon(database.owner)`CREATE TABLE theirs (id int)`;
    await expect(neon(database.replica)`INSERT INTO theirs VALUES (1)`).rejects.toMatchObject({
      code: '25006',
    });
  });

  test('a dropped database is gone at once, although it was just in use', async () => {
    const database = await clone('shard');
    await neon(database.app)`SELECT 1`;
    expect((await control(stack.bridge, 'DELETE', `/databases/${database.name}`)).status).toBe(200);
    expect((await control(stack.bridge, 'DELETE', `/databases/${database.name}`)).status).toBe(404);
    await expect(neon(database.app)`SELECT 1`).rejects.toMatchObject({ code: '3D000' });
  });

  test.each(['template_primary', 'postgres', 'test_primary_x"; DROP DATABASE postgres', '..'])(
    'the database %s cannot be dropped through the bridge',
    async (name) => {
      const response = await control(stack.bridge, 'DELETE', `/databases/${encodeURIComponent(name)}`);
      expect([404, 405]).toContain(response.status);
    },
  );

  test('an unknown template is refused', async () => {
    expect((await control(stack.bridge, 'POST', '/databases', { template: 'postgres' })).status).toBe(400);
  });

  test('many databases in use at once share the connections there are', async () => {
    const databases = await Promise.all(Array.from({ length: 30 }, () => clone('shard')));
    const rounds = databases.flatMap((database) =>
      Array.from(
        { length: 10 },
        (_, n) => neon(database.app)`SELECT current_database() AS name, ${n}::int AS n, pg_sleep(0.01)`,
      ),
    );
    const results = await Promise.all(rounds);
    expect(results.map(([row]) => row?.name)).toEqual(
      databases.flatMap(({ name }) => Array.from({ length: 10 }, () => name)),
    );
  });

  test('a run beside this one gets a server of its own', async () => {
    const other = await startDatabaseStack(baseDir);
    expect(other.postgres.dataDir).not.toBe(stack.postgres.dataDir);
    await other.stop();
    await clone('shard');
  });
});
