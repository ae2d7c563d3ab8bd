import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { loadEnvironment } from './lib/environment.ts';
import { runScript } from './lib/run-script.ts';

const usage = `Usage: npm run admin:grant -- <username> [--force]
Makes an active account an administrator, by the owner's connection (DATABASE_OWNER_URL). For the first one: with an
administrator there already it refuses, since two administrators make a third through the API, unless --force is given.`;

export interface Granted {
  readonly username: string;
  readonly hasSecondFactor: boolean;
}

/**
 * Makes an account an administrator: role, epoch, keys, events and audit entry in one transaction, as the API does it.
 * @throws Error with a sentence that says what stands in the way.
 */
export async function grantAdmin(client: pg.Client, username: string, force: boolean): Promise<Granted> {
  await client.query('BEGIN');
  try {
    await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('administration', 0))`);
    const { rows: admins } = await client.query<{ username: string }>(
      `SELECT username FROM users WHERE roles <> '{user}' AND 'admin' = ANY (roles) AND status = 'active' LIMIT 1`,
    );
    const { rows: found } = await client.query<{ id: string; status: string; roles: string[] }>(
      'SELECT id, status, array_to_json(roles) AS roles FROM users WHERE username_key = lower($1) FOR NO KEY UPDATE',
      [username],
    );
    const [user] = found;
    if (user === undefined) throw new Error(`There is no account named ${username}.`);
    if (user.roles.includes('admin')) throw new Error(`${username} is an administrator already.`);
    if (user.status !== 'active') throw new Error(`The account of ${username} is ${user.status}.`);
    if (admins.length > 0 && !force)
      throw new Error(
        `There are administrators already: have one propose ${username} and another approve, or repeat with --force.`,
      );
    await write(client, user.id, admins.length > 0);
    const { rows: factors } = await client.query(
      `SELECT FROM totp_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL
       UNION ALL SELECT FROM passkeys WHERE user_id = $1`,
      [user.id],
    );
    await client.query('COMMIT');
    return { username, hasSecondFactor: factors.length > 0 };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

async function write(client: pg.Client, userId: string, forced: boolean): Promise<void> {
  const now = new Date().toISOString();
  const { rows } = await client.query<{ epoch: number }>(
    `UPDATE users SET roles = array_append(roles, 'admin'), token_epoch = token_epoch + 1 WHERE id = $1
     RETURNING token_epoch AS epoch`,
    [userId],
  );
  await client.query(
    `UPDATE api_keys SET revoked_at = $2, revoked_reason = 'roles_changed'
     WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2`,
    [userId, now],
  );
  const events: [string, object][] = [
    [
      'user.access_ended',
      { user_id: userId, session_ids: [], epoch: rows[0]?.epoch, reason: 'roles_changed', ended_at: now },
    ],
    [
      'account.security_notice',
      {
        user_id: userId,
        notice: 'roles_changed',
        detail: { role: 'admin', change: 'granted' },
        email: null,
        occurred_at: now,
      },
    ],
  ];
  for (const [type, payload] of events)
    await client.query('INSERT INTO outbox (id, type, payload) VALUES ($1, $2, $3)', [
      randomUUID(),
      type,
      JSON.stringify(payload),
    ]);
  await client.query(
    `INSERT INTO audit_log (id, actor_kind, actor_id, action, target_kind, target_id, outcome, detail)
     VALUES ($1, 'system', 'admin:grant', 'admin.role_granted', 'user', $2, 'success', $3)`,
    [randomUUID(), userId, JSON.stringify({ role: 'admin', forced })],
  );
}

if (import.meta.main) {
  const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
  const [username, ...rest] = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
  const { DATABASE_OWNER_URL: connectionString } = loadEnvironment();
  if (username === undefined || rest.length > 0 || options.some((option) => option !== '--force')) {
    console.error(usage);
    process.exit(2);
  }
  if (connectionString === undefined) {
    console.error('DATABASE_OWNER_URL is not set; locally, npm start writes it.');
    process.exit(2);
  }
  await runScript(async () => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      const granted = await grantAdmin(client, username, options.length > 0);
      console.log(`${granted.username} is an administrator.`);
      if (!granted.hasSecondFactor)
        console.log('The account needs a second factor before it can administer: POST /v1/me/factors/totp.');
    } finally {
      await client.end();
    }
  });
}
