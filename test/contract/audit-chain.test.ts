import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type PostgresHandle,
  provision,
  startPostgres,
  superuserUrlFor,
} from '../../local-cloud/postgres/index.ts';
import { type Anchor, verifyAuditChain } from '../../scripts/lib/audit-chain.ts';
import { migrateUp } from '../../scripts/lib/migrations.ts';

const root = join(import.meta.dirname, '..', '..');
const passwords = { owner: 'owner', app: 'app', replica: 'replica' };
let stateDir: string;
let postgres: PostgresHandle;
let urls: { owner: string; app: string };
let superuser: pg.Client;
let owner: pg.Client;
let app: pg.Client;
let second: pg.Client;

const connect = async (connectionString: string): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
};

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'social-flow-audit-'));
  postgres = await startPostgres({ dataDir: stateDir, port: 0, durable: false });
  const { primary } = await provision(postgres, { passwords });
  await migrateUp({ connectionString: primary.owner, directory: join(root, 'migrations') });
  // As every start of the local cloud does, which must not open the log again.
  await provision(postgres, { passwords });
  urls = primary;
  superuser = await connect(superuserUrlFor(postgres.superuserUrl, 'social_flow'));
  owner = await connect(primary.owner);
  app = await connect(primary.app);
  second = await connect(primary.app);
});

afterAll(async () => {
  for (const client of [superuser, owner, app, second]) await client.end();
  await postgres.stop({ removeData: true });
  await rm(stateDir, { recursive: true, force: true });
});

const write = async (client: pg.Client, entry: Record<string, unknown> = {}): Promise<string> => {
  const row = {
    id: randomUUID(),
    actor_kind: 'user',
    actor_id: randomUUID(),
    action: 'test.done',
    outcome: 'success',
    ip: '192.0.2.7',
    user_agent: 'Ünïcode/1.0',
    country: 'NL',
    detail: { note: 'größer, "quoted", 1:2', n: 1.5 },
    ...entry,
  };
  const names = Object.keys(row);
  await client.query(
    `INSERT INTO audit_log (${names.join(', ')}) VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(row),
  );
  return row.id;
};

const seal = async (client = app, most = 1_000): Promise<{ sealed: number; head: Anchor }> => {
  const { rows } = await client.query<{ sealed: number; seq: number; hash: string }>(
    'SELECT sealed, head_seq::float8 AS seq, head_hash AS hash FROM seal_audit_log($1)',
    [most],
  );
  const { sealed = 0, seq = 0, hash = '' } = rows[0] ?? {};
  return { sealed, head: { seq, hash } };
};

const verify = (anchors: Anchor[] = []) => verifyAuditChain(owner, { anchors });

/** What only somebody who owns the tables and turns every protection off can do. */
const tamper = async (sql: string, params: unknown[] = []): Promise<void> => {
  await superuser.query('BEGIN');
  await superuser.query('SET LOCAL session_replication_role = replica');
  expect((await superuser.query(sql, params)).rowCount).toBeGreaterThan(0);
  await superuser.query('COMMIT');
};

const everything = 'audit_log, audit_pending, audit_seals, audit_retirements';
let ids: string[];
let head: Anchor;

beforeEach(async () => {
  ids = [];
  for (let entry = 0; entry < 6; entry += 1) ids.push(await write(app));
  ({ head } = await seal());
});
afterEach(async () => {
  await superuser.query('ROLLBACK');
  await superuser.query('SET session_replication_role = replica');
  await superuser.query(`TRUNCATE ${everything}`);
  await superuser.query('RESET session_replication_role');
});

describe('an untouched log', () => {
  it('holds, with every anchor ever noted', async () => {
    const anchors = [head];
    for (let round = 0; round < 3; round += 1) {
      await write(app, { ip: null, user_agent: null, country: null, detail: {} });
      anchors.push((await seal()).head);
    }
    await write(app);
    expect(await verify(anchors)).toMatchObject({ problem: undefined, sealed: 9, waiting: 1, erased: 0 });
    expect(anchors.map(({ seq }) => seq)).toEqual([6, 7, 8, 9]);
  });

  it('is sealed in batches, by one at a time, and no entry twice', async () => {
    for (let entry = 0; entry < 30; entry += 1) await write(app);
    expect(await seal(app, 10)).toMatchObject({ sealed: 10, head: { seq: 16 } });
    await app.query('BEGIN');
    expect(await seal(app, 5)).toMatchObject({ sealed: 5 });
    expect(await seal(second)).toMatchObject({ sealed: 0, head: { seq: 16 } });
    await app.query('COMMIT');
    await Promise.all([seal(app), seal(second), seal(owner)]);
    expect(await verify()).toMatchObject({ problem: undefined, sealed: 36, waiting: 0 });
  });

  it('is sealed whatever locks the application holds', async () => {
    await write(app);
    await second.query('SELECT pg_advisory_lock(7305003)');
    expect(await seal(app)).toMatchObject({ sealed: 1 });
    for (const table of ['audit_seals', 'audit_pending', 'audit_retirements']) {
      await second.query('BEGIN');
      await expect(second.query(`LOCK TABLE ${table} IN SHARE MODE`), table).rejects.toMatchObject({
        code: '42501',
      });
      await second.query('ROLLBACK');
    }
    await second.query('SELECT pg_advisory_unlock(7305003)');
  });

  it('takes entries that commit late or carry a time long past, and rolls back those that never were', async () => {
    await second.query('BEGIN');
    const late = await write(second);
    await write(app);
    await seal();
    await second.query('COMMIT');
    await write(app, { created_at: '2020-02-29T23:59:59.999999Z' });
    await write(app, { created_at: '2031-01-01T00:00:00Z' });
    await app.query('BEGIN');
    await write(app);
    await app.query('ROLLBACK');
    expect(await seal()).toMatchObject({ sealed: 3 });
    expect(await verify([head])).toMatchObject({ problem: undefined, sealed: 10, waiting: 0 });
    const { rows } = await owner.query('SELECT seq::int FROM audit_seals WHERE audit_id = $1', [late]);
    expect(rows).toEqual([{ seq: 8 }]);
  });

  it('still holds when entries move from the default partition to their month', async () => {
    await write(app, { created_at: new Date(Date.now() + 190 * 86_400_000) });
    await seal();
    await app.query("SELECT ensure_monthly_partitions('audit_log', 8)");
    const { rows } = await owner.query('SELECT FROM audit_log_default');
    expect(rows).toEqual([]);
    expect(await verify()).toMatchObject({ problem: undefined, sealed: 7, waiting: 0 });
  });
});

describe('the application role', () => {
  it.each([
    'UPDATE audit_log SET action = action',
    'DELETE FROM audit_log',
    'TRUNCATE audit_log',
    'UPDATE audit_log_default SET action = action',
    'SELECT FROM audit_seals',
    'DELETE FROM audit_seals',
    'INSERT INTO audit_seals SELECT * FROM audit_seals',
    'SELECT FROM audit_pending',
    'DELETE FROM audit_pending',
    'SELECT FROM audit_retirements',
    "SELECT retire_audit_month('2020-01-01')",
    'SELECT protect_audit_log()',
  ])('may not: %s', async (statement) => {
    await expect(app.query(statement)).rejects.toThrow('permission denied');
  });

  it('may not change a single partition either, not even one made later', async () => {
    await app.query("SELECT ensure_monthly_partitions('audit_log', 12)");
    const { rows } = await owner.query<{ name: string }>(
      "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'audit_log'::regclass",
    );
    expect(rows.length).toBeGreaterThan(12);
    for (const { name } of rows) {
      for (const statement of [`UPDATE ${name} SET action = 'x'`, `DELETE FROM ${name}`, `TRUNCATE ${name}`])
        await expect(app.query(statement)).rejects.toThrow('permission denied');
      await expect(owner.query(`TRUNCATE ${name}`)).rejects.toThrow('append-only');
    }
  });

  it('cannot turn the guard off for itself', async () => {
    await superuser.query('GRANT UPDATE, DELETE ON audit_log TO social_flow_app');
    await app.query("SET social_flow.audit_change = 'on'");
    await expect(app.query('DELETE FROM audit_log')).rejects.toThrow('append-only');
    await app.query('RESET social_flow.audit_change');
    await owner.query('SELECT protect_audit_log()');
    await expect(app.query('DELETE FROM audit_log')).rejects.toThrow('permission denied');
  });

  it('cannot give an entry a commitment of its own making', async () => {
    const id = await write(app, { origin_salt: Buffer.alloc(32), origin_commitment: Buffer.alloc(32) });
    const { rows } = await owner.query(
      'SELECT octet_length(origin_salt) AS salt, origin_salt <> $2 AS random FROM audit_log WHERE id = $1',
      [id, Buffer.alloc(32)],
    );
    expect(rows).toEqual([{ salt: 32, random: true }]);
  });
});

describe('the owner', () => {
  it.each([
    'UPDATE audit_log SET outcome = outcome',
    'DELETE FROM audit_log',
    'TRUNCATE audit_log',
    'DELETE FROM audit_seals',
    'UPDATE audit_seals SET seq = seq + 100',
    'TRUNCATE audit_seals',
    'TRUNCATE audit_pending',
  ])('does not by mistake: %s', async (statement) => {
    await expect(owner.query(statement)).rejects.toThrow('append-only');
    expect(await verify([head])).toMatchObject({ problem: undefined, sealed: 6 });
  });
});

describe('tampering with every protection turned off is found:', () => {
  it.each([
    ["action = 'test.other'", 'was changed'],
    ['actor_id = NULL', 'was changed'],
    ['target_id = actor_id', 'was changed'],
    ["outcome = 'denied'", 'was changed'],
    ['country = NULL', 'was changed'],
    [`detail = detail || '{"n": 2}'`, 'was changed'],
    ["created_at = created_at + interval '1 microsecond'", 'was deleted'],
    ["request_id = ''", 'was changed'],
    ["ip = '192.0.2.8'", 'had its address or user agent changed'],
    ['ip = NULL', 'had its address or user agent changed'],
    ["user_agent = 'Other/1.0'", 'had its address or user agent changed'],
    ['origin_salt = NULL', 'got an address or user agent later'],
    ['origin_commitment = origin_salt', 'was changed'],
  ])('an entry with %s', async (change, problem) => {
    await tamper(`UPDATE audit_log SET ${change} WHERE id = $1`, [ids[2]]);
    expect(await verify()).toMatchObject({ problem: `entry ${ids[2]} (seal 3) ${problem}`, sealed: 2 });
  });

  it('a deleted entry', async () => {
    await tamper('DELETE FROM audit_log WHERE id = $1', [ids[4]]);
    expect((await verify()).problem).toBe(`entry ${ids[4]} (seal 5) was deleted`);
  });

  it('an entry deleted with its seal', async () => {
    await tamper('DELETE FROM audit_log WHERE id = $1', [ids[2]]);
    await tamper('DELETE FROM audit_seals WHERE seq = 3');
    expect((await verify()).problem).toBe('seal 3 is missing: the chain goes on at 4');
  });

  it('an entry deleted with its seal and the gap closed', async () => {
    await tamper('DELETE FROM audit_log WHERE id = $1', [ids[2]]);
    await tamper('DELETE FROM audit_seals WHERE seq = 3');
    await tamper('UPDATE audit_seals SET seq = 3 WHERE seq = 4');
    expect((await verify()).problem).toContain('seal 3');
  });

  it('an entry put in past the chain', async () => {
    const stray = randomUUID();
    await tamper(
      "INSERT INTO audit_log (id, actor_kind, action, outcome) VALUES ($1, 'system', 'test.forged', 'success')",
      [stray],
    );
    expect((await verify()).problem).toBe(`entry ${stray} is not in the chain: it was put in past it`);
  });

  it('two entries in exchanged places', async () => {
    await tamper(
      `UPDATE audit_seals AS seal SET audit_id = other.audit_id, audit_created_at = other.audit_created_at,
         content_hash = other.content_hash
       FROM audit_seals AS other WHERE (seal.seq, other.seq) IN ((2, 3), (3, 2))`,
    );
    expect((await verify()).problem).toContain(
      `seal 2 (entry ${ids[2]}) does not follow from the one before`,
    );
  });

  it('an entry changed together with the hash of its content', async () => {
    await tamper("UPDATE audit_log SET action = 'test.other' WHERE id = $1", [ids[5]]);
    await tamper(
      'UPDATE audit_seals SET content_hash = audit_content_hash(entry) FROM audit_log AS entry WHERE seq = 6 AND entry.id = audit_id',
    );
    expect((await verify()).problem).toContain('seal 6');
  });

  it('an entry changed or deleted before it was sealed', async () => {
    const changed = await write(app);
    await tamper("UPDATE audit_log SET action = 'test.other' WHERE id = $1", [changed]);
    expect((await verify()).problem).toBe(`entry ${changed} (not sealed yet) was changed`);
    await tamper('DELETE FROM audit_log WHERE id = $1', [changed]);
    expect((await verify()).problem).toBe(`entry ${changed} (not sealed yet) was deleted`);
    await seal();
    expect((await verify()).problem).toBe(`entry ${changed} (seal 7) was deleted`);
  });

  it('a tail that was cut off, by an anchor', async () => {
    await tamper('DELETE FROM audit_log WHERE id = ANY($1)', [ids.slice(4)]);
    await tamper('DELETE FROM audit_seals WHERE seq > 4');
    expect((await verify()).problem).toBeUndefined();
    expect((await verify([head])).problem).toBe(
      'the chain ends at seal 4, before the anchor 6: its tail was cut off',
    );
  });

  it('a chain that was written anew from the first entry on, by an anchor', async () => {
    await tamper("UPDATE audit_log SET action = 'test.other' WHERE id = $1", [ids[0]]);
    await tamper('DELETE FROM audit_seals');
    await tamper(`INSERT INTO audit_pending (audit_id, audit_created_at, content_hash)
      SELECT id, created_at, audit_content_hash(audit_log) FROM audit_log ORDER BY created_at`);
    await seal();
    expect((await verify()).problem).toBeUndefined();
    expect((await verify([head])).problem).toBe(
      'seal 6 is not the one the anchor names: the chain was written anew',
    );
  });
});

describe('erasing from where somebody acted', () => {
  it('leaves the entries, the chain and everybody else, and is an entry itself', async () => {
    const subject = randomUUID();
    const own = await write(app, { actor_id: subject });
    const tried = await write(app, {
      actor_kind: 'anonymous',
      actor_id: null,
      action: 'auth.login',
      outcome: 'failure',
      target_kind: 'user',
      target_id: subject,
    });
    const asStaff = await write(app, { actor_kind: 'admin', actor_id: subject });
    const other = await write(app, { target_kind: 'user', target_id: subject });
    await seal();
    expect((await app.query('SELECT erase_audit_addresses($1) AS n', [subject])).rows).toEqual([{ n: 3 }]);
    const { rows } = await owner.query(
      'SELECT id, ip, user_agent, origin_salt IS NULL AS unsalted, country, actor_id FROM audit_log WHERE id = ANY($1)',
      [[own, tried, asStaff, other]],
    );
    const erased = { ip: null, user_agent: null, unsalted: true, country: 'NL' };
    expect(rows).toEqual(
      expect.arrayContaining([
        { ...erased, id: own, actor_id: subject },
        { ...erased, id: tried, actor_id: null },
        { ...erased, id: asStaff, actor_id: subject },
        expect.objectContaining({ id: other, ip: '192.0.2.7', user_agent: 'Ünïcode/1.0', unsalted: false }),
      ]),
    );
    await seal();
    expect(await verify()).toMatchObject({ problem: undefined, sealed: 11, erased: 3 });
    const { rows: told } = await owner.query(
      "SELECT target_id, detail FROM audit_log WHERE action = 'audit.addresses_erased'",
    );
    expect(told).toEqual([{ target_id: subject, detail: { entries: 3 } }]);
  });

  it('happens to all entries after 180 days', async () => {
    const at = (days: number) => new Date(Date.now() - days * 86_400_000);
    const old = [await write(app, { created_at: at(181) }), await write(app, { created_at: at(300) })];
    await write(app, { created_at: at(179) });
    await seal();
    expect((await app.query('SELECT expire_audit_addresses(1) AS n')).rows).toEqual([{ n: 1 }]);
    expect((await app.query('SELECT expire_audit_addresses(100) AS n')).rows).toEqual([{ n: 1 }]);
    expect((await app.query('SELECT expire_audit_addresses(100) AS n')).rows).toEqual([{ n: 0 }]);
    const { rows } = await owner.query('SELECT id FROM audit_log WHERE ip IS NULL');
    expect(rows.map(({ id }) => id).sort()).toEqual(old.sort());
    expect(await verify()).toMatchObject({ problem: undefined, sealed: 9, erased: 2 });
  });
});

describe('archived months', () => {
  const partition = (month: string, next: string) =>
    superuser.query(
      `SET ROLE social_flow_owner; CREATE TABLE audit_log_${month.replace('-', '_')} PARTITION OF audit_log FOR VALUES FROM ('${month}-01') TO ('${next}-01'); RESET ROLE`,
    );

  it('are dropped by the owner after two years, and the chain goes on through them', async () => {
    await partition('2023-05', '2023-06');
    for (const day of ['02', '17']) await write(app, { created_at: `2023-05-${day}T12:00:00Z` });
    await expect(owner.query("SELECT retire_audit_month('2023-05-01')")).rejects.toThrow('not sealed yet');
    await seal();
    expect((await owner.query("SELECT retire_audit_month('2023-05-01') AS n")).rows).toEqual([{ n: '2' }]);
    await seal();
    expect(await verify([head])).toMatchObject({ problem: undefined, sealed: 9, retired: 2 });
  });

  it('hide no entry that was deleted before', async () => {
    await partition('2023-06', '2023-07');
    const gone = await write(app, { created_at: '2023-06-02T12:00:00Z' });
    await write(app, { created_at: '2023-06-03T12:00:00Z' });
    await seal();
    await tamper('DELETE FROM audit_log WHERE id = $1', [gone]);
    await owner.query("SELECT retire_audit_month('2023-06-01')");
    expect((await verify()).problem).toBe(
      '2 entries of the archived month 2023-06 have seals, 1 were archived',
    );
  });

  it('are not dropped early', async () => {
    await expect(owner.query('SELECT retire_audit_month(now()::date)')).rejects.toThrow('kept for 24 months');
  });
});

describe('npm run audit:verify', () => {
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'scripts', 'audit-verify.ts'), ...args],
      { env: { ...process.env, DATABASE_OWNER_URL: urls.owner }, encoding: 'utf8' },
    );
    return { status, stdout, stderr };
  };

  it('prints the head, and exits with 1 naming the first broken entry', async () => {
    const good = run();
    expect(good).toMatchObject({ status: 0, stderr: '' });
    expect(good.stdout).toContain('holds: 6 entries sealed');
    expect(good.stdout).toContain(`--anchor: 6:${head.hash}`);
    expect(run('--anchor', `6:${head.hash}`).status).toBe(0);
    expect(run('--anchor', `6:${'0'.repeat(64)}`)).toMatchObject({ status: 1 });
    await tamper("UPDATE audit_log SET action = 'test.other' WHERE id = ANY($1)", [[ids[3], ids[1]]]);
    const bad = run();
    expect(bad.status).toBe(1);
    expect(bad.stderr).toContain(`entry ${ids[1]} (seal 2) was changed`);
  });

  it.each([['--anchor'], ['--anchor', '1'], ['--anchor', '0:aa'], ['--anker', '1:aa'], ['now']])(
    'refuses %j %j',
    (...args) => {
      expect(run(...args)).toMatchObject({ status: 2, stdout: '' });
    },
  );
});
