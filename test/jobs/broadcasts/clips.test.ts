import { expect, it } from 'vitest';
import { findWaitingClips, maxClipsPerHour } from '../../../src/modules/broadcasts/clips.repository.ts';
import { claimOpenRecordings } from '../../../src/modules/broadcasts/recordings.repository.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { contextOf } from '../../support/worker/films.ts';

/** A public stream that is live and recorded, for all the database knows. */
async function seedRecorded(
  owner: TestUser,
): Promise<{ readonly id: string; readonly uuid: string; readonly prefix: string }> {
  const { id } = await callJson<{ id: string }>(201, 'POST', '/v1/streams', {
    token: owner.token,
    body: { title: 'Live' },
  });
  const [row] = await sqlRows<{ id: string }>(
    `UPDATE streams SET state = 'live', channel_arn = 'arn:' || id, started_at = now() - interval '1 hour'
     WHERE owner_id = $1 RETURNING id`,
    [owner.uuid],
  );
  const uuid = row?.id ?? '';
  const prefix = `ivs/v1/0/c/${id}`;
  await sqlRows(
    `INSERT INTO stream_recordings (prefix, stream_id, began_at) VALUES ($1, $2, now() - interval '1 hour')`,
    [prefix, uuid],
  );
  return { id, uuid, prefix };
}

const clip = (id: string, { token }: TestUser) =>
  call('POST', `/v1/streams/${id}/clips`, { token, body: {} });

it('lets nobody cut clips who is not let in', async () => {
  const [owner, viewer, away, banned] = [
    await seedUser(),
    await seedUser(),
    await seedUser(),
    await seedUser(),
  ];
  const { id, uuid } = await seedRecorded(owner);
  await sqlRows('INSERT INTO live_viewers (stream_id, viewer_id, barred_at) VALUES ($1, $2, now())', [
    uuid,
    away.uuid,
  ]);
  await sqlRows('INSERT INTO chat_bans (owner_id, user_id) VALUES ($1, $2)', [owner.uuid, banned.uuid]);
  for (const one of [away, banned]) {
    const refused = await clip(id, one);
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
      403,
      'live.sent_away',
    ]);
  }
  expect((await clip(id, viewer)).status).toBe(201);
});

it('lets a viewer cut ten clips an hour out of a stream, and its owner more', async () => {
  const [owner, viewer] = [await seedUser(), await seedUser()];
  const { id, uuid } = await seedRecorded(owner);
  for (let made = 0; made < maxClipsPerHour; made += 1) expect((await clip(id, viewer)).status).toBe(201);
  const refused = await clip(id, viewer);
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
    429,
    'streams.too_many_clips',
  ]);
  expect((await clip(id, owner)).status).toBe(201);
  await sqlRows(
    "UPDATE stream_clips SET from_at = from_at - interval '1 hour', to_at = to_at - interval '1 hour' WHERE stream_id = $1",
    [uuid],
  );
  expect((await clip(id, viewer)).status).toBe(201);
});

it('cuts the clips of others beside one that has to wait', async () => {
  const owner = await seedUser();
  const { id } = await seedRecorded(owner);
  for (let made = 0; made < 2; made += 1) expect((await clip(id, owner)).status).toBe(201);
  const { primary } = contextOf().databases;
  const waiting = (await findWaitingClips(primary, 1_000)).length;
  const seen = new Set<string>();
  for (let run = 0; run < waiting * 20 && seen.size < 2; run += 1)
    for (const { videoId, ownerId } of await findWaitingClips(primary, 1))
      if (ownerId === owner.uuid) seen.add(videoId);
  expect(seen.size).toBe(2);
});

it.each([
  ['0000-01-01T00:00:00Z', 422],
  ['9999-12-31T23:59:59-23:00', 422],
  ['2030-01-01T00:00:00+23:59', 422],
])('answers for a marker at %s with %i', async (at, status) => {
  const owner = await seedUser();
  const { id } = await seedRecorded(owner);
  const body = { title: 'x', at };
  expect((await call('POST', `/v1/streams/${id}/markers`, { token: owner.token, body })).status).toBe(status);
});

it('marks a moment however it is written', async () => {
  const owner = await seedUser();
  const { id } = await seedRecorded(owner);
  const moment = new Date(Date.now() - 60_000);
  const written = new Date(moment.getTime() + 23 * 3_600_000).toISOString().replace('Z', '000+23:00');
  const body = { title: 'x', at: written };
  expect(
    await callJson(201, 'POST', `/v1/streams/${id}/markers`, { token: owner.token, body }),
  ).toMatchObject({ at: moment.toISOString() });
});

it('is marked by moderators who may see it, and by no others', async () => {
  const [owner, moderator] = [await seedUser(), await seedUser()];
  const { id } = await seedRecorded(owner);
  await sqlRows("INSERT INTO chat_roles (owner_id, user_id, role) VALUES ($1, $2, 'moderator')", [
    owner.uuid,
    moderator.uuid,
  ]);
  const path = `/v1/streams/${id}/markers`;
  const { token } = moderator;
  const statuses = async () => [
    (await call('POST', path, { token, body: { title: 'x' } })).status,
    (await call('GET', path, { token })).status,
  ];
  expect(await statuses()).toEqual([201, 200]);
  const show = (visibility: string) =>
    callJson(200, 'PATCH', `/v1/streams/${id}`, { token: owner.token, body: { visibility } });
  await show('private');
  expect(await statuses()).toEqual([404, 404]);
  expect((await call('GET', path, { token: owner.token })).status).toBe(200);
  await show('public');
  await sqlRows('INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)', [owner.uuid, moderator.uuid]);
  expect(await statuses()).toEqual([404, 404]);
});

it('looks for the end of a recording with the sessions of that one', async () => {
  const owner = await seedUser();
  const { id, uuid, prefix } = await seedRecorded(owner);
  const second = `${prefix}/2`;
  await sqlRows(
    `INSERT INTO stream_recordings (prefix, stream_id, began_at) VALUES ($1, $2, now() - interval '30 minutes')`,
    [second, uuid],
  );
  await sqlRows(
    `INSERT INTO stream_sessions (session_id, channel_arn, stream_id, started_at, ended_at)
     SELECT $1 || name, 'arn', $2, now() - start::interval, now() - stop::interval
     FROM (VALUES ('a', '61 minutes', '50 minutes'), ('b', '49 minutes', '40 minutes'), ('c', '31 minutes', '20 minutes'))
       AS session(name, start, stop)`,
    [id, uuid],
  );
  await sqlRows(
    `UPDATE streams SET state = 'ended', ended_at = now() - interval '20 minutes' WHERE id = $1`,
    [uuid],
  );
  const open = await claimOpenRecordings(contextOf().databases.primary, {
    nowMs: Date.now() + 600_000,
    silentSeconds: 180,
    limit: 1_000,
  });
  const sessionsOf = (key: string) => open.find((one) => one.prefix === key)?.sessionIds.toSorted();
  expect(sessionsOf(prefix)).toEqual([`${id}a`, `${id}b`]);
  expect(sessionsOf(second)).toEqual([`${id}c`]);
});
