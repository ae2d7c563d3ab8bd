import { neon } from '@neondatabase/serverless';
import { beforeAll, expect, test } from 'vitest';
import { useNeon } from '../../support/node/neon-fixture.ts';

const neonFixture = useNeon();
const connect = () => neon(neonFixture.urls.primary.app);

beforeAll(async () => {
  await neon(neonFixture.urls.primary.owner)`CREATE TABLE entries (id int PRIMARY KEY, note text NOT NULL)`;
});

const settings = (sql: ReturnType<typeof connect>) =>
  sql`SELECT current_setting('transaction_isolation') AS isolation, current_setting('transaction_read_only') AS read_only,
             current_setting('transaction_deferrable') AS deferrable`;

test('a batch returns the rows of each of its statements in order', async () => {
  const sql = connect();
  const results = await sql.transaction([
    sql`INSERT INTO entries VALUES (1, 'one') RETURNING id`,
    sql`SELECT note FROM entries WHERE id = ${1}`,
    sql`DELETE FROM entries WHERE id = ${1}`,
  ]);
  expect(results).toEqual([[{ id: 1 }], [{ note: 'one' }], []]);
});

test('an error in a batch undoes all of it', async () => {
  const sql = connect();
  const batch = sql.transaction([
    sql`INSERT INTO entries VALUES (2, 'two')`,
    sql`INSERT INTO entries VALUES (3, ${null})`,
    sql`INSERT INTO entries VALUES (4, 'four')`,
  ]);
  await expect(batch).rejects.toMatchObject({ code: '23502', column: 'note' });
  expect(await sql`SELECT id FROM entries WHERE id IN (2, 3, 4)`).toEqual([]);
});

test('an error raised only at commit is reported and undoes the batch', async () => {
  const owner = neon(neonFixture.urls.primary.owner);
  await owner`CREATE TABLE deferred (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)`;
  const sql = connect();
  const batch = sql.transaction([sql`INSERT INTO deferred VALUES (1)`, sql`INSERT INTO deferred VALUES (1)`]);
  await expect(batch).rejects.toMatchObject({ code: '23505' });
  expect(await sql`SELECT id FROM deferred`).toEqual([]);
});

test.each([
  ['ReadUncommitted', 'read uncommitted'],
  ['ReadCommitted', 'read committed'],
  ['RepeatableRead', 'repeatable read'],
  ['Serializable', 'serializable'],
] as const)('a batch runs at isolation level %s when asked to', async (isolationLevel, name) => {
  const sql = connect();
  const [[row]] = (await sql.transaction([settings(sql)], { isolationLevel })) as [[Record<string, string>]];
  expect(row).toEqual({ isolation: name, read_only: 'off', deferrable: 'off' });
});

test('a read-only batch cannot write', async () => {
  const sql = connect();
  const batch = sql.transaction([sql`INSERT INTO entries VALUES (5, 'five')`], { readOnly: true });
  await expect(batch).rejects.toMatchObject({ code: '25006' });
});

test('a batch can be serializable, read-only and deferrable at once', async () => {
  const sql = connect();
  const options = { isolationLevel: 'Serializable', readOnly: true, deferrable: true } as const;
  const [[row]] = (await sql.transaction([settings(sql)], options)) as [[Record<string, string>]];
  expect(row).toEqual({ isolation: 'serializable', read_only: 'on', deferrable: 'on' });
});

test('options of one batch do not reach the next request', async () => {
  const sql = connect();
  await sql.transaction([settings(sql)], { isolationLevel: 'Serializable', readOnly: true });
  const rows = await settings(sql);
  expect(rows).toEqual([{ isolation: 'read committed', read_only: 'off', deferrable: 'off' }]);
});

test('session settings and open transactions do not reach the next request', async () => {
  const sql = connect();
  await sql`SET statement_timeout = '7s'`;
  await sql`BEGIN`;
  await sql`PREPARE leftover AS SELECT 1`;
  for (let request = 0; request < 10; request += 1) {
    expect(await sql`SELECT current_setting('statement_timeout') AS timeout`).toEqual([{ timeout: '0' }]);
    expect(await sql`SELECT count(*)::int AS prepared FROM pg_prepared_statements`).toEqual([
      { prepared: 0 },
    ]);
  }
});

test('serialization failures between concurrent batches surface as 40001', async () => {
  const sql = connect();
  await sql`INSERT INTO entries VALUES (10, 'counter')`;
  const increment = () =>
    sql.transaction(
      [
        sql`SELECT note FROM entries WHERE id = 10`,
        sql`SELECT pg_sleep(0.2)`,
        sql`UPDATE entries SET note = note || '+' WHERE id = 10`,
      ],
      { isolationLevel: 'RepeatableRead' },
    );
  const outcomes = await Promise.allSettled([increment(), increment(), increment()]);
  const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
  const [row] = await sql`SELECT length(note) - length('counter') AS increments FROM entries WHERE id = 10`;
  expect(row).toEqual({ increments: 3 - failures.length });
  expect(failures.length).toBeGreaterThan(0);
  for (const failure of failures) expect(failure.reason).toMatchObject({ code: '40001' });
});

test('several statements in one query text are refused', async () => {
  const sql = connect();
  await expect(sql.query(`INSERT INTO entries VALUES (20, 'x'); SELECT 1`)).rejects.toMatchObject({
    code: '42601',
  });
  await expect(sql.transaction([sql`SELECT 1; COMMIT`])).rejects.toMatchObject({ code: '42601' });
  expect(await sql`SELECT id FROM entries WHERE id = 20`).toEqual([]);
});
