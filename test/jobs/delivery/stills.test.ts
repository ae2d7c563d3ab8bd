import { env } from 'cloudflare:workers';
import { AwsClient } from 'aws4fetch';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import {
  deliveryHandlers,
  settleWaitingStills,
  sweepInvalidations,
} from '../../../src/modules/delivery/index.ts';
import { claimBatch } from '../../../src/modules/delivery/invalidations.repository.ts';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { contextOf } from '../../support/worker/films.ts';
import { deliverEvents } from '../../support/worker/queues.ts';

const s3 = new AwsClient({
  accessKeyId: inject('awsAccessKeyId'),
  secretAccessKey: inject('awsSecretAccessKey'),
  service: 's3',
  region: 'us-east-1',
  retries: 0,
});
const bucket = `${inject('s3Url')}/social-flow-media`;

let owner: TestUser;
beforeAll(async () => {
  owner = await seedUser();
});

async function makeFilm(visibility = 'public'): Promise<{ id: string; uuid: string }> {
  const uuid = randomIds.next();
  const prefix = `media/${uuid}/v1/`;
  await sqlRows(
    `INSERT INTO videos (id, owner_id, title, state, visibility, published_at, hls_key, dash_key, storyboard_key, preview_key)
     VALUES ($1, $2, 'a film', 'published', $3, now(), $4 || 'video.m3u8', $4 || 'video.mpd', $4 || 'storyboard.vtt',
       $4 || 'preview/animated.gif')`,
    [uuid, owner.uuid, visibility, prefix],
  );
  await sqlRows(
    "INSERT INTO thumbnails SELECT $1, 1, n, $2 || 'thumbnails/t.' || n || '.jpg' FROM generate_series(0, 1) AS n",
    [uuid, prefix],
  );
  for (const file of [
    'video.m3u8',
    'seg_1.m4s',
    'thumbnails/t.0.jpg',
    'thumbnails/t.1.jpg',
    'storyboard.vtt',
    'storyboard/sheet.0.jpg',
    'preview/animated.gif',
  ])
    await s3.fetch(`${bucket}/${prefix}${file}`, { method: 'PUT', body: file });
  return { id: encodeId('video', uuid), uuid };
}

const cdnStatus = async (path: string): Promise<number> => {
  const response = await fetch(`${inject('cdnUrl')}/${path}`);
  await response.arrayBuffer();
  return response.status;
};

const openFiles = (uuid: string): Promise<number[]> =>
  Promise.all(
    [
      'thumbnails/t.0.jpg',
      'thumbnails/t.1.jpg',
      'storyboard.vtt',
      'storyboard/sheet.0.jpg',
      'preview/animated.gif',
    ].map((file) => cdnStatus(`open/${uuid}/v1/${file}`)),
  );

const waitingPaths = async (uuid: string): Promise<string[]> =>
  (
    await sqlRows<{ path: string }>('SELECT path FROM cdn_invalidations WHERE path LIKE $1 ORDER BY path', [
      `%${uuid}%`,
    ])
  ).map(({ path }) => path);

const settle = (uuid: string) =>
  deliveryHandlers['video.access_changed']?.(contextOf(), {
    type: 'video.access_changed',
    id: randomIds.next(),
    data: { video_id: uuid, owner_id: owner.uuid },
  } as never);

const thumbnailsFor = async (id: string, viewer?: TestUser): Promise<string[]> =>
  (await callJson<{ thumbnails: string[] }>(200, 'GET', `/v1/videos/${id}`, { token: viewer?.token }))
    .thumbnails;

const all = (status: number) => Array(5).fill(status);

describe('stills', () => {
  it('are copied to where nobody needs a signature once everybody may look, and nothing else is', async () => {
    const film = await makeFilm();
    expect(await openFiles(film.uuid)).toEqual(all(404));
    await settle(film.uuid);
    expect(await openFiles(film.uuid)).toEqual(all(200));
    expect(await cdnStatus(`open/${film.uuid}/v1/seg_1.m4s`)).toBe(404);
    expect(await cdnStatus(`open/${film.uuid}/v1/video.m3u8`)).toBe(404);
    expect(await cdnStatus(`media/${film.uuid}/v1/thumbnails/t.0.jpg`)).toBe(403);
    const response = await fetch(`${inject('cdnUrl')}/open/${film.uuid}/v1/thumbnails/t.0.jpg`);
    expect([response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
      'image/jpeg',
      'public, max-age=3600',
    ]);
    const thumbnails = await thumbnailsFor(film.id);
    expect(thumbnails[0]).toBe(`${inject('cdnUrl')}/open/${film.uuid}/v1/thumbnails/t.0.jpg`);
    // Again, as after a message delivered twice.
    await settle(film.uuid);
    expect(await openFiles(film.uuid)).toEqual(all(200));
    expect(await waitingPaths(film.uuid)).toEqual([]);
  });

  it('are taken back when the film is made private, and the CDN is told', async () => {
    const film = await makeFilm();
    await settle(film.uuid);
    await callJson(200, 'PATCH', `/v1/videos/${film.id}`, {
      token: owner.token,
      body: { visibility: 'private' },
    });
    await deliverEvents();
    expect(await openFiles(film.uuid)).toEqual(all(404));
    expect(await waitingPaths(film.uuid)).toEqual([`/media/${film.uuid}/*`, `/open/${film.uuid}/*`]);
    // The owner sees them signed.
    const [still = ''] = await thumbnailsFor(film.id, owner);
    expect(still).toContain('Signature=');
    expect((await fetch(still)).status).toBe(200);
    await callJson(200, 'PATCH', `/v1/videos/${film.id}`, {
      token: owner.token,
      body: { visibility: 'unlisted' },
    });
    await deliverEvents();
    expect(await openFiles(film.uuid)).toEqual(all(200));
  });

  it('of passwords, ages, drafts and deleted films are for nobody', async () => {
    for (const change of [{ password: 'a secret' }, { age_restricted: true }]) {
      const film = await makeFilm();
      await settle(film.uuid);
      await callJson(200, 'PATCH', `/v1/videos/${film.id}`, { token: owner.token, body: change });
      await deliverEvents();
      expect(await openFiles(film.uuid)).toEqual(all(404));
    }
    const later = await makeFilm();
    await sqlRows("UPDATE videos SET publish_at = now() + interval '1 hour' WHERE id = $1", [later.uuid]);
    await settle(later.uuid);
    expect(await openFiles(later.uuid)).toEqual(all(404));
    const deleted = await makeFilm();
    await settle(deleted.uuid);
    await call('DELETE', `/v1/videos/${deleted.id}`, { token: owner.token });
    await deliverEvents();
    expect(await openFiles(deleted.uuid)).toEqual(all(404));
    expect(await waitingPaths(deleted.uuid)).toEqual([`/media/${deleted.uuid}/*`, `/open/${deleted.uuid}/*`]);
  });

  it('are settled by the cron where a message was lost, and after a run that was cut off', async () => {
    const [lost, cut, closed] = [await makeFilm(), await makeFilm(), await makeFilm()];
    await settle(closed.uuid);
    // As a run leaves it that noted what it would do and then ended.
    await sqlRows("UPDATE videos SET open_prefix = 'open/' || id || '/v1' WHERE id = $1", [cut.uuid]);
    await sqlRows("UPDATE videos SET visibility = 'members' WHERE id = $1", [closed.uuid]);
    expect(await thumbnailsFor(cut.id)).toHaveLength(2);
    for (let run = 0; run < 4; run += 1) await settleWaitingStills(contextOf());
    expect(await openFiles(lost.uuid)).toEqual(all(200));
    expect(await openFiles(cut.uuid)).toEqual(all(200));
    expect(await openFiles(closed.uuid)).toEqual(all(404));
    // One that was cut off while it opened a film that has been closed since.
    await sqlRows(
      "UPDATE videos SET open_prefix = 'open/' || id || '/v1', visibility = 'private' WHERE id = $1",
      [cut.uuid],
    );
    for (let run = 0; run < 2; run += 1) await settleWaitingStills(contextOf());
    expect(await openFiles(cut.uuid)).toEqual(all(404));
  });

  it('follow a replaced file', async () => {
    const film = await makeFilm();
    await settle(film.uuid);
    const prefix = `media/${film.uuid}/v2/`;
    await sqlRows('UPDATE videos SET revision = 2, storyboard_key = NULL, preview_key = NULL WHERE id = $1', [
      film.uuid,
    ]);
    await sqlRows('INSERT INTO thumbnails VALUES ($1, 2, 0, $2)', [film.uuid, `${prefix}thumbnails/t.0.jpg`]);
    await s3.fetch(`${bucket}/${prefix}thumbnails/t.0.jpg`, { method: 'PUT', body: 'new' });
    expect((await thumbnailsFor(film.id))[0]).toContain('Signature=');
    await settle(film.uuid);
    expect(await openFiles(film.uuid)).toEqual(all(404));
    expect(await thumbnailsFor(film.id)).toEqual([
      `${inject('cdnUrl')}/open/${film.uuid}/v2/thumbnails/t.0.jpg`,
    ]);
    expect(await waitingPaths(film.uuid)).toEqual([`/media/${film.uuid}/v1/*`, `/open/${film.uuid}/v1/*`]);
  });
});

describe('invalidations', () => {
  const told = async (): Promise<string[]> =>
    (await fetch(`${inject('mediaConvertUrl')}/test/invalidations`)).json();
  const rows = () =>
    sqlRows<{ path: string; batch: string | null; sent: string | null }>(
      'SELECT path, batch_id AS batch, invalidation_id AS sent FROM cdn_invalidations ORDER BY requested_at, id',
    );
  const ask = (paths: readonly string[]) =>
    sqlRows(
      `INSERT INTO cdn_invalidations (id, path) SELECT gen_random_uuid(), path FROM unnest($1::text[]) AS path
       ON CONFLICT (path) WHERE batch_id IS NULL DO NOTHING`,
      [`{${paths.map((path) => `"${path}"`).join()}}`],
    );

  it('are coalesced, sent within the limits, followed and forgotten', async () => {
    await sqlRows('DELETE FROM cdn_invalidations');
    const run = randomIds.next();
    await ask(Array.from({ length: 20 }, (_, index) => `/media/${run}-${index}/*`));
    await ask([`/media/${run}-0/*`, `/media/${run}-19/*`]);
    expect(await rows()).toHaveLength(20);
    await sweepInvalidations(contextOf());
    const first = await rows();
    expect(first.filter(({ sent }) => sent !== null)).toHaveLength(15);
    expect((await told()).filter((path) => path.includes(run))).toHaveLength(15);
    // Asked for again after it was sent: what was sent may have been too early.
    await ask(first.flatMap(({ path, sent }) => (sent === null ? [] : [path])).slice(0, 1));
    expect(await rows()).toHaveLength(21);
    for (let sweep = 0; sweep < 4; sweep += 1) await sweepInvalidations(contextOf());
    expect(await rows()).toEqual([]);
    expect((await told()).filter((path) => path.includes(run))).toHaveLength(21);
  });

  it('are sent once though the run was cut off after the call', async () => {
    const run = randomIds.next();
    await ask([`/media/${run}/*`]);
    // Sent, and the answer lost: the batch is there without the id the CDN gave.
    await sweepInvalidations(contextOf());
    await sqlRows('UPDATE cdn_invalidations SET invalidation_id = NULL WHERE path = $1', [`/media/${run}/*`]);
    await sweepInvalidations(contextOf());
    await sweepInvalidations(contextOf());
    expect((await told()).filter((path) => path.includes(run))).toHaveLength(1);
    expect((await rows()).filter(({ path }) => path.includes(run))).toEqual([]);
  });

  it('wait while more than the limits allow is under way, counting plain paths apart from wildcards', async () => {
    await sqlRows('DELETE FROM cdn_invalidations');
    const run = randomIds.next();
    await ask(Array.from({ length: 15 }, (_, index) => `/media/${run}-${index}/*`));
    await sqlRows(
      "UPDATE cdn_invalidations SET batch_id = $1, claimed_at = now(), invalidation_id = 'INOTTHERE'",
      [randomIds.next()],
    );
    await ask([`/media/${run}-more/*`]);
    const db = contextOf().databases.primary;
    expect(await claimBatch(db, randomIds.next(), { wildcards: 15, paths: 3_000 })).toBeUndefined();
    await ask([`/media/${run}.m3u8`]);
    const batch = await claimBatch(db, randomIds.next(), { wildcards: 16, paths: 16 });
    expect(batch?.paths).toEqual([`/media/${run}-more/*`]);
    await sqlRows('DELETE FROM cdn_invalidations');
  });

  it('are dropped where there is no distribution', async () => {
    await ask(['/media/nobody/*']);
    await sweepInvalidations(contextOf({ settings: { CDN_DISTRIBUTION_ID: '' } }));
    expect(await rows()).toEqual([]);
    expect(await told()).not.toContain('/media/nobody/*');
    expect(testEnv(env).CDN_DISTRIBUTION_ID).toBe('ETESTDISTRIBUTION');
  });
});
