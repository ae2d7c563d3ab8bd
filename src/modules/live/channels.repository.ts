import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';

/** Takes the channel of a user away from them for good, to be deleted at IVS. */
export async function retireLiveChannel(db: Db, ownerId: string): Promise<void> {
  await db.execute(sql`
    UPDATE live_channels SET owner_id = NULL, retired_at = now(), key_arn = NULL, key_fingerprint = NULL, key_made_at = NULL,
      updated_at = now()
    WHERE owner_id = ${ownerId}::uuid`);
}
