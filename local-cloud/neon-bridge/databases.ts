import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { type DatabaseUrls, databaseUrls, ROLES, type RolePasswords } from '../postgres/index.ts';

/** A database made by migrations and never connected to again, from which test databases are copied. */
export type Template = 'primary' | 'shard';

export type CloneSource = {
  superuserUrl: string;
  passwords: RolePasswords;
  /** Names of the template databases. */
  templates: Record<Template, string>;
};

export type TestDatabase = { name: string } & DatabaseUrls;

export type TestDatabases = {
  clone(template: Template): Promise<TestDatabase>;
  /** False when no such test database exists. */
  drop(name: string): Promise<boolean>;
  close(): Promise<void>;
};

/** Every database made here starts so; only such databases can be dropped through the bridge. */
export const TEST_DATABASE_PREFIX = 'test_';

/** How many copies are kept ready: what one test file asks for, so that it waits while nobody else does. */
const SPARES: Record<Template, number> = { primary: 1, shard: 2 };

/** Copies and drops databases for tests, one at a time: Postgres locks the template while it copies. */
export function createTestDatabases(
  source: CloneSource,
  postgres: { host: string; port: number },
): TestDatabases {
  // Dropping has a connection of its own, so that it need not wait for the copies that are made ahead.
  const copying = createAdmin(source.superuserUrl);
  const dropping = createAdmin(source.superuserUrl);

  const copy = (template: Template): Promise<TestDatabase> =>
    copying.use(async (client) => {
      const name = `${TEST_DATABASE_PREFIX}${template}_${randomBytes(6).toString('hex')}`;
      await client.query(
        `CREATE DATABASE ${name} OWNER ${ROLES.owner}
         TEMPLATE ${client.escapeIdentifier(source.templates[template])} STRATEGY WAL_LOG`,
      );
      // A copy takes the template's contents but not the rights on the database itself.
      await client.query(
        `REVOKE ALL ON DATABASE ${name} FROM PUBLIC; GRANT CONNECT ON DATABASE ${name} TO ${ROLES.app}, ${ROLES.replica}`,
      );
      return { name, ...databaseUrls(postgres, name, source.passwords) };
    });

  const spares: Record<Template, Promise<TestDatabase>[]> = { primary: [], shard: [] };
  const refill = (template: Template): void => {
    while (spares[template].length < SPARES[template]) {
      const spare = copy(template);
      spare.catch(() => undefined);
      spares[template].push(spare);
    }
  };
  refill('primary');
  refill('shard');

  return {
    clone: async (template) => {
      const spare = spares[template].shift();
      refill(template);
      return (await spare?.catch(() => undefined)) ?? copy(template);
    },
    drop: async (name) => {
      if (!/^test_(primary|shard)_[0-9a-f]{12}$/.test(name)) return false;
      return dropping.use(async (client) => {
        const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
        if (rowCount === 0) return false;
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
        return true;
      });
    },
    close: async () => {
      await Promise.all([copying.close(), dropping.close()]);
    },
  };
}

type Admin = {
  /** Runs `work` after all work given before. */
  use<T>(work: (client: pg.Client) => Promise<T>): Promise<T>;
  /** Waits for the work that is running and refuses the rest. */
  close(): Promise<void>;
};

/** One superuser connection, opened when first needed and again after it broke. */
function createAdmin(url: string): Admin {
  let current: pg.Client | null = null;
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();

  const open = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url, ssl: false });
    const forget = (): void => {
      if (current === client) current = null;
    };
    client.on('error', forget);
    client.on('end', forget);
    await client.connect();
    current = client;
    return client;
  };

  return {
    use: (work) => {
      const result = last.then(async () => {
        if (closed) throw new Error('the bridge is closed');
        return work(current ?? (await open()));
      });
      last = result.catch(() => undefined);
      return result;
    },
    close: async () => {
      closed = true;
      await last;
      await current?.end().catch(() => undefined);
    },
  };
}
