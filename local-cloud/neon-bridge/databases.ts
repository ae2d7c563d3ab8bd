import { randomBytes } from 'node:crypto';
import {
  type DatabaseUrls,
  databaseUrls,
  ROLES,
  type RolePasswords,
  withClient,
} from '../postgres/provision.ts';

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
};

/** Every database made here starts so; only such databases can be dropped through the bridge. */
export const TEST_DATABASE_PREFIX = 'test_';

/** Copies and drops databases for tests, one at a time: Postgres locks the template while it copies. */
export function createTestDatabases(
  source: CloneSource,
  postgres: { host: string; port: number },
): TestDatabases {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work, work);
    last = result.catch(() => undefined);
    return result;
  };
  return {
    clone: (template) =>
      inTurn(async () => {
        const name = `${TEST_DATABASE_PREFIX}${template}_${randomBytes(6).toString('hex')}`;
        await withClient(source.superuserUrl, async (client) => {
          await client.query(
            `CREATE DATABASE ${name} OWNER ${ROLES.owner} TEMPLATE ${client.escapeIdentifier(source.templates[template])}
             STRATEGY WAL_LOG`,
          );
          // A copy takes the template's contents but not the rights on the database itself.
          await client.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
          await client.query(`GRANT CONNECT ON DATABASE ${name} TO ${ROLES.app}, ${ROLES.replica}`);
        });
        return { name, ...databaseUrls(postgres, name, source.passwords) };
      }),
    drop: (name) =>
      inTurn(async () => {
        if (!/^test_(primary|shard)_[0-9a-f]{12}$/.test(name)) return false;
        return await withClient(source.superuserUrl, async (client) => {
          const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
          if (rowCount === 0) return false;
          await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
          return true;
        });
      }),
  };
}
