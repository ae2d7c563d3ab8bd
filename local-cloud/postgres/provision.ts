import pg from 'pg';
import { connectionString } from './connection.ts';

/** The roles every database has: the owner of schemas, the application, and a stand-in for a read replica. */
export const ROLES = {
  owner: 'social_flow_owner',
  app: 'social_flow_app',
  replica: 'social_flow_replica',
} as const;

export type RolePasswords = { owner: string; app: string; replica: string };
export type DatabaseUrls = { owner: string; app: string; replica: string };
export type Provisioned = { primary: DatabaseUrls; shards: DatabaseUrls[] };

const PRIMARY = 'social_flow';
const SHARDS = ['social_flow_shard_0', 'social_flow_shard_1'];

type Server = { host: string; port: number; superuserUrl: string };

/**
 * Creates or brings up to date the roles, the primary database and the shard databases. Idempotent; passwords are set to the
 * given ones each time. Tables the owner creates later are usable by the other roles without further grants.
 */
export async function provision(server: Server, options: { passwords: RolePasswords }): Promise<Provisioned> {
  const { passwords } = options;
  await withClient(server.superuserUrl, async (client) => {
    for (const kind of ['owner', 'app', 'replica'] as const)
      await ensureRole(client, ROLES[kind], passwords[kind]);
    await client.query(`ALTER ROLE ${ROLES.replica} SET default_transaction_read_only = on`);
    for (const database of [PRIMARY, ...SHARDS]) await ensureDatabase(client, database);
  });
  for (const database of [PRIMARY, ...SHARDS]) {
    await withClient(superuserUrlFor(server.superuserUrl, database), (client) =>
      grantDatabase(client, database),
    );
  }
  return {
    primary: databaseUrls(server, PRIMARY, passwords),
    shards: SHARDS.map((database) => databaseUrls(server, database, passwords)),
  };
}

/** Connection strings of the three roles for one database. */
export function databaseUrls(
  server: { host: string; port: number },
  database: string,
  passwords: RolePasswords,
): DatabaseUrls {
  const { host, port } = server;
  const urlFor = (kind: keyof RolePasswords): string =>
    connectionString({ host, port, user: ROLES[kind], password: passwords[kind], database });
  return { owner: urlFor('owner'), app: urlFor('app'), replica: urlFor('replica') };
}

/** The superuser's URL with another database in it. */
export function superuserUrlFor(superuserUrl: string, database: string): string {
  const url = new URL(superuserUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.href;
}

/** Runs `use` with a connected client that is always closed afterwards. */
export async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, ssl: false });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Creates the roles, or sets their passwords and attributes. `client` is the superuser's. */
export async function ensureRoles(client: pg.Client, passwords: RolePasswords): Promise<void> {
  for (const kind of ['owner', 'app', 'replica'] as const)
    await ensureRole(client, ROLES[kind], passwords[kind]);
  await client.query(`ALTER ROLE ${ROLES.replica} SET default_transaction_read_only = on`);
}

async function ensureRole(client: pg.Client, role: string, password: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
  const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
  await client.query(
    `${verb} ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
     PASSWORD ${client.escapeLiteral(password)}`,
  );
}

async function ensureDatabase(client: pg.Client, database: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
  if (rowCount !== 0) return;
  await client.query(
    `CREATE DATABASE ${client.escapeIdentifier(database)} OWNER ${ROLES.owner} TEMPLATE template0`,
  );
}

/** Grants the roles their rights on the database `client` is connected to, for existing and future objects. Idempotent. */
export async function grantDatabase(client: pg.Client, database: string): Promise<void> {
  const { owner, app, replica } = ROLES;
  const name = client.escapeIdentifier(database);
  await client.query(`
    ALTER DATABASE ${name} OWNER TO ${owner};
    REVOKE ALL ON DATABASE ${name} FROM PUBLIC;
    GRANT CONNECT ON DATABASE ${name} TO ${app}, ${replica};
    GRANT USAGE ON SCHEMA public TO ${app}, ${replica};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${app};
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${replica};
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO ${app};
    ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} GRANT USAGE ON SCHEMAS TO ${app}, ${replica};
    ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${app};
    ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} GRANT SELECT ON TABLES TO ${replica};
    ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} GRANT USAGE, SELECT ON SEQUENCES TO ${app};
  `);
  // The grants above would open the audit log, which is append-only, again.
  await client.query(`
    DO $$ BEGIN
      IF to_regprocedure('protect_audit_log()') IS NOT NULL THEN PERFORM protect_audit_log(); END IF;
    END $$`);
}
