import { sqlRows } from '../../../support/worker/client.ts';

// What is written about a refused request, or about the use of a key that was refused, is no effect of it.
const logs = /^(audit_|processed_events$)/;
// Chat rooms write these a second or ten after what was said or done in them, so that a test before may be the cause.
const later = /^(chat_(messages|actions|open_rooms)|stream_(tallies|minutes|chatters|audiences|viewers))$/;
const notes = ['last_used_at', 'last_used_network', 'last_used_country'];

let statement: string | undefined;

async function statementOf(): Promise<string> {
  const tables = await sqlRows<{ name: string }>(
    `SELECT class.relname AS name FROM pg_class AS class
     WHERE class.relnamespace = 'public'::regnamespace AND class.relkind IN ('r', 'p') AND NOT class.relispartition
       AND has_table_privilege(class.oid, 'SELECT') ORDER BY 1`,
  );
  return tables
    .filter(({ name }) => !logs.test(name) && !later.test(name))
    .map(
      ({ name }) =>
        `SELECT '${name}' AS name, count(*)::int AS rows,
           coalesce(sum(hashtextextended((to_jsonb(t) - '{${notes.join(',')}}'::text[])::text, 0)), 0)::text AS content
         FROM "${name}" AS t`,
    )
    .join(' UNION ALL ');
}

/** What every table but the logs holds: equal before and after a request that changed nothing. */
export async function contentOfTables(): Promise<Record<string, string>> {
  statement ??= await statementOf();
  const rows = await sqlRows<{ name: string; rows: number; content: string }>(statement);
  return Object.fromEntries(rows.map(({ name, rows: count, content }) => [name, `${count} rows ${content}`]));
}
