export const chatRelayMigrations: readonly string[] = [
  `CREATE TABLE relay (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     place TEXT NOT NULL,
     last INTEGER
   );`,
  // `visits` holds who is there, and who has gone until the database knows; nothing else.
  `CREATE TABLE presence (id INTEGER PRIMARY KEY CHECK (id = 1), counts TEXT NOT NULL);
   CREATE TABLE visits (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     user_id TEXT,
     from_ms INTEGER NOT NULL,
     to_ms INTEGER,
     told_ms INTEGER
   );`,
  // How far those have come who do not keep order; null: as far as all.
  'ALTER TABLE relay ADD COLUMN shown INTEGER;',
];
