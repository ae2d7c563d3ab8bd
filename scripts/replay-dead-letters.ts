import pg from 'pg';
import { loadEnvironment } from './lib/environment.ts';
import { runScript } from './lib/run-script.ts';

// Puts messages that ran out of retries back into the outbox, once their cause is mended. Handlers are idempotent, so a
// message that had its effect after all does no harm. What is no message of ours stays for a person to look at.
const { DATABASE_OWNER_URL: connectionString } = loadEnvironment();
if (connectionString === undefined) {
  console.error('DATABASE_OWNER_URL is not set; locally, npm start writes it.');
  process.exit(2);
}
await runScript(async () => {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<{ replayed: number; left: number }>(`
      WITH replayable AS (
        DELETE FROM dead_letters
        WHERE body ->> 'id' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' AND jsonb_typeof(body -> 'type') = 'string' AND jsonb_typeof(body -> 'data') = 'object'
        RETURNING (body ->> 'id')::uuid AS id, body ->> 'type' AS type, body -> 'data' AS payload, body ->> 'traceparent' AS traceparent
      ), replayed AS (
        INSERT INTO outbox (id, type, payload, traceparent) SELECT DISTINCT ON (id) id, type, payload, traceparent FROM replayable
        ON CONFLICT (id) DO NOTHING RETURNING id
      )
      SELECT (SELECT count(*)::int FROM replayed) AS replayed,
             (SELECT count(*)::int FROM dead_letters) - (SELECT count(*)::int FROM replayable) AS left`);
    console.log(
      `${rows[0]?.replayed} messages go out with the next sweep, within a minute; ${rows[0]?.left} are not messages and stay.`,
    );
  } finally {
    await client.end();
  }
});
