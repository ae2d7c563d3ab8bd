export const viewCounterMigrations: readonly string[] = [
  `CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

   -- What each session watched (state) and how much of it is in the totals (settled). A heartbeat writes this row and no other.
   CREATE TABLE sessions (
     id TEXT PRIMARY KEY,
     viewer TEXT NOT NULL,
     facts TEXT NOT NULL,
     counted INTEGER NOT NULL,
     state TEXT NOT NULL,
     settled TEXT NOT NULL,
     dirty INTEGER NOT NULL,
     claimed INTEGER NOT NULL,
     last_at_ms INTEGER NOT NULL,
     untold INTEGER NOT NULL,
     told_at_ms INTEGER NOT NULL,
     expires_at_ms INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX sessions_dirty ON sessions (id) WHERE dirty = 1;
   CREATE INDEX sessions_untold ON sessions (id) WHERE untold = 1;
   CREATE INDEX sessions_viewer ON sessions (viewer);
   CREATE INDEX sessions_expiry ON sessions (expires_at_ms);

   -- Settled, and in no batch yet.
   CREATE TABLE day_totals (day TEXT PRIMARY KEY, totals TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE minute_totals (minute INTEGER PRIMARY KEY, views INTEGER NOT NULL, watch_ms INTEGER NOT NULL);
   CREATE TABLE claims (id INTEGER PRIMARY KEY, claim TEXT NOT NULL);

   -- The batch on its way; it never changes until it has arrived.
   CREATE TABLE outgoing (seq INTEGER PRIMARY KEY, views INTEGER NOT NULL, batch TEXT NOT NULL);

   -- In the first object only: who was counted when, the viewers of each day, the made-up values of each day, the other objects.
   CREATE TABLE viewers (viewer TEXT PRIMARY KEY, viewed_at_ms INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE day_viewers (day TEXT NOT NULL, viewer TEXT NOT NULL, PRIMARY KEY (day, viewer)) WITHOUT ROWID;
   CREATE TABLE day_sketches (day TEXT PRIMARY KEY, viewers INTEGER NOT NULL, sketch BLOB NOT NULL);
   CREATE TABLE part_values (
     day TEXT NOT NULL, dimension TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (day, dimension, value)
   ) WITHOUT ROWID;
   CREATE TABLE others (
     counter_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, watching INTEGER NOT NULL, beats_per_second REAL NOT NULL,
     seen_at_ms INTEGER NOT NULL
   ) WITHOUT ROWID;`,
];
