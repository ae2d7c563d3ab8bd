// Nothing here outlives the tokens it refuses: each row goes when the last of them has expired.
export const sessionGuardMigrations: readonly string[] = [
  `CREATE TABLE ended_sessions (session_id TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX ended_sessions_until ON ended_sessions (until_ms);
   CREATE TABLE epoch (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     value INTEGER NOT NULL,
     until_ms INTEGER NOT NULL
   );`,
];
