import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getTableColumns, getTableName, is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PostgresHandle, provision, startPostgres } from '../../local-cloud/postgres/index.ts';
import { open, seal } from '../../scripts/lib/envelope.ts';
import { migrateUp } from '../../scripts/lib/migrations.ts';
import { reencrypt } from '../../scripts/lib/reencrypt.ts';
import { sealedColumns } from '../../src/db/sealed-columns.ts';

const root = join(import.meta.dirname, '..', '..');
// By address, since the Worker's sources are type-checked against workerd's types and this test against Node's.
const schema = (await import(new URL('../../src/db/schema.ts', import.meta.url).href)) as Record<
  string,
  unknown
>;
let stateDir: string;
let postgres: PostgresHandle;
let ownerUrl: string;
let owner: pg.Client;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'social-flow-reencrypt-'));
  postgres = await startPostgres({ dataDir: stateDir, port: 0, durable: false });
  const { primary } = await provision(postgres, {
    passwords: { owner: 'owner', app: 'app', replica: 'replica' },
  });
  ownerUrl = primary.owner;
  await migrateUp({ connectionString: ownerUrl, directory: join(root, 'migrations') });
  owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
});

afterAll(async () => {
  await owner.end();
  await postgres.stop({ removeData: true });
  await rm(stateDir, { recursive: true, force: true });
});

const [first, second] = [randomBytes(32), randomBytes(32)];
const oldOnly = { keys: new Map([[1, new Uint8Array(first)]]), currentVersion: 1 };
const both = { keys: new Map([...oldOnly.keys, [2, new Uint8Array(second)]]), currentVersion: 2 };
const newOnly = { keys: new Map([[2, new Uint8Array(second)]]), currentVersion: 2 };
const placeOf = (rowId: string) => ({ table: 'totp_factors', column: 'sealed_secret', rowId });

const seedFactor = async (): Promise<{ id: string; secret: Uint8Array }> => {
  const id = randomUUID();
  const secret = new Uint8Array(randomBytes(20));
  const name = `u${id.slice(0, 8)}`;
  await owner.query('INSERT INTO users (id, username, email, display_name) VALUES ($1, $2, $3, $2)', [
    id,
    name,
    `${name}@example.com`,
  ]);
  await owner.query('INSERT INTO totp_factors (user_id, sealed_secret, created_at) VALUES ($1, $2, now())', [
    id,
    Buffer.from(await seal(oldOnly, secret, placeOf(id))),
  ]);
  return { id, secret };
};

const sealedOf = async (id: string): Promise<Uint8Array> => {
  const { rows } = await owner.query<{ sealed: Buffer }>(
    'SELECT sealed_secret AS sealed FROM totp_factors WHERE user_id = $1',
    [id],
  );
  return new Uint8Array(rows[0]?.sealed ?? []);
};

it('knows every sealed column of the schema, and only such', () => {
  const listed = sealedColumns.map(({ table, column }) => `${table}.${column}`);
  const columns = Object.values(schema)
    .filter((value) => is(value, PgTable))
    .flatMap((table) =>
      Object.values(getTableColumns(table)).map((column) => ({
        name: `${getTableName(table)}.${column.name}`,
        bytes: column.getSQLType() === 'bytea',
      })),
    );
  const sealed = columns.filter(({ name }) => /\.sealed_|_blob$/.test(name) && !name.endsWith('_at'));
  expect(
    sealed
      .filter(({ bytes }) => bytes)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...listed].sort());
});

it('binds each value to its row: two that are exchanged open nothing', async () => {
  const [ada, bob] = [await seedFactor(), await seedFactor()];
  const [ofAda, ofBob] = [await sealedOf(ada.id), await sealedOf(bob.id)];
  expect(await open(oldOnly, ofAda, placeOf(ada.id))).toEqual(ada.secret);
  expect(await open(oldOnly, ofBob, placeOf(ada.id))).toBeUndefined();
  expect(await open(oldOnly, ofAda, placeOf(bob.id))).toBeUndefined();
  expect(await open(oldOnly, ofAda, { ...placeOf(ada.id), column: 'other' })).toBeUndefined();
});

it('rotates: all opens before, during and after, and the old key may go once none is left', async () => {
  const factors: { readonly id: string; readonly secret: Uint8Array }[] = [];
  for (let index = 0; index < 1_100; index += 1) factors.push(await seedFactor());
  const dry = await reencrypt(owner, both, { dryRun: true });
  expect(dry).toMatchObject({ changed: 0, unreadable: [] });
  expect(dry.left).toBeGreaterThanOrEqual(1_100);

  const opens = async (keys: typeof both) => {
    for (const { id, secret } of factors.slice(0, 40))
      expect(await open(keys, await sealedOf(id), placeOf(id))).toEqual(secret);
  };
  await opens(both);
  const progress: number[] = [];
  const [report] = await Promise.all([
    reencrypt(owner, both, { onProgress: (done) => progress.push(done) }),
    opens(both),
  ]);
  expect(report).toEqual({ changed: dry.left, left: 0, unreadable: [] });
  expect(progress.length).toBeGreaterThan(2);
  await opens(newOnly);
  expect(await reencrypt(owner, newOnly)).toEqual({ changed: 0, left: 0, unreadable: [] });
});

/** One row for each sealed column, whose other columns it needs to stand in the database. */
const seeders: Readonly<Record<string, (seeded: Seeded) => Promise<unknown>>> = {
  'totp_factors.sealed_secret': ({ userId, sealed }) =>
    owner.query('INSERT INTO totp_factors (user_id, sealed_secret, created_at) VALUES ($1, $2, now())', [
      userId,
      sealed,
    ]),
  'refresh_tokens.replay_blob': async ({ userId, id, sealed }) => {
    await owner.query(
      `INSERT INTO sessions (id, user_id, amr, auth_time, expires_at) VALUES ($1, $1, '{pwd}', now(), now() + interval '1 day')`,
      [userId],
    );
    await owner.query(
      `INSERT INTO refresh_tokens (id, session_id, token_hash, generation, expires_at, replay_blob)
       VALUES ($1, $2, $3, 0, now() + interval '1 day', $4)`,
      [id, userId, randomBytes(32), sealed],
    );
  },
  'identities.sealed_refresh_token': ({ userId, id, sealed }) =>
    owner.query(
      `INSERT INTO identities (id, user_id, provider, subject, sealed_refresh_token, created_at)
       VALUES ($1, $2, 'apple', $3, $4, now())`,
      [id, userId, `subject-${id}`, sealed],
    ),
  'oauth_flows.sealed_grant': ({ id, sealed }) => seedFlow(id, 'sealed_grant', sealed),
  'oauth_flows.sealed_profile': ({ id, sealed }) => seedFlow(id, 'sealed_profile', sealed),
  'video_imports.sealed_url': async ({ userId, id, sealed }) => {
    await owner.query(
      `INSERT INTO videos (id, owner_id, title, state) VALUES ($1, $2, 'a film', 'uploading')`,
      [id, userId],
    );
    await owner.query(
      `INSERT INTO uploads (id, video_id, owner_id, state, file_name, content_type, size_bytes, part_size_bytes,
         part_count, object_key, expires_at)
       VALUES ($1, $1, $2, 'open', 'a.mp4', 'video/mp4', 0, 10485760, 1, 'x', now())`,
      [id, userId],
    );
    await owner.query('INSERT INTO video_imports (upload_id, sealed_url) VALUES ($1, $2)', [id, sealed]);
  },
  'birth_dates.sealed_date': ({ userId, sealed }) =>
    owner.query('INSERT INTO birth_dates (user_id, sealed_date) VALUES ($1, $2)', [userId, sealed]),
  'phone_factors.sealed_number': ({ userId, id, sealed }) =>
    owner.query(
      'INSERT INTO phone_factors (user_id, id, sealed_number, verified_at) VALUES ($1, $2, $3, now())',
      [userId, id, sealed],
    ),
  'webhook_endpoints.sealed_secret': ({ userId, id, sealed }) =>
    owner.query(
      `INSERT INTO webhook_endpoints (id, user_id, url, sealed_secret, created_at, updated_at)
       VALUES ($1, $2, 'https://example.com/', $3, now(), now())`,
      [id, userId, sealed],
    ),
  'webhook_endpoints.sealed_old_secret': async ({ userId, id, sealed }) =>
    owner.query(
      `INSERT INTO webhook_endpoints
         (id, user_id, url, sealed_secret, sealed_old_secret, old_secret_expires_at, created_at, updated_at)
       VALUES ($1, $2, 'https://example.com/', $4, $3, now(), now(), now())`,
      [
        id,
        userId,
        sealed,
        Buffer.from(
          await seal(both, randomBytes(24), {
            table: 'webhook_endpoints',
            column: 'sealed_secret',
            rowId: id,
          }),
        ),
      ],
    ),
  'sms_codes.sealed_number': ({ userId, id, sealed }) =>
    owner.query(
      `INSERT INTO sms_codes (user_id, purpose, binding, phone_id, sealed_number, code_hash, created_at, expires_at)
       VALUES ($1, 'enrol', $1, $2, $3, $4, now(), now())`,
      [userId, id, sealed, randomBytes(32)],
    ),
};

interface Seeded {
  readonly userId: string;
  readonly id: string;
  readonly sealed: Buffer;
}

const seedFlow = (id: string, column: string, sealed: Buffer) =>
  owner.query(
    `INSERT INTO oauth_flows (id, provider, purpose, state_hash, client_challenge, return_to, created_at, expires_at, ${column})
     VALUES ($1, 'x', 'sign_in', $2, repeat('a', 43), '/', now(), now(), $3)`,
    [id, randomBytes(32), sealed],
  );

it.each(sealedColumns)(
  'moves $table.$column to the new key',
  async ({ table, column, rowId, sealedFor = { table, column } }) => {
    const seeder = seeders[`${table}.${column}`];
    if (seeder === undefined) throw new Error(`say in this test how a row with ${table}.${column} is made`);
    const userId = (await seedFactor()).id;
    await owner.query('DELETE FROM totp_factors WHERE user_id = $1', [userId]);
    const id = rowId === 'user_id' ? userId : randomUUID();
    const secret = new Uint8Array(randomBytes(24));
    const place = { ...sealedFor, rowId: id };
    await seeder({ userId, id, sealed: Buffer.from(await seal(oldOnly, secret, place)) });
    const stored = async () => {
      const { rows } = await owner.query<{ sealed: Buffer }>(
        `SELECT ${column} AS sealed FROM ${table} WHERE ${rowId} = $1`,
        [id],
      );
      return new Uint8Array(rows[0]?.sealed ?? []);
    };
    expect(await open(newOnly, await stored(), place)).toBeUndefined();
    expect(await reencrypt(owner, both)).toEqual({ changed: 1, left: 0, unreadable: [] });
    expect(await open(newOnly, await stored(), place)).toEqual(secret);
  },
);

it('replaces nothing that changed meanwhile', async () => {
  const { id } = await seedFactor();
  const other = new pg.Client({ connectionString: ownerUrl });
  await other.connect();
  await other.query('BEGIN');
  const fresh = Buffer.from(await seal(both, new Uint8Array(20), placeOf(id)));
  await other.query('UPDATE totp_factors SET sealed_secret = $1 WHERE user_id = $2', [fresh, id]);
  const running = reencrypt(owner, both);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await other.query('COMMIT');
  await other.end();
  expect(await running).toMatchObject({ changed: 0, left: 0 });
  expect(Buffer.from(await sealedOf(id))).toEqual(fresh);
});

it('is a command that says what is left, and names what no key opens', async () => {
  const { id } = await seedFactor();
  const run = (keys: typeof both, ...options: string[]) =>
    spawnSync(process.execPath, [join(root, 'scripts', 'secrets-reencrypt.ts'), ...options], {
      env: {
        ...process.env,
        DATABASE_OWNER_URL: ownerUrl,
        DATA_ENCRYPTION_KEYS: JSON.stringify(
          Object.fromEntries(
            [...keys.keys].map(([version, key]) => [version, Buffer.from(key).toString('base64')]),
          ),
        ),
        DATA_ENCRYPTION_KEY_VERSION: String(keys.currentVersion),
      },
      encoding: 'utf8',
    });
  expect(run(both, '--dry-run')).toMatchObject({ status: 0, stdout: expect.stringContaining('1 left') });
  const lost = run(newOnly);
  expect(lost.status).toBe(1);
  expect(lost.stderr).toContain(`totp_factors.sealed_secret of ${id} opens under none of the keys`);
  expect(run(both)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('1 sealed under key 2; 0 left'),
  });
  expect(run({ ...both, currentVersion: 9 }).status).toBe(2);
  expect(run(both, '--all').status).toBe(2);
});
