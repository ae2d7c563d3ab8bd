import { beforeAll, expect, it } from 'vitest';
import { listObjects } from '../../../src/integrations/aws/index.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  complete,
  contextOf,
  endedJobEvents,
  film,
  publishFilm,
  putParts,
  type StartedUpload,
  scanEvents,
  sendWebhook,
  uuidOf,
} from '../../support/worker/films.ts';
import { deliverEvents } from '../../support/worker/queues.ts';

let owner: TestUser;
let bytes: Uint8Array;
beforeAll(async () => {
  owner = await seedUser();
  bytes = await film('film.mp4');
});

/** Publishes a film and replaces its file; returns the id of the row whose files are played. */
async function publishReplaced(): Promise<{ readonly videoId: string; readonly playedId: string }> {
  const { videoId } = await publishFilm(owner, bytes);
  const upload = await callJson<StartedUpload>(201, 'POST', `/v1/videos/${videoId}/replacement`, {
    token: owner.token,
    body: { file_name: 'better.mp4', size_bytes: bytes.length, content_type: 'video/mp4' },
  });
  await complete(owner, upload.id, await putParts(upload, bytes));
  const [row] = await sqlRows<{ id: string }>('SELECT id FROM videos WHERE replaces_id = $1', [
    uuidOf(videoId),
  ]);
  const playedId = row?.id ?? '';
  await deliverEvents();
  for (const event of await scanEvents(playedId)) await sendWebhook(event);
  await deliverEvents();
  for (const event of await endedJobEvents(playedId)) await sendWebhook(event);
  await deliverEvents();
  return { videoId, playedId };
}

const openFiles = async (id: string): Promise<number> => {
  const { aws } = contextOf().config;
  return (await listObjects(aws, { bucket: aws.mediaBucket, prefix: `open/${id}/` })).keys.length;
};
const forgotten = async (): Promise<string[]> =>
  (await sqlRows<{ path: string }>('SELECT path FROM cdn_invalidations')).map(({ path }) => path);

it('the open stills of a replaced file go when the video becomes private', async () => {
  const { videoId, playedId } = await publishReplaced();
  expect(await openFiles(playedId)).toBeGreaterThan(0);
  const body = { visibility: 'private' };
  expect((await call('PATCH', `/v1/videos/${videoId}`, { token: owner.token, body })).status).toBe(200);
  await deliverEvents();
  expect(await openFiles(playedId)).toBe(0);
  expect(await forgotten()).toEqual(
    expect.arrayContaining([`/open/${playedId}/v1/*`, `/media/${playedId}/v1/*`]),
  );
});

it('the CDN forgets every file a deleted video was ever played from', async () => {
  const { videoId, playedId } = await publishReplaced();
  expect((await call('DELETE', `/v1/videos/${videoId}`, { token: owner.token })).status).toBe(204);
  await deliverEvents();
  const ids = [uuidOf(videoId), playedId];
  expect(await forgotten()).toEqual(
    expect.arrayContaining(ids.flatMap((id) => [`/media/${id}/*`, `/open/${id}/*`])),
  );
});
