import { expect, it } from 'vitest';
import { call, callJson, seedUser, sqlRows } from '../../support/worker/client.ts';
import {
  complete,
  endedJobEvents,
  film,
  getPlayback,
  publishFilm,
  putParts,
  type StartedUpload,
  scanEvents,
  sendWebhook,
} from '../../support/worker/films.ts';
import { deliverEvents } from '../../support/worker/queues.ts';

it('captions move with the file that is replaced, beside what is played now', async () => {
  const [creator, bytes] = [await seedUser(), await film('film.mp4')];
  const { token } = creator;
  const { videoId, videoUuid } = await publishFilm(creator, bytes);
  const text = 'WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n';
  const body = { label: 'English', text };
  expect((await call('PUT', `/v1/videos/${videoId}/captions/en`, { token, body })).status).toBe(200);
  await deliverEvents();

  const upload = await callJson<StartedUpload>(201, 'POST', `/v1/videos/${videoId}/replacement`, {
    token,
    body: { file_name: 'better.mp4', size_bytes: bytes.length, content_type: 'video/mp4' },
  });
  expect((await complete(creator, upload.id, await putParts(upload, bytes))).status).toBe(200);
  const [row] = await sqlRows<{ id: string }>('SELECT id FROM videos WHERE replaces_id = $1', [videoUuid]);
  const hidden = row?.id ?? '';
  await deliverEvents();
  for (const event of await scanEvents(hidden)) await sendWebhook(event);
  await deliverEvents();
  const [before] = (await getPlayback(videoId)).captions;
  expect(before?.url).toContain(`/media/${videoUuid}/v1/en-`);

  for (const event of await endedJobEvents(hidden)) await sendWebhook(event);
  await deliverEvents();
  const { captions } = await getPlayback(videoId);
  expect(captions.map(({ language }) => language)).toEqual(['en']);
  expect(captions[0]?.url).toContain(`/media/${hidden}/v1/en-`);
  expect(await (await fetch(captions[0]?.url ?? '')).text()).toContain('Hello');
});
