import { rm } from 'node:fs/promises';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type PostgresHandle,
  type Provisioned,
  provision,
  startPostgres,
  withClient,
} from '../../../local-cloud/postgres/index.ts';
import { makeTemporaryDir } from '../../support/node/temporary.ts';

let dataDir: string;
let postgres: PostgresHandle;
let urls: Provisioned;

const passwords = { owner: 'owner pass/word@:?#%', app: "app'pass\\word", replica: 'пароль😀' };

beforeAll(async () => {
  dataDir = await makeTemporaryDir();
  postgres = await startPostgres({ dataDir, port: 0, durable: false });
  urls = await provision(postgres, { passwords });
});

afterAll(async () => {
  await postgres.stop({ removeData: true });
  await rm(dataDir, { recursive: true, force: true });
});

const query = (url: string, sql: string): Promise<pg.QueryResult> =>
  withClient(url, (client) => client.query(sql));

test('there is a primary and two shards, each reachable by every role', async () => {
  expect(urls.shards).toHaveLength(2);
  for (const database of [urls.primary, ...urls.shards]) {
    for (const url of Object.values(database)) await query(url, 'SELECT 1');
  }
  const names = await Promise.all(
    [urls.primary, ...urls.shards].map(
      async (database) => (await query(database.app, 'SELECT current_database()')).rows[0],
    ),
  );
  expect(names).toEqual([
    { current_database: 'social_flow' },
    { current_database: 'social_flow_shard_0' },
    { current_database: 'social_flow_shard_1' },
  ]);
});

test('tables and sequences the owner makes later can be used by the application, and only read by the replica', async () => {
  await query(urls.primary.owner, 'CREATE TABLE later (id bigserial PRIMARY KEY, body text)');
  await query(urls.primary.app, `INSERT INTO later (body) VALUES ('a'), ('b')`);
  await query(urls.primary.app, `UPDATE later SET body = 'c' WHERE body = 'a'`);
  await query(urls.primary.app, `DELETE FROM later WHERE body = 'b'`);
  const { rows } = await query(urls.primary.replica, 'SELECT body FROM later');
  expect(rows).toEqual([{ body: 'c' }]);
});

test.each([
  ['table', 'CREATE TABLE mine (id int)'],
  ['temporary table', 'CREATE TEMP TABLE mine (id int)'],
  ['schema', 'CREATE SCHEMA mine'],
  ['database', 'CREATE DATABASE mine'],
  ['role', 'CREATE ROLE mine'],
  ['extension', 'CREATE EXTENSION pg_trgm'],
  ['server program', `COPY (SELECT 1) TO PROGRAM 'cat'`],
])('the application cannot make a %s', async (_, sql) => {
  await expect(query(urls.primary.app, sql)).rejects.toMatchObject({ code: '42501' });
});

test('the application can neither truncate nor drop the tables it uses', async () => {
  await query(urls.primary.owner, 'CREATE TABLE owned (id int)');
  await expect(query(urls.primary.app, 'TRUNCATE owned')).rejects.toMatchObject({ code: '42501' });
  await expect(query(urls.primary.app, 'DROP TABLE owned')).rejects.toMatchObject({ code: '42501' });
});

test('a write that goes to the replica fails, even when the session asks to write', async () => {
  await query(urls.primary.owner, 'CREATE TABLE written (id int)');
  await expect(query(urls.primary.replica, 'INSERT INTO written VALUES (1)')).rejects.toMatchObject({
    code: '25006',
  });
  await expect(
    withClient(urls.primary.replica, async (client) => {
      await client.query('SET default_transaction_read_only = off');
      await client.query('INSERT INTO written VALUES (1)');
    }),
  ).rejects.toMatchObject({ code: '42501' });
});

test('the owner installs the extensions search needs without being superuser', async () => {
  for (const extension of ['pg_trgm', 'unaccent', 'citext', 'btree_gin']) {
    await query(urls.primary.owner, `CREATE EXTENSION ${extension}`);
  }
  const { rows } = await query(
    urls.primary.app,
    `SELECT similarity('video', 'vidéo') > 0 AS similar, unaccent('é') AS plain`,
  );
  expect(rows).toEqual([{ similar: true, plain: 'e' }]);
});

test('provisioning again keeps data and sets new passwords', async () => {
  await query(urls.primary.owner, 'CREATE TABLE surviving AS SELECT 1 AS id');
  const again = await provision(postgres, { passwords: { ...passwords, app: 'changed' } });
  expect((await query(again.primary.app, 'SELECT id FROM surviving')).rows).toEqual([{ id: 1 }]);
  await expect(query(urls.primary.app, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  urls = await provision(postgres, { passwords });
});
