import { beforeAll, describe, expect, it } from 'vitest';
import { exportSections } from '../../../src/modules/accounts/personal-data.policy.ts';
import { listExportedRows, listOwnFiles } from '../../../src/modules/accounts/personal-data.repository.ts';
import { encodeId } from '../../../src/shared/ids.ts';
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

let bytes: Uint8Array;
let owner: TestUser;
let videoId: string;
beforeAll(async () => {
  bytes = await film('film.mp4');
  owner = await seedUser();
  ({ videoId } = await publishFilm(owner, bytes, { title: 'One film', file_name: 'first.mp4' }));
});

const get = <T>(path: string): Promise<T> => callJson<T>(200, 'GET', path, { token: owner.token });
const idsOf = async (path: string) => (await get<{ data: { id: string }[] }>(path)).data.map(({ id }) => id);
const storedBytes = async () => {
  const { stored_bytes } = await get<{ stored_bytes: { used: number } }>('/v1/me/videos/limits');
  return stored_bytes.used;
};

async function sendFile(fileName: string): Promise<string> {
  const upload = await callJson<StartedUpload>(201, 'POST', `/v1/videos/${videoId}/replacement`, {
    token: owner.token,
    body: { file_name: fileName, size_bytes: bytes.length, content_type: 'video/mp4' },
  });
  await complete(owner, upload.id, await putParts(upload, bytes));
  await deliverEvents();
  const [row] = await sqlRows<{ id: string }>(
    'SELECT id FROM videos WHERE replaces_id = $1 ORDER BY id DESC LIMIT 1',
    [uuidOf(videoId)],
  );
  const hidden = row?.id ?? '';
  for (const event of await scanEvents(hidden)) await sendWebhook(event);
  await deliverEvents();
  return hidden;
}

async function finish(hidden: string): Promise<void> {
  for (const event of await endedJobEvents(hidden)) await sendWebhook(event);
  await deliverEvents();
}

async function fail(hidden: string): Promise<void> {
  const [end] = (await endedJobEvents(hidden)).slice(-1);
  await sendWebhook({ ...end, detail: { ...end?.detail, status: 'CANCELED' } });
  await deliverEvents();
}

const exported = async (file: string): Promise<Record<string, unknown>[]> => {
  const section = exportSections.find((each) => each.file === file);
  if (section === undefined) throw new Error(`no section ${file}`);
  const page = { after: undefined, limit: 50 };
  const rows = await listExportedRows(contextOf().databases.primary, section, owner.uuid, page);
  return rows.map(({ line }) => JSON.parse(line));
};

const media = () => listOwnFiles(contextOf().databases.primary, owner.uuid, { after: undefined, limit: 50 });

/** Whatever lists, counts or names videos shows one, the one its owner knows. */
async function expectOneVideo(hidden: string): Promise<void> {
  expect(await idsOf('/v1/me/videos')).toEqual([videoId]);
  expect(await idsOf(`/v1/users/${owner.id}/videos`)).toEqual([videoId]);
  const rss = await (await call('GET', `/v1/users/${owner.id}/feed.rss`)).text();
  expect(rss.match(/<item>/g)).toHaveLength(1);
  const channel = await get<{ top_videos: { video_id: string }[] }>('/v1/me/analytics');
  expect(channel.top_videos.map((video) => video.video_id)).not.toContain(encodeId('video', hidden));
  expect((await exported('videos')).map(({ id }) => id)).toEqual([uuidOf(videoId)]);
}

describe('a file that is to replace that of a video', () => {
  it('stands in no list, feed, count or export as a video while it is made, and its bytes count', async () => {
    const hidden = await sendFile('second.mp4');
    await expectOneVideo(hidden);
    expect(await storedBytes()).toBe(2 * bytes.length);
    expect(await exported('replacements')).toMatchObject([
      { id: hidden, replaces_id: uuidOf(videoId), state: 'transcoding', deleted_at: null },
    ]);
    expect((await exported('uploads')).map(({ replaces_id, file_name }) => [replaces_id, file_name])).toEqual(
      [
        [null, 'first.mp4'],
        [uuidOf(videoId), 'second.mp4'],
      ],
    );
    expect((await media()).map((file) => [file.videoId, file.fileName])).toEqual([
      [uuidOf(videoId), 'first.mp4'],
      [uuidOf(videoId), 'second.mp4'],
    ]);
    await finish(hidden);
  });

  it('is the file of the video once it is done, and counts once', async () => {
    const [hidden] = (await exported('replacements')).map(({ id }) => String(id));
    await expectOneVideo(hidden ?? '');
    expect(await storedBytes()).toBe(bytes.length);
    expect((await media()).map((file) => [file.videoId, file.fileName])).toEqual([
      [uuidOf(videoId), 'second.mp4'],
    ]);
  });

  it('counts while a failed one is kept to be tried again, until it is dropped', async () => {
    const hidden = await sendFile('third.mp4');
    await fail(hidden);
    await expectOneVideo(hidden);
    expect(await storedBytes()).toBe(2 * bytes.length);
    await callJson(204, 'DELETE', `/v1/videos/${videoId}/replacement`, { token: owner.token });
    await deliverEvents();
    await expectOneVideo(hidden);
    expect(await storedBytes()).toBe(bytes.length);
  });

  it('cannot be posted, put on a list, commented on, rated or watched by an id somebody guessed', async () => {
    const hidden = await sendFile('fourth.mp4');
    const id = encodeId('video', hidden);
    const tries: [string, string, unknown?][] = [
      ['POST', '/v1/posts', { text: 'look', video_id: id }],
      ['PUT', `/v1/me/watch-later/${id}`],
      ['POST', `/v1/videos/${id}/comments`, { text: 'hello' }],
      ['PUT', `/v1/videos/${id}/rating`, { rating: 'like' }],
      ['POST', `/v1/videos/${id}/playback`],
      ['GET', `/v1/videos/${id}/analytics`],
      ['GET', `/v1/videos/${id}/encoding`],
      ['POST', `/v1/videos/${id}/clips`, { start_ms: 0, end_ms: 1_000 }],
    ];
    for (const during of [true, false]) {
      if (!during) await finish(hidden);
      for (const [method, path, body] of tries) {
        const response = await call(method, path, { token: owner.token, body });
        expect([404, 422], `${method} ${path}`).toContain(response.status);
      }
    }
  });
});
