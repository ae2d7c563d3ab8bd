import { afterEach, expect, it } from 'vitest';
import { callJson, seedUser, sqlRows } from '../../support/worker/client.ts';
import { film, publishFilm, uploadFilm, uuidOf } from '../../support/worker/films.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';

afterEach(() => {
  takeMessages();
});

const coloursOf = async (videoUuid: string): Promise<Readonly<Record<string, string>>> => {
  const jobs = await sqlRows<{ kind: string; colour: string }>(
    "SELECT kind, plan ->> 'colour' AS colour FROM encode_jobs WHERE video_id = $1",
    [videoUuid],
  );
  return Object.fromEntries(jobs.map(({ kind, colour }) => [kind, colour]));
};

it.each([
  ['pq.mp4', 'video/mp4', 'pq'],
  ['pq-in-codec.mp4', 'video/mp4', 'pq'],
  ['pq.ts', 'video/mp2t', 'pq'],
  // MediaConvert reads Matroska.
  ['pq.mkv', 'video/x-matroska', 'pq'],
  ['hlg.mov', 'video/quicktime', 'hlg'],
  ['wide.mkv', 'video/x-matroska', 'wide'],
  ['hevc.mp4', 'video/mp4', 'plain'],
  ['film.mp4', 'video/mp4', 'plain'],
  ['film.webm', 'video/webm', 'plain'],
])('the encode of %s (%s) is planned for colours that are %s', async (name, contentType, colour) => {
  const { videoUuid } = await uploadFilm(await seedUser(), await film(name), { content_type: contentType });
  expect((await deliver(takeMessages())).retried).toBe(0);
  expect(await coloursOf(videoUuid)).toEqual({ stream: colour });
});

it('clips and moving previews of a film of high dynamic range are made as the film was', async () => {
  const creator = await seedUser();
  const { videoId, videoUuid } = await publishFilm(creator, await film('pq.mp4'));
  expect(await coloursOf(videoUuid)).toMatchObject({ stream: 'pq' });
  const clip = await callJson<{ id: string }>(201, 'POST', `/v1/videos/${videoId}/clips`, {
    token: creator.token,
    body: { start_ms: 0, end_ms: 1_000 },
  });
  await deliverEvents();
  expect(await coloursOf(uuidOf(clip.id))).toEqual({ stream: 'pq' });
  for (const colour of Object.values(await coloursOf(videoUuid))) expect(colour).toBe('pq');
});
