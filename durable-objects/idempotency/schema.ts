// `answered_at_ms` null: the request is running, or ended without an answer worth keeping.
export const idempotencyMigrations: readonly string[] = [
  `CREATE TABLE requests (
     scope TEXT PRIMARY KEY,
     fingerprint TEXT NOT NULL,
     seed TEXT NOT NULL,
     claim TEXT,
     attempts INTEGER NOT NULL,
     lease_ends_at_ms INTEGER NOT NULL,
     expires_at_ms INTEGER NOT NULL,
     answered_at_ms INTEGER,
     status INTEGER,
     headers TEXT
   ) WITHOUT ROWID;
   CREATE INDEX requests_expires_at ON requests (expires_at_ms);
   CREATE TABLE body_chunks (
     scope TEXT NOT NULL,
     position INTEGER NOT NULL,
     bytes BLOB NOT NULL,
     PRIMARY KEY (scope, position)
   );`,
];
