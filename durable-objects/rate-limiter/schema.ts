// One row for each key and window. Quota and period are part of the identity: a changed policy starts anew instead of
// reading ticks of another length.
export const rateLimiterMigrations: readonly string[] = [
  `CREATE TABLE arrivals (
     key TEXT NOT NULL,
     quota INTEGER NOT NULL,
     period_seconds INTEGER NOT NULL,
     tat_ticks INTEGER NOT NULL,
     full_at_ms INTEGER NOT NULL,
     PRIMARY KEY (key, quota, period_seconds)
   ) WITHOUT ROWID;
   CREATE INDEX arrivals_full_at ON arrivals (full_at_ms);`,
  // Strict windows: the limit is no part of the identity, since what was taken counts against any limit.
  `CREATE TABLE takes (
     key TEXT NOT NULL,
     period_seconds INTEGER NOT NULL,
     at_ms INTEGER NOT NULL,
     units INTEGER NOT NULL,
     out_at_ms INTEGER NOT NULL,
     PRIMARY KEY (key, period_seconds, at_ms)
   ) WITHOUT ROWID;
   CREATE INDEX takes_out_at ON takes (out_at_ms);`,
];
