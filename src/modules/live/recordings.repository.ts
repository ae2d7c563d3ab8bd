import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';

/** The recording of a stream that is written to now. */
export interface RunningRecording {
  /** Of its keys in the bucket of recordings. */
  readonly prefix: string;
  /** RFC 3339 in UTC. */
  readonly beganAt: string;
}

export async function findRunningRecording(db: Db, streamId: string): Promise<RunningRecording | undefined> {
  const result = await db.execute(sql`
    SELECT prefix, to_char(began_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "beganAt"
    FROM stream_recordings WHERE stream_id = ${streamId}::uuid AND ended_at IS NULL ORDER BY began_at DESC LIMIT 1`);
  return result.rows[0] as RunningRecording | undefined;
}
