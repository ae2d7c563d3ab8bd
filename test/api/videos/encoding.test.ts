import { beforeAll, describe, expect, it } from 'vitest';
import { getObject } from '../../../src/integrations/aws/index.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  contextOf,
  endedJobEvents,
  film,
  getVideo,
  publishFilm,
  sendWebhook,
  startUpload,
  uuidOf,
} from '../../support/worker/films.ts';
import { deliverEvents } from '../../support/worker/queues.ts';

interface CaptionsJson {
  readonly language: string;
  readonly label: string;
  readonly kind: string;
  readonly url: string | null;
  readonly text: string | null;
}
interface Extras {
  readonly hls_url: string;
  readonly dash_url: string;
  readonly storyboard_url: string | null;
  readonly captions: readonly CaptionsJson[];
  readonly clipped_from: string | null;
}

let creator: TestUser;
let stranger: TestUser;
let published: { readonly videoId: string; readonly videoUuid: string };
beforeAll(async () => {
  [creator, stranger] = [await seedUser(), await seedUser()];
  published = await publishFilm(creator, await film('film.mp4'), { title: 'The film' });
}, 120_000);

const put = (videoId: string, language: string, body: object, user = creator): Promise<Response> =>
  call('PUT', `/v1/videos/${videoId}/captions/${language}`, { token: user.token, body });
const pageOf = async (videoId: string): Promise<Extras> =>
  (await getVideo(videoId, creator)) as unknown as Extras;
/** An object of the media bucket, by its key. */
const stored = async (key: string): Promise<string> => {
  const { aws } = contextOf().config;
  return new TextDecoder().decode(await getObject(aws, { bucket: aws.mediaBucket, key }, 1_000_000));
};
const vtt = 'WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n';

describe('captions', () => {
  it('given to a published film stand in both manifests, under new addresses; the old ones stay', async () => {
    const { videoId, videoUuid } = published;
    const before = await pageOf(videoId);
    const srt = '1\n00:00:00,500 --> 00:00:02,000\nOlá <b>mundo</b>\n';
    const saved = await put(videoId, 'pt-br', { label: 'Português', kind: 'captions', text: srt });
    expect(saved.status).toBe(200);
    expect(await saved.json()).toMatchObject({ language: 'pt-BR', cue_count: 1 });
    expect((await put(videoId, 'en', { label: 'English', text: vtt })).status).toBe(200);
    await deliverEvents();
    const after = await pageOf(videoId);
    expect(after.hls_url).not.toBe(before.hls_url);
    expect(after.dash_url).not.toBe(before.dash_url);
    expect(after.captions.map((track) => [track.language, track.kind])).toEqual([
      ['en', 'subtitles'],
      ['pt-BR', 'captions'],
    ]);
    expect(after.captions.every((track) => track.url?.endsWith('.vtt'))).toBe(true);
    const [row] = await sqlRows<{ wanted: number; built: number; hls: string }>(
      'SELECT captions_wanted AS wanted, captions_built AS built, hls_key AS hls FROM videos WHERE id = $1',
      [videoUuid],
    );
    expect(row).toEqual({ wanted: 2, built: 2, hls: `media/${videoUuid}/v1/video-c2.m3u8` });
    const folder = `media/${videoUuid}/v1/`;
    const master = await stored(`${folder}video-c2.m3u8`);
    expect(master).toContain('LANGUAGE="pt-BR"');
    expect(master).toContain('LANGUAGE="en"');
    expect(master).toMatch(/#EXT-X-STREAM-INF:.*SUBTITLES="captions"/);
    const [, playlist] = /URI="(pt-BR-[^"]*\.m3u8)"/.exec(master) ?? [];
    const [, file] = /\n(pt-BR-\S*\.vtt)\n/.exec(await stored(`${folder}${playlist}`)) ?? [];
    expect(await stored(`${folder}${file}`)).toBe(
      'WEBVTT\n\n00:00:00.500 --> 00:00:02.000\nOlá <b>mundo</b>\n',
    );
    const mpd = await stored(`${folder}video-c2.mpd`);
    expect(mpd).toMatch(/<AdaptationSet id="\d+" contentType="text" mimeType="text\/vtt" lang="pt-BR">/);
    expect(mpd).toContain(`<BaseURL>${file}</BaseURL>`);
    expect(await stored(`${folder}video.m3u8`)).not.toContain('SUBTITLES');
    expect(await stored(`${folder}video.mpd`)).not.toContain('text/vtt');
  });

  it('are told to players that load them by themselves, signed, as far as the manifests name them', async () => {
    const { videoId, videoUuid } = await publishFilm(creator, await film('film.mp4'));
    const played = async () =>
      (
        await callJson<{ captions: CaptionsJson[] }>(200, 'POST', `/v1/videos/${videoId}/playback`, {
          token: stranger.token,
        })
      ).captions;
    const textsOf = async (tracks: readonly CaptionsJson[]) =>
      Promise.all(
        tracks.map(async ({ language, label, url }) => {
          const response = await fetch(String(url));
          const line = (await response.text()).split('\n').at(3);
          return [language, label, response.status, response.headers.get('content-type'), line];
        }),
      );
    const type = 'text/vtt; charset=utf-8';
    await put(videoId, 'en', { label: 'English', text: vtt });
    expect(await played()).toEqual([]);
    await deliverEvents();
    const [track] = await played();
    expect(track).toMatchObject({ language: 'en', label: 'English', kind: 'subtitles' });
    const [bare, query] = String(track?.url).split('?');
    expect(bare).toContain(`/media/${videoUuid}/v1/en-`);
    expect(query).toContain('Signature=');
    expect((await fetch(String(bare))).status).toBe(403);

    // Others are on their way: until the manifests name them, those before are what plays.
    await put(videoId, 'en', { label: 'English (corrected)', text: vtt.replace('Hello', 'Goodbye') });
    await put(videoId, 'de', { label: 'Deutsch', kind: 'captions', text: vtt.replace('Hello', 'Hallo') });
    expect(await textsOf(await played())).toEqual([['en', 'English', 200, type, 'Hello']]);
    await deliverEvents();
    expect(await textsOf(await played())).toEqual([
      ['de', 'Deutsch', 200, type, 'Hallo'],
      ['en', 'English (corrected)', 200, type, 'Goodbye'],
    ]);

    // What is taken away is told no more at once, though the manifests still name an empty file.
    expect((await call('DELETE', `/v1/videos/${videoId}/captions/de`, { token: creator.token })).status).toBe(
      204,
    );
    expect((await played()).map(({ language }) => language)).toEqual(['en']);
  });

  it('are told to whoever may see the video, their words to the owner alone', async () => {
    const { videoId } = published;
    await put(videoId, 'de', { label: 'Deutsch', text: vtt });
    const mine = await callJson<CaptionsJson>(200, 'GET', `/v1/videos/${videoId}/captions/de`, {
      token: creator.token,
    });
    expect(mine.text).toBe('WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHello\n');
    const theirs = await callJson<CaptionsJson>(200, 'GET', `/v1/videos/${videoId}/captions/de`, {
      token: stranger.token,
    });
    expect(theirs.text).toBeNull();
    const list = await callJson<{ data: CaptionsJson[] }>(200, 'GET', `/v1/videos/${videoId}/captions`, {});
    expect(list.data.map((track) => track.language)).toContain('de');
    expect((await call('GET', `/v1/videos/${videoId}/captions/xx`, {})).status).toBe(404);
  });

  it('are taken away again', async () => {
    const { videoId } = published;
    await put(videoId, 'fr', { label: 'Français', text: vtt });
    const remove = () => call('DELETE', `/v1/videos/${videoId}/captions/fr`, { token: creator.token });
    expect((await remove()).status).toBe(204);
    expect((await remove()).status).toBe(404);
    await deliverEvents();
    const page = await pageOf(videoId);
    expect(page.captions.map((track) => track.language)).not.toContain('fr');
  });

  it('may be given before the film is there, and are the owner’s to give', async () => {
    const upload = await startUpload(creator);
    expect((await put(upload.video_id, 'en', { label: 'English', text: vtt })).status).toBe(200);
    expect((await put(upload.video_id, 'en', { label: 'x', text: vtt }, stranger)).status).toBe(404);
  });

  it.each([
    ['a language that is none', 'not_a_tag!', { label: 'x', text: vtt }, [404, 422]],
    ['a tag Intl refuses', 'x', { label: 'x', text: vtt }, [404, 422]],
    ['neither text nor file', 'en', { label: 'x' }, [422]],
    ['text and file', 'en', { label: 'x', text: vtt, file_id: 'fil_x' }, [422]],
    ['no label', 'en', { text: vtt }, [422]],
    ['something else', 'en', { label: 'x', text: '<html>' }, [422]],
    ['a NUL', 'en', { label: 'x', text: `${vtt}\u0000` }, [422]],
    ['half a character', 'en', { label: 'x', text: `${vtt}\ud800` }, [400, 422]],
    ['an unknown field', 'en', { label: 'x', text: vtt, more: 1 }, [422]],
  ])('are refused with %s', async (_, language, body, statuses) => {
    expect(statuses).toContain((await put(published.videoId, language, body)).status);
  });

  it('name the line that is wrong', async () => {
    const response = await put(published.videoId, 'en', {
      label: 'x',
      text: 'WEBVTT\n\n00:09.000 --> 00:01.000\nx',
    });
    expect(await response.json()).toMatchObject({
      code: 'captions.malformed',
      errors: [{ pointer: '/text', code: 'ends_before_start', message: expect.stringContaining('line 3') }],
    });
  });

  it('too large for a body are sent as a side file', async () => {
    const bytes = new TextEncoder().encode(vtt);
    const file = await callJson<{ id: string; url: string; headers: Record<string, string> }>(
      201,
      'POST',
      '/v1/me/side-files',
      { token: creator.token, body: { purpose: 'captions', size_bytes: bytes.length } },
    );
    expect((await put(published.videoId, 'it', { label: 'Italiano', file_id: file.id })).status).toBe(422);
    const sent = await fetch(file.url, { method: 'PUT', headers: file.headers, body: bytes });
    expect(sent.status).toBe(200);
    expect(
      (await put(published.videoId, 'it', { label: 'Italiano', file_id: file.id }, stranger)).status,
    ).toBe(404);
    expect((await put(published.videoId, 'it', { label: 'Italiano', file_id: file.id })).status).toBe(200);
  });
});

describe('the scrub pictures', () => {
  it('have an index that covers the film', async () => {
    const page = await pageOf(published.videoId);
    expect(page.storyboard_url).toMatch(/\/storyboard\.vtt$/);
    const cues = (await stored(`media/${published.videoUuid}/v1/storyboard.vtt`))
      .trim()
      .split('\n\n')
      .slice(1);
    expect(cues).toHaveLength(3);
    expect(cues[0]).toMatch(/^00:00:00\.000 --> 00:00:01\.000\n\S+\.jpg#xywh=0,0,312,176$/);
    expect(cues[2]).toMatch(/--> 00:00:0[23]\.\d{3}\n/);
  });
});

describe('how a video is converted', () => {
  it('is shown to its owner, with what it cost', async () => {
    const path = `/v1/videos/${published.videoId}/encoding`;
    const shown = await callJson<{
      cost_micros: string;
      currency: string;
      jobs: { kind: string; state: string; actual_cost_micros: string; estimated_cost_micros: string }[];
    }>(200, 'GET', path, { token: creator.token });
    const job = shown.jobs.find(({ kind }) => kind === 'stream');
    // 3 s of 180p and sound: billed as 10 s each.
    expect(job).toMatchObject({
      state: 'complete',
      actual_cost_micros: '1792',
      estimated_cost_micros: '1792',
    });
    expect(shown.currency).toBe('USD');
    expect(BigInt(shown.cost_micros)).toBeGreaterThanOrEqual(1_792n);
    expect((await call('GET', path, { token: stranger.token })).status).toBe(404);
    expect((await call('GET', path, {})).status).toBe(401);
  });

  it('can have captions drawn in until it is converted, and downloads at any time', async () => {
    const upload = await startUpload(creator);
    const change = (videoId: string, body: object) =>
      call('PATCH', `/v1/videos/${videoId}/encoding`, { token: creator.token, body });
    const changed = await change(upload.video_id, { burn_in_captions: 'EN-us', downloads_enabled: true });
    expect(await changed.json()).toMatchObject({ burn_in_captions: 'en-US', downloads_enabled: true });
    const late = await change(published.videoId, { burn_in_captions: 'en' });
    expect(late.status).toBe(409);
    expect((await change(published.videoId, {})).status).toBe(422);
    expect((await change(published.videoId, { downloads_enabled: true })).status).toBe(200);
    await deliverEvents();
    const jobs = await sqlRows(
      "SELECT plan -> 'rungs' -> 0 ->> 'name' AS name FROM encode_jobs WHERE video_id = $1 AND kind = 'download'",
      [published.videoUuid],
    );
    expect(jobs).toEqual([{ name: '180p' }]);
    // What is played, the moving preview, and the download.
    const events = await endedJobEvents(published.videoUuid, 3);
    for (const event of events) await sendWebhook(event);
    await deliverEvents();
    const page = (await getVideo(published.videoId, creator)) as unknown as {
      download_url: string | null;
      preview_url: string | null;
    };
    expect(page.preview_url).toMatch(/\/preview\/animated\.gif$/);
    expect(page.download_url).toMatch(/\/download\/video\.mp4$/);
  });
});

describe('a clip', () => {
  const clip = (videoId: string, body: object, user = creator): Promise<Response> =>
    call('POST', `/v1/videos/${videoId}/clips`, { token: user.token, body });

  it('is a video of its own, cut from the original, and says where it comes from', async () => {
    const response = await clip(published.videoId, {
      start_ms: 1_000,
      end_ms: 2_500,
      title: 'The best part',
    });
    expect(response.status).toBe(201);
    const made = (await response.json()) as { id: string; state: string; clipped_from: string };
    expect(made).toMatchObject({
      state: 'transcoding',
      clipped_from: published.videoId,
      title: 'The best part',
    });
    await deliverEvents();
    for (const event of await endedJobEvents(uuidOf(made.id))) await sendWebhook(event);
    await deliverEvents();
    const video = await getVideo(made.id, creator);
    expect(video.state).toBe('published');
    expect(video.duration_seconds).toBeCloseTo(1.5, 0);
    // A clip of a clip comes from the same original.
    const again = await clip(made.id, { start_ms: 0, end_ms: 1_000 });
    expect(again.status).toBe(201);
    const [row] = await sqlRows<{ start: string }>(
      "SELECT plan -> 'clips' -> 0 ->> 'startMs' AS start FROM encode_jobs JOIN videos ON videos.id = video_id WHERE clipped_from = $1",
      [uuidOf(made.id)],
    );
    expect(row?.start).toBe('1000');
  });

  it('is for nobody whom the video is not for, and takes no room of its own', async () => {
    const soon = new Date(Date.now() + 86_400_000).toISOString();
    const rules = `age_restricted, geo_mode, geo_countries, embed_mode, embed_domains, password_hash, publish_at`;
    const [before] = await sqlRows<Record<string, unknown>>(`SELECT ${rules} FROM videos WHERE id = $1`, [
      published.videoUuid,
    ]);
    await sqlRows(
      `UPDATE videos SET age_restricted = true, geo_mode = 'allow', geo_countries = '{DE}', embed_mode = 'listed',
         embed_domains = '{example.com}', password_hash = 'v1$x', publish_at = $2 WHERE id = $1`,
      [published.videoUuid, soon],
    );
    const used = async () =>
      (
        await callJson<{ stored_bytes: { used: number } }>(200, 'GET', '/v1/me/videos/limits', {
          token: creator.token,
        })
      ).stored_bytes.used;
    const usedBefore = await used();
    const response = await clip(published.videoId, { start_ms: 0, end_ms: 1_000 });
    const made = (await response.json()) as { id: string };
    const readRules = async (id: string) =>
      (await sqlRows(`SELECT ${rules} FROM videos WHERE id = $1`, [id]))[0];
    expect(await readRules(uuidOf(made.id))).toEqual(await readRules(published.videoUuid));
    expect(await used()).toBe(usedBefore);
    await call('DELETE', `/v1/videos/${made.id}`, { token: creator.token });
    await sqlRows(
      `UPDATE videos SET age_restricted = false, geo_mode = NULL, geo_countries = '{}', embed_mode = 'anywhere',
         embed_domains = '{}', password_hash = NULL, publish_at = NULL WHERE id = $1`,
      [published.videoUuid],
    );
    expect(await readRules(published.videoUuid)).toEqual(before);
  });

  it('is not made of a film that is taken back in the same moment', async () => {
    const id = published.videoUuid;
    const takenBack = sqlRows(
      `WITH video AS (UPDATE videos SET deleted_at = now() WHERE id = $1 RETURNING id) SELECT pg_sleep(3) FROM video`,
      [id],
    );
    const isLocked = async () =>
      (await sqlRows('SELECT id FROM videos WHERE id = $1 FOR UPDATE SKIP LOCKED', [id])).length === 0;
    while (!(await isLocked()));
    const refused = await clip(published.videoId, { start_ms: 0, end_ms: 1_500, title: 'Too late' });
    await takenBack;
    await sqlRows('UPDATE videos SET deleted_at = NULL WHERE id = $1', [id]);
    expect([refused.status, await refused.json()]).toMatchObject([409, { code: 'clips.source_not_ready' }]);
    expect(await sqlRows("SELECT id FROM videos WHERE title = 'Too late'")).toEqual([]);
  });

  it('must lie within the film, of a published video of one’s own', async () => {
    expect((await clip(published.videoId, { start_ms: 0, end_ms: 999 })).status).toBe(422);
    expect((await clip(published.videoId, { start_ms: 0, end_ms: 60_000 })).status).toBe(422);
    expect((await clip(published.videoId, { start_ms: 2_000, end_ms: 1_000 })).status).toBe(422);
    expect((await clip(published.videoId, { start_ms: -1, end_ms: 2_000 })).status).toBe(422);
    expect((await clip(published.videoId, { start_ms: 0, end_ms: 2_000 }, stranger)).status).toBe(404);
    const upload = await startUpload(creator);
    expect((await clip(upload.video_id, { start_ms: 0, end_ms: 2_000 })).status).toBe(409);
  });
});

describe('a watermark', () => {
  const png = (width: number, height: number): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(60);
    bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
    new DataView(bytes.buffer).setUint32(16, width);
    new DataView(bytes.buffer).setUint32(20, height);
    bytes.set([0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82], 52);
    return bytes;
  };
  const send = async (owner: TestUser, bytes: Uint8Array<ArrayBuffer>): Promise<string> => {
    const file = await callJson<{ id: string; url: string; headers: Record<string, string> }>(
      201,
      'POST',
      '/v1/me/side-files',
      { token: owner.token, body: { purpose: 'watermark', size_bytes: bytes.length } },
    );
    await fetch(file.url, { method: 'PUT', headers: file.headers, body: bytes });
    return file.id;
  };
  const set = (owner: TestUser, body: object) =>
    call('PUT', '/v1/me/watermark', { token: owner.token, body });

  it('is a PNG by its content, set in a corner, and goes onto what is encoded from then on', async () => {
    const owner = await seedUser();
    expect((await call('GET', '/v1/me/watermark', { token: owner.token })).status).toBe(404);
    expect((await set(owner, {})).status).toBe(404);
    expect((await set(owner, { file_id: await send(owner, png(8, 8)) })).status).toBe(422);
    expect((await set(owner, { file_id: await send(owner, new Uint8Array(60)) })).status).toBe(422);
    const made = await set(owner, { file_id: await send(owner, png(200, 50)), corner: 'top_left' });
    expect(await made.json()).toEqual({
      width: 200,
      height: 50,
      corner: 'top_left',
      opacity_percent: 60,
      width_percent: 12,
    });
    const moved = await set(owner, { corner: 'bottom_left', opacity_percent: 30, width_percent: 20 });
    expect(await moved.json()).toMatchObject({ width: 200, corner: 'bottom_left', opacity_percent: 30 });
    expect((await call('DELETE', '/v1/me/watermark', { token: owner.token })).status).toBe(204);
    expect((await call('DELETE', '/v1/me/watermark', { token: owner.token })).status).toBe(404);
  });

  it('comes from a file of one’s own alone', async () => {
    const [owner, other] = [await seedUser(), await seedUser()];
    expect((await set(other, { file_id: await send(owner, png(200, 50)) })).status).toBe(422);
  });
});
