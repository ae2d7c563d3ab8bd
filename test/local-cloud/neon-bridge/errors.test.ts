import { NeonDbError, neon } from '@neondatabase/serverless';
import { beforeAll, expect, test } from 'vitest';
import { useNeon } from '../../support/node/neon-fixture.ts';

const neonFixture = useNeon();

beforeAll(async () => {
  const owner = neon(neonFixture.urls.primary.owner);
  await owner`CREATE TABLE authors (id int PRIMARY KEY, handle text NOT NULL CONSTRAINT authors_handle_key UNIQUE)`;
  await owner`CREATE TABLE works (
    id int PRIMARY KEY,
    author_id int CONSTRAINT works_author_fk REFERENCES authors,
    price int CONSTRAINT works_price_positive CHECK (price > 0)
  )`;
  await owner`INSERT INTO authors VALUES (1, 'ada')`;
});

async function failureOf(promise: Promise<unknown>): Promise<NeonDbError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof NeonDbError)) throw new Error(`expected a NeonDbError, got ${String(error)}`);
  return error;
}

const run = (text: string, url: string = neonFixture.urls.primary.app) => failureOf(neon(url).query(text));

test('a unique violation names its constraint, table and the value', async () => {
  expect(await run(`INSERT INTO authors VALUES (2, 'ada')`)).toMatchObject({
    message: 'duplicate key value violates unique constraint "authors_handle_key"',
    code: '23505',
    severity: 'ERROR',
    schema: 'public',
    table: 'authors',
    constraint: 'authors_handle_key',
    detail: 'Key (handle)=(ada) already exists.',
    routine: '_bt_check_unique',
  });
});

test('a foreign key violation names its constraint', async () => {
  expect(await run('INSERT INTO works VALUES (1, 99, 5)')).toMatchObject({
    code: '23503',
    table: 'works',
    constraint: 'works_author_fk',
    detail: 'Key (author_id)=(99) is not present in table "authors".',
  });
});

test('a check violation names its constraint', async () => {
  expect(await run('INSERT INTO works VALUES (1, 1, -5)')).toMatchObject({
    code: '23514',
    constraint: 'works_price_positive',
  });
});

test('a missing value names its column', async () => {
  expect(await run('INSERT INTO authors VALUES (3, NULL)')).toMatchObject({
    code: '23502',
    column: 'handle',
  });
});

test('a syntax error says where, and a misspelt name gives a hint', async () => {
  expect(await run('SELEC 1')).toMatchObject({ code: '42601', position: '1' });
  expect(await run('SELECT handel FROM authors')).toMatchObject({ code: '42703', position: '8' });
  expect((await run('SELECT handel FROM authors')).hint).toContain('authors.handle');
});

test('an error inside a function gives its context', async () => {
  const owner = neon(neonFixture.urls.primary.owner);
  await owner`CREATE FUNCTION fail() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'not today' USING ERRCODE = 'P0042', DETAIL = 'why', HINT = 'try tomorrow', DATATYPE = 'money';
  END $$`;
  expect(await run('SELECT fail()')).toMatchObject({
    message: 'not today',
    code: 'P0042',
    detail: 'why',
    hint: 'try tomorrow',
    dataType: 'money',
    where: expect.stringContaining('PL/pgSQL function fail()'),
  });
});

test('a wrong password is refused with 28P01, also when a right one was just used', async () => {
  const right = neonFixture.urls.primary.app;
  await neon(right)`SELECT 1`;
  const wrong = new URL(right);
  wrong.password = 'guess';
  expect(await run('SELECT 1', wrong.href)).toMatchObject({ code: '28P01' });
  await neon(right)`SELECT 1`;
});

test('an unknown role and an unknown database are refused', async () => {
  const url = new URL(neonFixture.urls.primary.app);
  url.username = 'nobody_here';
  expect(await run('SELECT 1', url.href)).toMatchObject({ code: '28P01' });
  const elsewhere = new URL(neonFixture.urls.primary.app);
  elsewhere.pathname = '/no_such_database';
  expect(await run('SELECT 1', elsewhere.href)).toMatchObject({ code: '3D000' });
});

test('the replica role cannot write and the application role cannot create tables', async () => {
  expect(await run('INSERT INTO authors VALUES (9, $$x$$)', neonFixture.urls.primary.replica)).toMatchObject({
    code: '25006',
  });
  expect(await run('CREATE TABLE mine (id int)')).toMatchObject({ code: '42501' });
});

test('a connection that caused an error serves the next request', async () => {
  const sql = neon(neonFixture.urls.primary.app);
  for (let attempt = 0; attempt < 20; attempt += 1) {
    await expect(sql`SELECT 1 / 0`).rejects.toMatchObject({ code: '22012' });
    expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
  }
});
