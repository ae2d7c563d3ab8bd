import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';

export interface ChatProfile {
  /** `#rrggbb`; null lets clients choose. */
  readonly color: string | null;
}

export async function findChatProfile(db: Db, userId: string): Promise<ChatProfile> {
  const result = await db.execute(sql`SELECT color FROM chat_profiles WHERE user_id = ${userId}::uuid`);
  return (result.rows[0] as unknown as ChatProfile | undefined) ?? { color: null };
}

export async function saveChatProfile(db: Db, userId: string, { color }: ChatProfile): Promise<void> {
  await db.execute(sql`
    INSERT INTO chat_profiles (user_id, color) VALUES (${userId}::uuid, ${color})
    ON CONFLICT (user_id) DO UPDATE SET color = excluded.color, updated_at = now()`);
}
