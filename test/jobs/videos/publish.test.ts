import { beforeAll, describe, expect, inject, it } from 'vitest';
import { seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  endedJobEvents,
  film,
  getPlayback,
  getVideo,
  sendWebhook,
  uploadFilm,
} from '../../support/worker/films.ts';
import { deliverEvents } from '../../support/worker/queues.ts';

let creator: TestUser;
beforeAll(async () => {
  creator = await seedUser();
});

describe('a film from upload to publication', () => {
  it('is probed, encoded for real and published with renditions, stills and both manifests', async () => {
    const { videoId, videoUuid } = await uploadFilm(creator, await film('film.mp4'), { title: 'Test card' });
    expect(await getVideo(videoId, creator)).toMatchObject({ state: 'probing', progress_percent: 0 });

    await deliverEvents();
    expect(await getVideo(videoId, creator)).toMatchObject({
      state: 'transcoding',
      width: 320,
      height: 180,
      duration_seconds: 3,
    });

    for (const event of await endedJobEvents(videoUuid)) {
      const response = await sendWebhook(event);
      expect(response.status).toBe(202);
    }
    const delivered = await deliverEvents();
    expect(delivered.map((message) => message.body.type)).toContain('video.published');

    const video = await getVideo(videoId);
    expect(video).toMatchObject({
      title: 'Test card',
      state: 'published',
      progress_percent: 100,
      phase: null,
      failure: null,
      renditions: [{ name: '180p', width: 320, height: 180 }],
    });
    expect(video.duration_seconds).toBeCloseTo(3, 0);
    const cdn = inject('cdnUrl');
    const prefix = `${cdn}/media/${videoUuid}/v1/`;
    expect(video.hls_url).toBe(`${prefix}video.m3u8`);
    expect(video.dash_url).toBe(`${prefix}video.mpd`);
    const playback = await getPlayback(videoId);
    expect(await (await fetch(playback.hls_url)).text()).toContain('#EXTM3U');
    expect(await (await fetch(playback.dash_url)).text()).toContain('<MPD');
    expect(video.thumbnails).toHaveLength(5);
    for (const url of video.thumbnails) {
      const head = new Uint8Array(await (await fetch(url)).arrayBuffer()).subarray(0, 2);
      expect([...head]).toEqual([0xff, 0xd8]);
    }
    const [job] = await sqlRows(
      "SELECT state, percent FROM encode_jobs WHERE video_id = $1 AND kind = 'stream'",
      [videoUuid],
    );
    expect(job).toEqual({ state: 'complete', percent: 100 });
  });
});
