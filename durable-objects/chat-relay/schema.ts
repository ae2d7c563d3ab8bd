export const chatRelayMigrations: readonly string[] = [
  `CREATE TABLE relay (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     place TEXT NOT NULL,
     last INTEGER
   );`,
  // How far those have come who do not keep order; null: as far as all.
  'ALTER TABLE relay ADD COLUMN shown INTEGER;',
];
