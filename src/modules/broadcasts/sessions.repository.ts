import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

export interface SessionRow {
  readonly sessionId: string;
  readonly channelArn: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly failureCode: string | null;
}

const maxSessions = 200;

/** The broadcasts of an owner's stream, newest first; undefined when they have no such stream. */
export async function listSessions(
  db: Db,
  streamId: string,
  ownerId: string,
): Promise<SessionRow[] | undefined> {
  const result = await db.execute(sql`
    SELECT session.session_id AS "sessionId", session.channel_arn AS "channelArn",
      ${utc(sql`session.started_at`)} AS "startedAt", ${utc(sql`session.ended_at`)} AS "endedAt",
      session.failure_code AS "failureCode"
    FROM streams AS stream LEFT JOIN stream_sessions AS session ON session.stream_id = stream.id
    WHERE stream.id = ${streamId}::uuid AND stream.owner_id = ${ownerId}::uuid
    ORDER BY session.started_at DESC LIMIT ${maxSessions}`);
  const rows = result.rows as unknown as (SessionRow | { readonly sessionId: null })[];
  return rows.length === 0 ? undefined : rows.filter((row): row is SessionRow => row.sessionId !== null);
}
