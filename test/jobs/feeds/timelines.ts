import { env } from 'cloudflare:workers';
import { inject } from 'vitest';
import { slotOf } from '../../../src/db/slots.ts';
import { sqlRows, type TestUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import type { Fault } from '../../support/worker/faults.ts';

/** The shard that holds a user's timeline. */
export const shardIndexOf = (owner: TestUser): number => (slotOf(owner.uuid) < 240 ? 0 : 1);

/** Post ids in a user's timeline, newest first. Home feeds filter what they show; this is what is stored. */
export const entriesOf = async (owner: TestUser): Promise<string[]> => {
  const rows = await sqlRows<{ post_id: string }>(
    'SELECT post_id FROM timeline_entries WHERE owner_id = $1 ORDER BY post_id DESC',
    [owner.uuid],
    shardIndexOf(owner),
  );
  return rows.map((row) => row.post_id);
};

/** Makes a shard of this test file fail, at the bridge. */
export async function breakShard(index: number, fault: Fault): Promise<void> {
  const url = String(testEnv(env).DATABASE_SHARD_URLS).split(',')[index] ?? '';
  const response = await fetch(`${inject('neonBridgeUrl')}/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...fault, database: new URL(url).pathname.slice(1) }),
  });
  if (!response.ok) throw new Error(`the bridge refused the fault: ${await response.text()}`);
}
