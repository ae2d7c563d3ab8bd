import { neon } from '@neondatabase/serverless';
import { expect, test } from 'vitest';
import { useNeon } from '../../support/node/neon-fixture.ts';

const neonFixture = useNeon();
const connect = () => neon(neonFixture.urls.primary.app);

const instant = new Date('2026-02-28T23:59:59.123Z');
const uuids = ['0190163d-8694-739b-aea5-966c26f8ad91', '00000000-0000-0000-0000-000000000000'];
const awkward = [
  'plain',
  'a"b',
  'back\\slash',
  'comma,brace{}',
  'NULL',
  '',
  ' spaced ',
  '👩‍👩‍👧‍👦',
  'شكرا',
  '\u202Ertl',
  "o'clock",
];

test.each<[string, string, unknown, unknown]>([
  ['int8 beyond 2^53', 'int8', '9223372036854775807', '9223372036854775807'],
  [
    'numeric with all its digits',
    'numeric',
    '12345678901234567890.123456789000',
    '12345678901234567890.123456789000',
  ],
  ['int4', 'int4', -42, -42],
  ['float8', 'float8', 0.1, 0.1],
  ['boolean', 'boolean', false, false],
  ['timestamptz', 'timestamptz', instant, instant],
  ['date text', 'text', '2026-02-28', '2026-02-28'],
  ['jsonb', 'jsonb', { nested: [1, null, { text: 'é"\\😀' }] }, { nested: [1, null, { text: 'é"\\😀' }] }],
  ['jsonb array sent as text', 'jsonb', JSON.stringify([1, 'two']), [1, 'two']],
  ['bytea', 'bytea', Buffer.from([0, 1, 0xfe, 0xff]), Buffer.from([0, 1, 0xfe, 0xff])],
  ['empty bytea', 'bytea', Buffer.alloc(0), Buffer.alloc(0)],
  ['uuid[]', 'uuid[]', uuids, uuids],
  ['text[] with quotes, escapes and emoji', 'text[]', [...awkward, null], [...awkward, null]],
  ['empty array', 'text[]', [], []],
  [
    'nested int[]',
    'int[]',
    [
      [1, 2],
      [3, 4],
    ],
    [
      [1, 2],
      [3, 4],
    ],
  ],
  ['null', 'text', null, null],
  ['text with every awkward character', 'text', awkward.join('\n\t\r'), awkward.join('\n\t\r')],
])('%s goes in and comes out unchanged', async (_, type, input, output) => {
  const rows = await connect().query(`SELECT $1::${type} AS value`, [input]);
  expect(rows).toEqual([{ value: output }]);
});

test('a template literal binds its values, so SQL in them stays data', async () => {
  const hostile = `'); DROP TABLE users; --`;
  const sql = connect();
  expect(await sql`SELECT ${hostile} AS echoed, ${hostile.length}::int AS length`).toEqual([
    { echoed: hostile, length: hostile.length },
  ]);
});

test('array mode returns rows as arrays in column order', async () => {
  const sql = neon(neonFixture.urls.primary.app, { arrayMode: true });
  expect(await sql`SELECT 1 AS a, 'x' AS b, NULL AS c`).toEqual([[1, 'x', null]]);
});

test('columns of one name are all kept in array mode', async () => {
  const sql = neon(neonFixture.urls.primary.app, { arrayMode: true });
  expect(await sql`SELECT 1 AS same, 2 AS same`).toEqual([[1, 2]]);
});

test('full results describe the fields, the command and the number of rows', async () => {
  const owner = neon(neonFixture.urls.primary.owner, { fullResults: true });
  await owner`CREATE TABLE described (id int8 PRIMARY KEY, name varchar(20))`;
  const inserted = await owner`INSERT INTO described VALUES (1, 'a'), (2, 'b')`;
  expect(inserted).toMatchObject({ command: 'INSERT', rowCount: 2, rows: [], fields: [] });
  const { rows: described } = await owner`SELECT 'described'::regclass::oid AS oid`;
  const selected = await owner`SELECT id, name FROM described ORDER BY id`;
  expect(selected).toMatchObject({ command: 'SELECT', rowCount: 2, rowAsArray: false });
  expect(selected.fields).toEqual([
    {
      name: 'id',
      tableID: described[0]?.oid,
      columnID: 1,
      dataTypeID: 20,
      dataTypeSize: 8,
      dataTypeModifier: -1,
      format: 'text',
    },
    {
      name: 'name',
      tableID: described[0]?.oid,
      columnID: 2,
      dataTypeID: 1043,
      dataTypeSize: -1,
      dataTypeModifier: 24,
      format: 'text',
    },
  ]);
  expect(await owner`UPDATE described SET name = 'c' WHERE id > 5`).toMatchObject({
    command: 'UPDATE',
    rowCount: 0,
  });
  expect(await owner`DELETE FROM described`).toMatchObject({ command: 'DELETE', rowCount: 2 });
  expect(await owner`DROP TABLE described`).toMatchObject({ command: 'DROP', rowCount: null });
});

test('a result of many megabytes arrives whole', async () => {
  const rows = await connect()`SELECT n, repeat('é', 500) AS text FROM generate_series(1, 20000) AS n`;
  expect(rows).toHaveLength(20_000);
  expect(rows.at(-1)).toEqual({ n: 20_000, text: 'é'.repeat(500) });
});

test('a parameter of many megabytes is taken whole', async () => {
  const text = '😀'.repeat(2_000_000);
  expect(await connect()`SELECT length(${text}) AS length`).toEqual([{ length: 2_000_000 }]);
});
