export { connectionString } from './connection.ts';
export { DataDirectoryInUseError } from './lock.ts';
export {
  type DatabaseUrls,
  grantDatabase,
  type Provisioned,
  provision,
  ROLES,
  type RolePasswords,
} from './provision.ts';
export {
  type PostgresHandle,
  removePostgresData,
  type StartPostgresOptions,
  startPostgres,
} from './start.ts';
