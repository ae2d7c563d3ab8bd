import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { callJson, seedUser, sqlRows } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { deliverEvents } from '../../support/worker/queues.ts';

it('a follow backfills nothing for those the followBackfill flag is off for, and all for others', async () => {
  const [author, without, withIt] = [await seedUser(), await seedUser(), await seedUser()];
  await testEnv(env).FLAGS.put(
    'flags',
    JSON.stringify({ followBackfill: { enabled: true, users: { [without.id]: false } } }),
  );
  await callJson(201, 'POST', '/v1/posts', { token: author.token, body: { text: 'older than the follow' } });
  await deliverEvents();
  for (const follower of [without, withIt])
    await callJson(200, 'PUT', `/v1/users/${author.id}/follow`, { token: follower.token });
  await deliverEvents();

  const owners: unknown[] = [];
  for (const shard of [0, 1])
    owners.push(
      ...(
        await sqlRows('SELECT owner_id FROM timeline_entries WHERE author_id = $1', [author.uuid], shard)
      ).map((row) => row.owner_id),
    );
  expect(owners).toEqual([withIt.uuid]);
});
