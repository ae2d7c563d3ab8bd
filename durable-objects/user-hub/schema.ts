// AUTOINCREMENT: a sequence number is never given out twice, even after every event was pruned.
export const userHubMigrations: readonly string[] = [
  `CREATE TABLE events (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     event_id TEXT NOT NULL UNIQUE,
     type TEXT NOT NULL,
     data TEXT NOT NULL,
     stored_at_ms INTEGER NOT NULL
   );
   CREATE INDEX events_stored_at ON events (stored_at_ms);`,
  `CREATE TABLE tickets (
     hash TEXT NOT NULL UNIQUE,
     purpose TEXT NOT NULL,
     holder TEXT NOT NULL,
     expires_at_ms INTEGER NOT NULL
   );`,
];
