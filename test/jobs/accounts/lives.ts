import { env } from 'cloudflare:workers';
import { inject, vi } from 'vitest';
import { type RequestContext, servicesOf } from '../../../src/context.ts';
import { sweepOutbox } from '../../../src/jobs/publish.ts';
import { systemContext } from '../../../src/jobs/system-context.ts';
import { eraseDueAccounts, remindOfDeletions, sweepExports } from '../../../src/modules/accounts/index.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { seedStaff } from '../../api/admin/staff.ts';
import { createKey } from '../../api/api-keys/keys.ts';
import { follow, like, post } from '../../api/posts/actions.ts';
import { callJson, seedUser, signToken, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { createEndpoint } from '../../support/worker/webhooks.ts';

export const dayMs = 86_400_000;

export const contextAt = (nowMs: number): RequestContext => ({
  ...systemContext(servicesOf(testEnv(env)), { job: 'test' }),
  clock: { now: () => nowMs },
});

export const eraseAt = (nowMs: number): Promise<void> => eraseDueAccounts(contextAt(nowMs));
/** Hands what background work wrote to the queues, as the cron does. */
export const publishAll = (): Promise<void> => sweepOutbox(contextAt(Date.now()));

export const sweepAt = (nowMs: number): Promise<void> => sweepExports(contextAt(nowMs));

export const remindAt = (nowMs: number): Promise<void> => remindOfDeletions(contextAt(nowMs));

/** A word no other test plants, to be searched for. */
export const freshWord = (): string => `planted${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`;

export interface Life {
  readonly user: TestUser;
  readonly friend: TestUser;
  /** Stands in everything the user ever wrote or was. */
  readonly word: string;
  /** Of the user's session. */
  readonly ip: string;
  readonly postId: string;
  readonly friendsPostId: string;
  readonly videoUuid: string;
}

/** A user who used everything there is, and a friend whose counters show it. Events wait to be delivered. */
export async function liveALife(): Promise<Life> {
  const word = freshWord();
  const seeded = await seedUser({ username: word, displayName: word });
  // The passkey below makes a second factor necessary.
  const token = await signToken({
    userUuid: seeded.uuid,
    sessionUuid: seeded.sessionUuid,
    claims: { amr: ['pwd', 'otp'] },
  });
  const user = { ...seeded, token };
  const friend = await seedUser();
  const { uuid } = user;
  const ip = `2001:db8::${word.slice(-4).replace(/^0/, 'a')}`;
  const { endpoint } = await createEndpoint(user, {
    url: `https://${word}.example.com/`,
    description: `hook of ${word}`,
  });
  await callJson(200, 'PATCH', `/v1/me/webhook-endpoints/${endpoint.id}`, {
    token: user.token,
    body: { enabled: false },
  });
  await callJson(200, 'PATCH', '/v1/me', {
    token: user.token,
    body: { bio: `I am ${word}`, website: `https://${word}.example/` },
  });
  const { id: postId } = await post(user, `words of ${word}`);
  const { id: friendsPostId } = await post(friend, 'words of a friend');
  await follow(user, friend);
  await follow(friend, user);
  await like(user, friendsPostId);
  await like(friend, postId);
  const stranger = await seedUser();
  await callJson(200, 'PUT', `/v1/users/${stranger.id}/block`, { token: user.token });
  await createKey(user, ['profile:read'], { name: word, networks: [ip] });
  const { token: staff } = await seedStaff('moderator');
  await callJson(200, 'POST', '/v1/admin/users/search', { token: staff, body: { username: word } });
  await sqlRows(
    `INSERT INTO identities (id, user_id, provider, subject, email, created_at)
     VALUES (gen_random_uuid(), $1, 'github', $2, $2 || '@example.com', now())`,
    [uuid, word],
  );
  const videoUuid = randomIds.next();
  await sqlRows(
    `INSERT INTO videos (id, owner_id, title, description, state, failure_code, failure_message, source_key)
     VALUES ($1, $2, $3, $3, 'failed', 'x', 'x', $4)`,
    [videoUuid, uuid, word, `originals/${videoUuid}/film.mp4`],
  );
  await sqlRows(
    `INSERT INTO uploads (id, video_id, owner_id, state, file_name, content_type, size_bytes, part_size_bytes, part_count,
       object_key, expires_at)
     VALUES ($1, $2, $3, 'completed', $4, 'video/mp4', 5, 5242880, 1, $5, now())`,
    [randomIds.next(), videoUuid, uuid, `${word}.mp4`, `originals/${videoUuid}/film.mp4`],
  );
  await sqlRows(`UPDATE sessions SET user_agent = $2, device_name = $2, ip = $3::inet WHERE user_id = $1`, [
    uuid,
    word,
    ip,
  ]);
  await sqlRows(
    `INSERT INTO username_changes (id, user_id, old_username, new_username, changed_at)
     VALUES (gen_random_uuid(), $1, $2, $2, now())`,
    [uuid, word.slice(0, 30)],
  );
  await sqlRows(
    `INSERT INTO passkeys (id, user_id, credential_id, public_key, sign_count, transports, backup_eligible, backed_up, aaguid, name, created_at)
     VALUES (gen_random_uuid(), $1, convert_to($2, 'UTF8'), convert_to($2, 'UTF8'), 0, '{}', false, false, gen_random_uuid(), $2, now())`,
    [uuid, word],
  );
  await sqlRows(
    `INSERT INTO login_networks (user_id, network_hash, last_login_at) VALUES ($1, decode(md5($2), 'hex'), now())`,
    [uuid, word],
  );
  await sqlRows(
    `INSERT INTO dead_letters (id, queue, body) VALUES (gen_random_uuid(), 'q', jsonb_build_object('user_id', $1::text, 'x', $2::text))`,
    [uuid, word],
  );
  await sqlRows(
    'INSERT INTO timeline_entries (owner_id, post_id, slot, author_id) VALUES ($1, $2, 0, $3)',
    [uuid, randomIds.next(), friend.uuid],
    await shardOf(uuid),
  );
  return { user, friend, word, ip, postId, friendsPostId, videoUuid };
}

async function shardOf(uuid: string): Promise<number> {
  const shard = contextAt(Date.now()).databases.shardOf(uuid);
  return contextAt(Date.now())
    .databases.all.filter(({ role }) => role.startsWith('shard_'))
    .findIndex(({ db }) => db === shard);
}

/** Every row of the primary and the shards that holds one of the words, as `table`. */
export async function rowsWith(words: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const shard of [undefined, 0, 1]) {
    const tables = await sqlRows<{ name: string }>(
      `SELECT relname AS name FROM pg_class
       WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
         AND has_table_privilege(oid, 'SELECT')`,
      [],
      shard,
    );
    for (const { name } of tables)
      for (const word of words) {
        const rows = await sqlRows(
          `SELECT 1 FROM "${name}" AS t WHERE t::text ILIKE $1`,
          [`%${word}%`],
          shard,
        );
        if (rows.length > 0) found.push(`${name}: ${word}`);
      }
  }
  return found;
}

/** Lets calls to S3 fail from the `skip`th on, until the function it returns is called. */
export const breakStorage = (skip: number): (() => void) => breakService(inject('s3Url'), skip);

/** Lets calls to addresses that begin with `base` fail from the `skip`th on, until the function it returns is called. */
export function breakService(base: string, skip = 0): () => void {
  const real = globalThis.fetch;
  let calls = 0;
  const spy = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!url.startsWith(base)) return real(input, init);
    calls += 1;
    if (calls > skip) throw new TypeError('injected: connection refused');
    return real(input, init);
  });
  return () => spy.mockRestore();
}
