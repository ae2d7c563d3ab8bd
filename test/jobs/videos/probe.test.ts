import { beforeAll, describe, expect, it } from 'vitest';
import { headObject } from '../../../src/integrations/aws/index.ts';
import { probeVideo } from '../../../src/modules/videos/usecases/probe-video.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  contextOf,
  endedJobEvents,
  film,
  getVideo,
  sendWebhook,
  uploadFilm,
  type VideoJson,
} from '../../support/worker/films.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';

let creator: TestUser;
beforeAll(async () => {
  creator = await seedUser();
});

/** Uploads bytes and has them probed; the encode that may follow stays undelivered. */
async function probed(
  bytes: Uint8Array,
  contentType = 'video/mp4',
): Promise<VideoJson & { videoUuid: string }> {
  const owner = await seedUser();
  const { videoId, videoUuid } = await uploadFilm(owner, bytes, { content_type: contentType });
  const { retried } = await deliver(takeMessages());
  expect(retried).toBe(0);
  return { ...(await getVideo(videoId, owner)), videoUuid };
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

describe('films in every container we take', () => {
  const films: [string, string, number, number][] = [
    ['film.mp4', 'video/mp4', 320, 180],
    ['index-at-end.mp4', 'video/mp4', 320, 180],
    ['fragmented.mp4', 'video/mp4', 320, 180],
    ['film.mov', 'video/quicktime', 320, 180],
    ['film.mkv', 'video/x-matroska', 320, 180],
    ['film.webm', 'video/webm', 320, 180],
    ['film.ts', 'video/mp2t', 320, 180],
    ['film.avi', 'video/x-msvideo', 320, 180],
    ['film.flv', 'video/x-flv', 320, 180],
    ['film.mpg', 'video/mpeg', 320, 180],
    ['rotated.mp4', 'video/mp4', 180, 320],
    ['wide-pixels.mp4', 'video/mp4', 640, 180],
  ];
  it.each(films)('reads %s (%s) as %i by %i', async (name, contentType, width, height) => {
    const video = await probed(await film(name), contentType);
    expect(video.failure).toBeNull();
    expect(video).toMatchObject({ state: 'transcoding', width, height });
    expect(video.duration_seconds).toBeCloseTo(3, 0);
    const [job] = await sqlRows<{
      plan: { hasAudio: boolean; frameRate: number; rungs: { height: number }[] };
    }>('SELECT plan FROM encode_jobs WHERE video_id = $1', [video.videoUuid]);
    expect(job?.plan.hasAudio).toBe(name !== 'wide-pixels.mp4');
    expect(job?.plan.rungs.map((rung) => rung.height)).toEqual([height]);
    expect(job?.plan.frameRate).toBeCloseTo(25, 0);
  });
});

describe('sound without a picture', () => {
  it.each([
    ['sound.m4a', 'audio/mp4'],
    ['film.mp3', 'audio/mpeg'],
    ['sound.ogg', 'audio/ogg'],
    ['sound.flac', 'audio/flac'],
    ['sound.wav', 'audio/wav'],
    // Whatever it calls itself.
    ['film.mp3', 'video/mp4'],
  ])('is taken as sound: %s declared as %s', async (name, contentType) => {
    const video = await probed(await film(name), contentType);
    expect(video.failure).toBeNull();
    expect(video).toMatchObject({ state: 'transcoding', width: null, height: null });
    expect(video.duration_seconds).toBeCloseTo(3, 0);
    const [job] = await sqlRows<{ plan: { hasAudio: boolean; rungs: unknown[] } }>(
      'SELECT plan FROM encode_jobs WHERE video_id = $1',
      [video.videoUuid],
    );
    expect(job?.plan).toMatchObject({ hasAudio: true, rungs: [] });
    takeMessages();
  });
});

describe('files that are no film', () => {
  const cases: [string, () => Promise<Uint8Array>, string][] = [
    ['text named .mp4', async () => text('Dear diary, this is not a film at all.'), 'not_a_video'],
    ['one byte', async () => text('x'), 'not_a_video'],
    [
      'a web page',
      async () => text('<!doctype html><video src="http://169.254.169.254/"></video>'),
      'not_a_video',
    ],
    [
      'a playlist that points elsewhere',
      async () => text('#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/secret.ts\n'),
      'not_a_video',
    ],
    ['a picture', () => film('picture.png'), 'not_a_video'],
    [
      'an MP4 cut off before its index',
      async () => (await film('index-at-end.mp4')).subarray(0, 60_000),
      'truncated',
    ],
    ['an MP4 cut off after its index', async () => (await film('film.mp4')).subarray(0, 60_000), 'truncated'],
    ['an MP4 of 40 bytes', async () => (await film('film.mp4')).subarray(0, 40), 'truncated'],
    ['a Matroska file cut off', async () => (await film('film.mkv')).subarray(0, 60_000), 'truncated'],
    ['an AVI cut off', async () => (await film('film.avi')).subarray(0, 60_000), 'truncated'],
    ['a header with noise behind it', async () => noiseBehind('FLV\u0001'), 'not_a_video'],
    ['a picture of 16 pixels', () => film('tiny.mp4'), 'too_small_dimensions'],
    ['a picture wider than 8192 pixels', () => film('huge.mp4'), 'too_large_dimensions'],
    ['a film of more than twelve hours', () => film('long.mp4'), 'too_long'],
  ];
  it.each(cases)('fails %s with a reason', async (_, bytes, code) => {
    const video = await probed(await bytes());
    expect(video).toMatchObject({ state: 'failed', failure: { code, retryable: false } });
    expect(video.failure?.message).toMatch(/^[A-Z].{20,}\.$/);
    const [event] = takeMessages();
    expect(event?.body.type).toBe('video.failed');
  });

  it('removes a file no video can ever be made of, and keeps one that failed for another reason', async () => {
    const { aws } = contextOf().config;
    const keyOf = async (videoUuid: string) => {
      const [row] = await sqlRows<{ key: string | null }>(
        'SELECT source_key AS key FROM videos WHERE id = $1',
        [videoUuid],
      );
      return row?.key ?? null;
    };
    const stored = async (key: string | null) =>
      (await headObject(aws, { bucket: aws.uploadsBucket, key: String(key) })) !== undefined;
    const useless = await uploadFilm(creator, text('not a film, whatever it says'));
    const key = await keyOf(useless.videoUuid);
    expect(await stored(key)).toBe(true);
    await deliverEvents({ times: 2 });
    expect([await stored(key), await keyOf(useless.videoUuid)]).toEqual([false, null]);

    const unlucky = await uploadFilm(creator, await film('film.mp4'));
    await deliverEvents();
    const end = (await endedJobEvents(unlucky.videoUuid)).at(-1);
    await sendWebhook({ ...end, detail: { ...end?.detail, status: 'CANCELED' } });
    await deliverEvents();
    expect(await getVideo(unlucky.videoId, creator)).toMatchObject({ failure: { retryable: true } });
    expect(await stored(await keyOf(unlucky.videoUuid))).toBe(true);
  });

  it('fails a video whose file is gone', async () => {
    const owner = await seedUser();
    const { videoId, videoUuid } = await uploadFilm(owner, await film('film.mp4'));
    await sqlRows("UPDATE videos SET source_key = source_key || '.gone' WHERE id = $1", [videoUuid]);
    await deliver(takeMessages());
    expect(await getVideo(videoId, owner)).toMatchObject({ failure: { code: 'source_missing' } });
    takeMessages();
  });
});

describe('reading a file from afar', () => {
  it('leaves what lies too deep for a few reads to MediaConvert', async () => {
    const { videoId, videoUuid } = await uploadFilm(creator, await film('film.ts'), {
      content_type: 'video/mp2t',
    });
    const [message] = takeMessages();
    if (message === undefined) throw new Error('a message expected');
    // The duration of a transport stream stands at its end, in the second block.
    const ctx = contextOf({ settings: { VIDEO_PROBE_MAX_REQUESTS: '4' } });
    const stingy = {
      ...ctx,
      config: { ...ctx.config, videos: { ...ctx.config.videos, probeMaxRequests: 1 } },
    };
    await probeVideo(stingy, {
      id: message.body.id,
      type: 'video.released',
      occurred_at: new Date().toISOString(),
      data: { video_id: videoUuid, revision: 1 },
    });
    const video = await getVideo(videoId, creator);
    expect(video).toMatchObject({ state: 'transcoding', width: 320, height: 180 });
    expect(video.duration_seconds).toBeCloseTo(3, 0);
    takeMessages();
  });

  it('tries again later when S3 does not answer, and loses nothing', async () => {
    const { videoId, videoUuid } = await uploadFilm(creator, await film('film.mp4'));
    takeMessages();
    const message = {
      id: randomIds.next(),
      type: 'video.released' as const,
      occurred_at: new Date().toISOString(),
      data: { video_id: videoUuid, revision: 1 },
    };
    const cutOff = contextOf({ settings: { S3_ENDPOINT: 'http://127.0.0.1:1' } });
    await expect(probeVideo(cutOff, message)).rejects.toMatchObject({ name: 'AwsError', retryable: true });
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'probing' });
    await probeVideo(contextOf(), message);
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'transcoding' });
    takeMessages();
  });
});

describe('a probe message delivered more than once', () => {
  it('makes one job, also when three arrive at the same time', async () => {
    const { videoUuid } = await uploadFilm(creator, await film('film.mp4'));
    const messages = takeMessages();
    await Promise.all([deliver(messages), deliver(messages), deliver(messages)]);
    await deliver(messages);
    expect(await sqlRows('SELECT attempt FROM encode_jobs WHERE video_id = $1', [videoUuid])).toEqual([
      { attempt: 1 },
    ]);
    const requested = takeMessages().filter((message) => message.body.type === 'video.encode_requested');
    expect(requested).toHaveLength(1);
  });
});

function noiseBehind(header: string): Uint8Array {
  const bytes = crypto.getRandomValues(new Uint8Array(50_000));
  bytes.set(text(header));
  return bytes;
}
