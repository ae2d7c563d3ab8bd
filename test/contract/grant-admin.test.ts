import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PostgresHandle, provision, startPostgres } from '../../local-cloud/postgres/index.ts';
import { grantAdmin } from '../../scripts/grant-admin.ts';
import { migrateUp } from '../../scripts/lib/migrations.ts';

const root = join(import.meta.dirname, '..', '..');
let stateDir: string;
let postgres: PostgresHandle;
let owner: pg.Client;
let other: pg.Client;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'social-flow-grant-'));
  postgres = await startPostgres({ dataDir: stateDir, port: 0, durable: false });
  const { primary } = await provision(postgres, {
    passwords: { owner: 'owner', app: 'app', replica: 'replica' },
  });
  await migrateUp({ connectionString: primary.owner, directory: join(root, 'migrations') });
  owner = new pg.Client({ connectionString: primary.owner });
  other = new pg.Client({ connectionString: primary.owner });
  await owner.connect();
  await other.connect();
});

afterAll(async () => {
  await owner.end();
  await other.end();
  await postgres.stop({ removeData: true });
  await rm(stateDir, { recursive: true, force: true });
});

const addUser = async (username: string, status = 'active'): Promise<string> => {
  const id = randomUUID();
  await owner.query(
    `INSERT INTO users (id, username, email, display_name, status) VALUES ($1, $2::text, $2::text || '@example.com', $2::text, $3)`,
    [id, username, status],
  );
  return id;
};

const rolesOf = async (id: string): Promise<{ roles: string[]; epoch: number }> =>
  (
    await owner.query('SELECT array_to_json(roles) AS roles, token_epoch AS epoch FROM users WHERE id = $1', [
      id,
    ])
  ).rows[0];

describe('admin:grant', () => {
  it('refuses accounts that are not there or not active, and changes nothing', async () => {
    const closed = await addUser('closed', 'deactivated');
    await expect(grantAdmin(owner, 'nobody', false)).rejects.toThrow('no account');
    await expect(grantAdmin(owner, 'closed', true)).rejects.toThrow('deactivated');
    expect(await rolesOf(closed)).toEqual({ roles: ['user'], epoch: 0 });
  });

  it('makes the first administrator, audited and told, of two runs at once one', async () => {
    const [ada, bob] = [await addUser('Ada'), await addUser('bob')];
    const runs = await Promise.allSettled([grantAdmin(owner, 'ada', false), grantAdmin(other, 'bob', false)]);
    expect(runs.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const states = [await rolesOf(ada), await rolesOf(bob)];
    expect(states.filter(({ roles }) => roles.includes('admin'))).toEqual([
      { roles: ['user', 'admin'], epoch: 1 },
    ]);
    const { rows: audit } = await owner.query(
      'SELECT actor_kind, actor_id, action, outcome, detail FROM audit_log WHERE target_id = ANY ($1)',
      [[ada, bob]],
    );
    expect(audit).toEqual([
      {
        actor_kind: 'system',
        actor_id: 'admin:grant',
        action: 'admin.role_granted',
        outcome: 'success',
        detail: { role: 'admin', forced: false },
      },
    ]);
    const { rows: events } = await owner.query('SELECT type, payload FROM outbox ORDER BY type');
    expect(events).toMatchObject([
      { type: 'account.security_notice', payload: { notice: 'roles_changed' } },
      { type: 'user.access_ended', payload: { epoch: 1, session_ids: [], reason: 'roles_changed' } },
    ]);
  });

  it('makes another only by force, and nobody twice', async () => {
    const cleo = await addUser('cleo');
    await expect(grantAdmin(owner, 'cleo', false)).rejects.toThrow('--force');
    expect(await rolesOf(cleo)).toMatchObject({ roles: ['user'] });
    expect(await grantAdmin(owner, 'cleo', true)).toEqual({ username: 'cleo', hasSecondFactor: false });
    await expect(grantAdmin(owner, 'cleo', true)).rejects.toThrow('already');
    expect(await rolesOf(cleo)).toEqual({ roles: ['user', 'admin'], epoch: 1 });
  });
});
