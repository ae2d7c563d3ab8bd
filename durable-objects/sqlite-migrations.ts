/**
 * Brings an object's SQLite to the newest schema. Runs in the constructor, so it is synchronous and cheap when there is
 * nothing to do. `migrations` is append-only: entry n is version n + 1, each applied once, all or nothing.
 */
export function migrate(storage: DurableObjectStorage, migrations: readonly string[]): void {
  const { sql } = storage;
  sql.exec('CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY) WITHOUT ROWID');
  const applied = Number(
    sql.exec('SELECT coalesce(max(version), 0) AS version FROM schema_migrations').one().version,
  );
  if (applied >= migrations.length) return;
  storage.transactionSync(() => {
    for (const [index, statements] of migrations.entries()) {
      if (index < applied) continue;
      sql.exec(statements);
      sql.exec('INSERT INTO schema_migrations (version) VALUES (?)', index + 1);
    }
  });
}
