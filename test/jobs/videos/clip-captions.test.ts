import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { listObjects } from '../../../src/integrations/aws/index.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  contextOf,
  endedJobEvents,
  film,
  getPlayback,
  publishFilm,
  sendWebhook,
  uuidOf,
} from '../../support/worker/films.ts';
import { deliver, deliverEvents, type SentMessage, takeMessages } from '../../support/worker/queues.ts';

let creator: TestUser;
let bytes: Uint8Array;
beforeAll(async () => {
  creator = await seedUser();
  bytes = await film('film.mp4');
});
afterEach(() => {
  takeMessages();
});

const vtt = (...cues: readonly (readonly [from: string, to: string, text: string])[]) =>
  `WEBVTT\n\n${cues.map(([from, to, text]) => `${from} --> ${to}\n${text}\n`).join('\n')}`;
const english = vtt(
  ['00:00:00.000', '00:00:00.900', 'Before'],
  ['00:00:00.800', '00:00:01.600', 'At the start'],
  ['00:00:01.700', '00:00:02.200', 'Within <00:00:02.000>it'],
  ['00:00:02.400', '00:00:02.900', 'At the end'],
);
const englishCut = vtt(
  ['00:00:00.000', '00:00:00.600', 'At the start'],
  ['00:00:00.700', '00:00:01.200', 'Within <00:00:01.000>it'],
  ['00:00:01.400', '00:00:01.500', 'At the end'],
);
const early = vtt(['00:00:00.000', '00:00:00.900', 'Before']);

const put = (videoId: string, language: string, text: string, label = language) =>
  callJson(200, 'PUT', `/v1/videos/${videoId}/captions/${language}`, {
    token: creator.token,
    body: { label, text, kind: 'captions' },
  });
const remove = (videoId: string, language: string) =>
  call('DELETE', `/v1/videos/${videoId}/captions/${language}`, { token: creator.token });

/** A published film with captions in these languages. */
async function captionedFilm(captions: Readonly<Record<string, string>>): Promise<string> {
  const { videoId } = await publishFilm(creator, bytes);
  for (const [language, text] of Object.entries(captions)) await put(videoId, language, text);
  await deliverEvents();
  return videoId;
}

const clipOf = async (videoId: string, start_ms = 1_000, end_ms = 2_500): Promise<string> =>
  (
    await callJson<{ id: string }>(201, 'POST', `/v1/videos/${videoId}/clips`, {
      token: creator.token,
      body: { start_ms, end_ms },
    })
  ).id;

async function publishClip(clipId: string): Promise<void> {
  await deliverEvents();
  for (const event of await endedJobEvents(uuidOf(clipId))) await sendWebhook(event);
  await deliverEvents();
}

/** The words of each track the owner sees, by language. */
async function wordsOf(videoId: string): Promise<Readonly<Record<string, string | null>>> {
  const path = `/v1/videos/${videoId}/captions`;
  const { token } = creator;
  const { data } = await callJson<{ data: { language: string }[] }>(200, 'GET', path, { token });
  const words = data.map(async ({ language }) => {
    const track = await callJson<{ text: string | null }>(200, 'GET', `${path}/${language}`, { token });
    return [language, track.text] as const;
  });
  return Object.fromEntries(await Promise.all(words));
}

const changesOf = async (videoId: string) =>
  (
    await sqlRows<{ wanted: number; waits: boolean }>(
      'SELECT captions_wanted AS wanted, captions_to_cut IS NOT NULL AS waits FROM videos WHERE id = $1',
      [uuidOf(videoId)],
    )
  )[0];

/** Delivers what is sent until nothing is left, but for orders of what comes beside a video. */
async function deliverAllButExtras(): Promise<SentMessage[]> {
  const lost: SentMessage[] = [];
  for (let messages = takeMessages(); messages.length > 0; messages = takeMessages()) {
    lost.push(...messages.filter(({ body }) => body.type === 'video.extras_requested'));
    await deliver(messages.filter(({ body }) => body.type !== 'video.extras_requested'));
  }
  return lost;
}

/** Cuts S3 off from the request on that `breaks` says so of, by its method and how many of it there were before. */
async function withoutS3(
  breaks: (method: string, count: number) => boolean,
  work: () => Promise<unknown>,
): Promise<void> {
  const real = globalThis.fetch;
  const counts = new Map<string, number>();
  let broken = false;
  globalThis.fetch = (input, init) => {
    const request = new Request(input as Request, init);
    if (!request.url.includes('/captions/')) return real(request);
    const count = (counts.get(request.method) ?? 0) + 1;
    counts.set(request.method, count);
    broken ||= breaks(request.method, count);
    return broken ? Promise.reject(new TypeError('Network connection lost.')) : real(request);
  };
  try {
    await work();
  } finally {
    globalThis.fetch = real;
  }
}

describe('a clip of a film with captions', () => {
  it('has its part of them, on its own clock, in what is played; tracks that would be empty are left out', async () => {
    const videoId = await captionedFilm({ en: english, de: early });
    const clipId = await clipOf(videoId);
    await publishClip(clipId);
    expect(await wordsOf(clipId)).toEqual({ en: englishCut });
    const playback = await getPlayback(clipId);
    expect(playback.captions).toMatchObject([{ language: 'en', label: 'en', kind: 'captions' }]);
    const [track] = playback.captions;
    expect(track?.url).toContain(`/media/${uuidOf(clipId)}/v1/`);
    expect(await (await fetch(track?.url ?? '')).text()).toBe(englishCut);
    expect(await (await fetch(playback.hls_url)).text()).toContain('LANGUAGE="en"');
    expect(await wordsOf(videoId)).toEqual({ en: english, de: early });
    expect(await changesOf(clipId)).toEqual({ wanted: 1, waits: false });
  });

  it('has them once though the work breaks off anywhere and is done again', async () => {
    const videoId = await captionedFilm({ en: english, fr: english, it: english });
    for (const broken of [
      (method: string, count: number) => method === 'GET' && count === 2,
      (method: string, count: number) => method === 'PUT' && count === 1,
      (method: string, count: number) => method === 'PUT' && count === 3,
    ]) {
      const clipId = await clipOf(videoId);
      const ordered = takeMessages().filter(({ body }) => body.type === 'video.extras_requested');
      expect(ordered).toHaveLength(1);
      await withoutS3(broken, async () => expect(await deliver(ordered)).toEqual({ acked: 0, retried: 1 }));
      expect([await wordsOf(clipId), await changesOf(clipId)]).toEqual([{}, { wanted: 0, waits: true }]);
      await Promise.all([deliver(ordered), deliver(ordered)]);
      await deliver(ordered);
      expect(await wordsOf(clipId)).toEqual({ en: englishCut, fr: englishCut, it: englishCut });
      expect(await changesOf(clipId)).toEqual({ wanted: 1, waits: false });
    }
  });

  it('has them though the message was lost, as soon as it is published', async () => {
    const clipId = await clipOf(await captionedFilm({ en: english }));
    expect(await deliverAllButExtras()).toHaveLength(1);
    await publishClip(clipId);
    expect((await getPlayback(clipId)).captions.map(({ language }) => language)).toEqual(['en']);
  });

  it('keeps what it is given itself, and does not get back what it is relieved of', async () => {
    const clipId = await clipOf(await captionedFilm({ en: english, fr: english }));
    const ordered = takeMessages().filter(({ body }) => body.type === 'video.extras_requested');
    await put(clipId, 'en', early);
    await deliver(ordered);
    expect(await wordsOf(clipId)).toEqual({ en: early, fr: englishCut });
    expect((await remove(clipId, 'fr')).status).toBe(204);
    await deliver(ordered);
    expect(await wordsOf(clipId)).toEqual({ en: early });
  });

  it('has the words of the moment it was made: corrections come too late, removals never', async () => {
    const videoId = await captionedFilm({ en: english, fr: english });
    const clipId = await clipOf(videoId);
    const ordered = takeMessages().filter(({ body }) => body.type === 'video.extras_requested');
    // One try has cut both and broke off before it could say so.
    await withoutS3(
      (method, count) => method === 'PUT' && count === 2,
      async () => expect(await deliver(ordered)).toEqual({ acked: 0, retried: 1 }),
    );
    await put(videoId, 'fr', early);
    await put(videoId, 'es', english);
    expect((await remove(videoId, 'en')).status).toBe(204);
    await deliver(ordered);
    expect(await wordsOf(clipId)).toEqual({ fr: englishCut });
    const { aws } = contextOf().config;
    const prefix = `media/${uuidOf(clipId)}/captions/`;
    const { keys } = await listObjects(aws, { bucket: aws.mediaBucket, prefix });
    expect(keys.map((key) => key.slice(prefix.length, prefix.length + 3))).toEqual(['fr-']);
    expect(Object.keys(await wordsOf(videoId))).toEqual(['es', 'fr']);
  });

  it('hands them on to a clip of its own, also while it waits for them itself', async () => {
    const videoId = await captionedFilm({ en: english });
    const clipId = await clipOf(videoId);
    const lost = await deliverAllButExtras();
    for (const event of await endedJobEvents(uuidOf(clipId))) await sendWebhook(event);
    lost.push(...(await deliverAllButExtras()));
    expect(await changesOf(clipId)).toEqual({ wanted: 0, waits: true });
    const waiting = await clipOf(clipId, 500, 1_500);
    await deliverEvents();
    expect(await wordsOf(waiting)).toEqual({
      en: vtt(
        ['00:00:00.000', '00:00:00.100', 'At the start'],
        ['00:00:00.200', '00:00:00.700', 'Within <00:00:00.500>it'],
        ['00:00:00.900', '00:00:01.000', 'At the end'],
      ),
    });
    await deliver(lost);
    const again = await clipOf(clipId, 500, 1_500);
    await deliverEvents();
    expect(await wordsOf(again)).toEqual(await wordsOf(waiting));
  });
});
