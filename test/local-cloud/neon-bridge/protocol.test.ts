import { expect, test } from 'vitest';
import { useNeon } from '../../support/node/neon-fixture.ts';

const neonFixture = useNeon();

function post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${neonFixture.bridge.url}/sql`, {
    method: 'POST',
    headers: { 'neon-connection-string': neonFixture.urls.primary.app, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function answer(body: unknown, headers: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const response = await post(body, headers);
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}

test('without raw text output, values come back as JSON of their type', async () => {
  const query = `SELECT true AS b, 7::int4 AS i, 9007199254740993::int8 AS big, 1.50::numeric AS n, 2.5::float8 AS f,
    'NaN'::float8 AS nan, '{"a": [1, 2]}'::jsonb AS j, ARRAY[1, NULL, 3] AS ints, ARRAY['a"b', 'c,d', NULL, 'NULL'] AS texts,
    '{{1,2},{3,4}}'::int[] AS nested, ARRAY['{"x": 1}'::jsonb] AS docs, '[0:1]={5,6}'::int[] AS bounded, '{}'::text[] AS empty`;
  const { rows, rowAsArray } = await answer({ query });
  expect(rowAsArray).toBe(false);
  expect(rows).toEqual([
    {
      b: true,
      i: 7,
      big: '9007199254740993',
      n: '1.50',
      f: 2.5,
      nan: 'NaN',
      j: { a: [1, 2] },
      ints: [1, null, 3],
      texts: ['a"b', 'c,d', null, 'NULL'],
      nested: [
        [1, 2],
        [3, 4],
      ],
      docs: [{ x: 1 }],
      bounded: [5, 6],
      empty: [],
    },
  ]);
});

test('with raw text output, every value is the text Postgres printed', async () => {
  const query = `SELECT true AS b, 7 AS i, ARRAY[1, 2] AS a, NULL AS missing`;
  const { rows } = await answer({ query }, { 'neon-raw-text-output': 'true' });
  expect(rows).toEqual([{ b: 't', i: '7', a: '{1,2}', missing: null }]);
});

test('array mode can be set for all statements by header and for one in the body', async () => {
  const queries = [{ query: 'SELECT 1 AS a' }, { query: 'SELECT 2 AS a', arrayMode: false }];
  const { results } = await answer({ queries }, { 'neon-array-mode': 'true' });
  expect(results).toMatchObject([
    { rows: [[1]], rowAsArray: true },
    { rows: [{ a: 2 }], rowAsArray: false },
  ]);
});

test('parameters of every JSON type become what Postgres expects', async () => {
  const query =
    'SELECT $1::text AS s, $2::int AS n, $3::bool AS b, $4::jsonb AS o, $5::text[] AS a, $6::int AS missing, $7::jsonb[] AS docs';
  const params = ['x"y', 3, true, { k: 'v"' }, ['a', 'b"c\\d', null, '😀'], null, [{ d: 1 }]];
  const { rows } = await answer({ query, params });
  expect(rows).toEqual([
    {
      s: 'x"y',
      n: 3,
      b: true,
      o: { k: 'v"' },
      a: ['a', 'b"c\\d', null, '😀'],
      missing: null,
      docs: [{ d: 1 }],
    },
  ]);
});

test('a batch without statements is an empty transaction', async () => {
  expect(await answer({ queries: [] })).toEqual({ results: [] });
});

test('an empty query is not an error', async () => {
  expect(await answer({ query: '' })).toMatchObject({ rows: [], fields: [], command: '' });
});

test.each([
  ['no JSON', '{'],
  ['an array', []],
  ['neither query nor queries', { params: [] }],
  ['half a character', { query: 'SELECT $1', params: ['\ud83d'] }],
  ['a query that is no text', { query: 1 }],
  ['params that are no array', { query: 'SELECT 1', params: 'x' }],
  ['a statement of a batch that is no object', { queries: [null] }],
  ['an arrayMode that is no boolean', { query: 'SELECT 1', arrayMode: 'yes' }],
])('a body with %s is a 400 that says so', async (_, body) => {
  const response = await post(body);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    message: expect.stringContaining('could not parse'),
    code: null,
  });
});

test.each([
  ['no connection string', ''],
  ['another scheme', 'mysql://u:p@h/d'],
  ['no user', 'postgresql://h/d'],
  ['no password', 'postgresql://u@h/d'],
  ['no database', 'postgresql://u:p@h/'],
  ['a malformed escape', 'postgresql://u:%zz@h/d'],
  ['a NUL in the user', 'postgresql://u%00:p@h/d'],
])('a request with %s is a 400', async (_, connectionString) => {
  const response = await post({ query: 'SELECT 1' }, { 'neon-connection-string': connectionString });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ message: expect.any(String), code: null });
});

test('an unknown isolation level is a 400', async () => {
  const response = await post(
    { queries: [{ query: 'SELECT 1' }] },
    { 'neon-batch-isolation-level': 'Chaos' },
  );
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ message: 'invalid isolation level' });
});

test('a body over 64 MB is refused with 413', async () => {
  const response = await post({ query: 'SELECT $1', params: ['x'.repeat(64 * 1024 * 1024)] });
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ message: 'request is too large (max is 67108864 bytes)' });
});

test('a body of unknown length is cut off at 64 MB', async () => {
  const megabyte = new Uint8Array(1024 * 1024).fill(32);
  let sent = 0;
  const body = new ReadableStream({
    pull: (controller) => {
      sent += 1;
      if (sent > 70) controller.close();
      else controller.enqueue(megabyte);
    },
  });
  const response = await fetch(`${neonFixture.bridge.url}/sql`, {
    method: 'POST',
    headers: { 'neon-connection-string': neonFixture.urls.primary.app },
    body,
    duplex: 'half',
  } as RequestInit);
  expect(response.status).toBe(413);
});

test('a batch answers with the options it ran under', async () => {
  const response = await post(
    { queries: [{ query: 'SELECT 1' }] },
    {
      'neon-batch-isolation-level': 'Serializable',
      'neon-batch-read-only': 'true',
      'neon-batch-deferrable': 'false',
    },
  );
  expect(response.headers.get('neon-batch-isolation-level')).toBe('Serializable');
  expect(response.headers.get('neon-batch-read-only')).toBe('true');
  expect(response.headers.get('neon-batch-deferrable')).toBeNull();
});

test('a result over 64 MB is refused with 507 and the connection goes on', async () => {
  const response = await post({ query: `SELECT repeat('x', 1000000) FROM generate_series(1, 80)` });
  expect(response.status).toBe(507);
  expect(await response.json()).toMatchObject({ message: 'response is too large (max is 67108864 bytes)' });
  expect(await answer({ query: 'SELECT 1 AS one' })).toMatchObject({ rows: [{ one: 1 }] });
});

test('the health check answers, and unknown paths and closed controls are 404', async () => {
  const { url } = neonFixture.bridge;
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
  expect((await fetch(`${url}/sql`)).status).toBe(404);
  expect((await fetch(`${url}/databases`, { method: 'POST' })).status).toBe(404);
  expect((await fetch(`${url}/nothing`)).status).toBe(404);
});
