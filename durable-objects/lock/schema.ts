// One row. The token outlives every holder: a fencing token that could repeat would fence nothing.
export const lockMigrations: readonly string[] = [
  `CREATE TABLE lock (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     fencing_token INTEGER NOT NULL,
     owner TEXT,
     expires_at_ms INTEGER NOT NULL
   );
   INSERT INTO lock (id, fencing_token, owner, expires_at_ms) VALUES (1, 0, NULL, 0);`,
];
