import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { servicesOf } from '../../../src/context.ts';
import { slotOf } from '../../../src/db/slots.ts';
import { systemContext } from '../../../src/jobs/system-context.ts';
import { trimTimelines } from '../../../src/modules/feeds/index.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { entriesOf, shardIndexOf } from './timelines.ts';

Object.assign(env, { FEED_TIMELINE_MAX_ENTRIES: '50' });

const fill = async (owner: TestUser, count: number): Promise<string[]> => {
  const rows = await sqlRows<{ post_id: string }>(
    `INSERT INTO timeline_entries (owner_id, post_id, slot, author_id)
     SELECT $1, gen_random_uuid(), $2, $3 FROM generate_series(1, $4::integer) RETURNING post_id`,
    [owner.uuid, slotOf(owner.uuid), randomIds.next(), count],
    shardIndexOf(owner),
  );
  return rows.map((row) => row.post_id).sort((a, b) => (a < b ? 1 : -1));
};

it('trimming keeps the newest entries of every timeline on every shard, and touches no shorter one', async () => {
  const owners = await Promise.all(Array.from({ length: 12 }, () => seedUser()));
  expect(new Set(owners.map(shardIndexOf)).size).toBe(2);
  const sizes = [0, 1, 49, 50, 51, 120, 300, 7_000, 50, 51, 200, 3];
  const filled = new Map<TestUser, string[]>();
  for (const [index, owner] of owners.entries()) filled.set(owner, await fill(owner, sizes[index] ?? 0));

  const ctx = systemContext(servicesOf(testEnv(env)), { job: 'test' });
  const excess = sizes.reduce((sum, size) => sum + Math.max(size - 50, 0), 0);
  expect(await trimTimelines(ctx)).toBe(excess);
  for (const [owner, ids] of filled) expect(await entriesOf(owner)).toEqual(ids.slice(0, 50));
  expect(await trimTimelines(ctx)).toBe(0);
});
