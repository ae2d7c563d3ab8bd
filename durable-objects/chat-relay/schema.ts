export const chatRelayMigrations: readonly string[] = [
  `CREATE TABLE relay (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     place TEXT NOT NULL,
     last INTEGER
   );`,
];
