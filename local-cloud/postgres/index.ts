export { connectionString } from './connection.ts';
export { DataDirectoryInUseError } from './lock.ts';
export {
  type DatabaseUrls,
  databaseUrls,
  ensureRoles,
  grantDatabase,
  type Provisioned,
  provision,
  ROLES,
  type RolePasswords,
  superuserUrlFor,
  withClient,
} from './provision.ts';
export {
  type PostgresHandle,
  type StartPostgresOptions,
  startPostgres,
} from './start.ts';
