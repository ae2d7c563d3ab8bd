import { sql } from 'drizzle-orm';
import type { Db } from './client.ts';
import { deadLetters } from './outbox.table.ts';

export async function insertDeadLetter(
  db: Db,
  letter: { id: string; queue: string; body: unknown },
): Promise<void> {
  await db.insert(deadLetters).values({ ...letter, body: letter.body ?? sql`'null'::jsonb` });
}
