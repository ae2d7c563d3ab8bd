import { env } from 'cloudflare:workers';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { servicesOf } from '../../../src/context.ts';
import { videoListedFor, videoVisibleTo } from '../../../src/modules/videos/index.ts';
import { isListedFor, maySee, type VideoAccess } from '../../../src/modules/videos/policy/playback-policy.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';

const hourMs = 3_600_000;
const states = ['transcoding', 'published', 'failed'] as const;
const visibilities = ['public', 'unlisted', 'private', 'followers', 'members'] as const;
const relations = [
  'anonymous',
  'owner',
  'stranger',
  'follower',
  'member',
  'lapsed member',
  'follower who is blocked',
  'member who blocks',
] as const;
type Relation = (typeof relations)[number];

const viewers = new Map<Relation, TestUser | undefined>();
const videos = new Map<string, VideoAccess>();
const owners = new Map<string, TestUser>();

const stranger = { owner: false, blocked: false, follows: false, member: false };
const standings: Readonly<Record<Relation, typeof stranger>> = {
  anonymous: stranger,
  owner: { ...stranger, owner: true },
  stranger,
  follower: { ...stranger, follows: true },
  member: { ...stranger, member: true },
  'lapsed member': stranger,
  'follower who is blocked': { ...stranger, follows: true, blocked: true },
  'member who blocks': { ...stranger, member: true, blocked: true },
};

/** Every combination of what decides, for owners who are active and who are not. */
beforeAll(async () => {
  const nowMs = Date.now();
  for (const relation of relations)
    viewers.set(relation, relation === 'anonymous' || relation === 'owner' ? undefined : await seedUser());
  for (const status of ['active', 'suspended']) {
    const owner = await seedUser();
    owners.set(status, owner);
    await sqlRows('UPDATE users SET status = $2 WHERE id = $1', [owner.uuid, status]);
    const pairs: [string, Relation][] = [
      ['INSERT INTO follows (followee_id, follower_id) VALUES ($1, $2)', 'follower'],
      ['INSERT INTO follows (followee_id, follower_id) VALUES ($1, $2)', 'follower who is blocked'],
      ['INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)', 'follower who is blocked'],
      ["INSERT INTO channel_members VALUES ($1, $2, now(), now() + interval '1 hour')", 'member'],
      ["INSERT INTO channel_members VALUES ($1, $2, now(), now() - interval '1 second')", 'lapsed member'],
      ['INSERT INTO channel_members (owner_id, user_id) VALUES ($1, $2)', 'member who blocks'],
      ['INSERT INTO blocks (blocked_id, blocker_id) VALUES ($1, $2)', 'member who blocks'],
    ];
    for (const [statement, relation] of pairs)
      await sqlRows(statement, [owner.uuid, viewers.get(relation)?.uuid]);
    const rows: Record<string, unknown>[] = [];
    for (const state of states)
      for (const visibility of visibilities)
        for (const publishAtMs of [null, nowMs - hourMs, nowMs + hourMs])
          for (const deleted of [false, true])
            for (const replacement of [false, true]) {
              const id = randomIds.next();
              videos.set(id, {
                state,
                visibility,
                publishAtMs,
                deleted,
                replacement,
                ownerActive: status === 'active',
              });
              rows.push({
                id,
                state,
                visibility,
                publish_at: publishAtMs === null ? null : new Date(publishAtMs).toISOString(),
                deleted_at: deleted ? new Date(nowMs).toISOString() : null,
                replacement,
              });
            }
    const target = randomIds.next();
    await sqlRows(
      "INSERT INTO videos (id, owner_id, title, state) VALUES ($1, $2, 'a target', 'uploading')",
      [target, owner.uuid],
    );
    // One replacement at a time is another rule than these.
    await sqlRows(
      `INSERT INTO videos (id, owner_id, title, state)
       SELECT md5(row ->> 'id')::uuid, $1, 'a target', 'uploading' FROM jsonb_array_elements($2::jsonb) AS row`,
      [owner.uuid, JSON.stringify(rows)],
    );
    await sqlRows(
      `INSERT INTO videos (id, owner_id, title, state, visibility, publish_at, deleted_at, replaces_id, hls_key, dash_key,
         published_at, failure_code)
       SELECT (row ->> 'id')::uuid, $1, 'one of all', row ->> 'state', row ->> 'visibility',
         (row ->> 'publish_at')::timestamptz, (row ->> 'deleted_at')::timestamptz,
         CASE WHEN (row ->> 'replacement')::boolean THEN md5(row ->> 'id')::uuid END, 'a', 'b', now(),
         CASE row ->> 'state' WHEN 'failed' THEN 'encode_failed' END
       FROM jsonb_array_elements($2::jsonb) AS row`,
      [owner.uuid, JSON.stringify(rows)],
    );
  }
});

describe('the SQL of visibility', () => {
  it.each(relations)('says what the policy says, for every video and the viewer: %s', async (relation) => {
    const db = servicesOf(testEnv(env)).databases.primary;
    let compared = 0;
    for (const owner of owners.values()) {
      const viewerId = relation === 'owner' ? owner.uuid : viewers.get(relation)?.uuid;
      const { rows } = await db.execute(sql`
        SELECT video.id, ${videoVisibleTo(viewerId)} AS visible, ${videoListedFor(viewerId)} AS listed
        FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
        WHERE video.owner_id = ${owner.uuid}::uuid AND video.title = 'one of all'`);
      for (const row of rows) {
        const video = videos.get(String(row.id));
        if (video === undefined) throw new Error('a video nobody made');
        const standing = standings[relation];
        const expected = {
          video,
          visible: maySee(video, standing, Date.now()),
          listed: isListedFor(video, standing, Date.now()),
        };
        // SQL without a viewer may say null, which a WHERE takes for false.
        expect({ video, visible: row.visible === true, listed: row.listed === true }).toEqual(expected);
        compared += 1;
      }
    }
    expect(compared).toBe(videos.size);
  });
});
