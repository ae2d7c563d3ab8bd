import { beforeAll, describe, expect, it } from 'vitest';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  complete,
  film,
  getVideo,
  mebibyte,
  putPart,
  putParts,
  type StartedUpload,
  startUpload,
  uploadBody,
} from '../../support/worker/films.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';

interface ResumableUpload extends Omit<StartedUpload, 'parts'> {
  readonly held_parts: readonly {
    readonly part_number: number;
    readonly size_bytes: number;
    readonly etag: string;
  }[];
  readonly held_bytes: number;
}

const getUpload = async (user: TestUser, id: string): Promise<ResumableUpload> => {
  const upload = await callJson<ResumableUpload>(200, 'GET', `/v1/videos/uploads/${id}`, {
    token: user.token,
  });
  return upload;
};

let creator: TestUser;
beforeAll(async () => {
  creator = await seedUser();
});

describe('starting an upload', () => {
  it('names the video, the parts and where each goes, and titles the video by its file', async () => {
    const upload = await startUpload(creator, {
      file_name: 'Summer 2026.final.MP4',
      size_bytes: 25 * mebibyte,
    });
    expect(upload).toMatchObject({ state: 'open', part_size_bytes: 10 * mebibyte, part_count: 3 });
    expect(upload.id).toMatch(/^upl_/);
    expect(upload.parts.map((part) => part.size_bytes)).toEqual([10 * mebibyte, 10 * mebibyte, 5 * mebibyte]);
    expect(upload.parts.map((part) => part.headers)).toEqual(
      upload.parts.map((part) => ({ 'content-length': String(part.size_bytes) })),
    );
    expect(await getVideo(upload.video_id, creator)).toMatchObject({
      title: 'Summer 2026.final',
      state: 'uploading',
      visibility: 'public',
    });
  });

  it('gives out the first hundred URLs, and any others by number', async () => {
    const owner = await seedUser();
    const upload = await startUpload(owner, { size_bytes: 1_500 * mebibyte });
    expect(upload).toMatchObject({ part_count: 150 });
    expect(upload.parts).toHaveLength(100);
    const { parts } = await callJson<{ parts: StartedUpload['parts'] }>(
      200,
      'POST',
      `/v1/videos/uploads/${upload.id}/parts`,
      { token: owner.token, body: { part_numbers: [150, 101] } },
    );
    expect(parts.map((part) => part.part_number)).toEqual([150, 101]);
  });

  it('answers a repeated request under the same Idempotency-Key with the same upload', async () => {
    const owner = await seedUser();
    const request = {
      token: owner.token,
      body: uploadBody({ file_name: 'once.mp4' }),
      headers: { 'idempotency-key': 'start-once' },
    };
    const first = await callJson<StartedUpload>(201, 'POST', '/v1/videos/uploads', request);
    const second = await callJson<StartedUpload>(201, 'POST', '/v1/videos/uploads', request);
    expect(second.id).toBe(first.id);
    expect(await sqlRows('SELECT 1 FROM uploads WHERE owner_id = $1', [owner.uuid])).toHaveLength(1);
  });

  it('keeps titles and descriptions as people type them', async () => {
    const title = "Robert'); DROP TABLE videos;-- <b>שלום</b> 👩‍👩‍👧 𝔘";
    const upload = await startUpload(creator, { title, description: 'Line one\nline two & <script>' });
    expect(await getVideo(upload.video_id, creator)).toMatchObject({
      title,
      description: 'Line one\nline two & <script>',
    });
    await call('DELETE', `/v1/videos/uploads/${upload.id}`, { token: creator.token });
  });
});

describe('resuming an upload', () => {
  it('tells which parts have arrived, whatever the order they came in', async () => {
    const owner = await seedUser();
    const bytes = new Uint8Array(21 * mebibyte).fill(7);
    const upload = await startUpload(owner, { size_bytes: bytes.length });
    expect((await getUpload(owner, upload.id)).held_parts).toEqual([]);
    const [first, , third] = upload.parts;
    if (first === undefined || third === undefined) throw new Error('three parts expected');
    expect((await putPart(third, bytes.subarray(20 * mebibyte))).status).toBe(200);
    expect((await putPart(first, bytes.subarray(0, 10 * mebibyte))).status).toBe(200);
    const resumed = await getUpload(owner, upload.id);
    expect(resumed.held_parts.map((part) => [part.part_number, part.size_bytes])).toEqual([
      [1, 10 * mebibyte],
      [3, mebibyte],
    ]);
    expect(resumed.held_bytes).toBe(11 * mebibyte);
    expect(resumed.state).toBe('open');
  });
});

describe('completing an upload', () => {
  it('is done once however often and however many at a time it is asked for', async () => {
    const owner = await seedUser();
    const bytes = await film('film.mp4');
    const upload = await startUpload(owner, { size_bytes: bytes.length });
    const parts = await putParts(upload, bytes);
    const raced = await Promise.all(Array.from({ length: 8 }, () => complete(owner, upload.id, parts)));
    expect(raced.map((response) => response.status)).toEqual(raced.map(() => 200));
    const again = await complete(owner, upload.id, parts);
    expect(await again.json()).toMatchObject({ id: upload.id, state: 'completed' });
    const messages = takeMessages().filter((message) => message.body.type === 'video.uploaded');
    expect(messages).toHaveLength(1);
    expect(await getUpload(owner, upload.id)).toMatchObject({ state: 'completed', held_parts: [] });
  });

  it('finishes what a crash after the parts were joined left open', async () => {
    const owner = await seedUser();
    const bytes = await film('film.mp4');
    const upload = await startUpload(owner, { size_bytes: bytes.length });
    const parts = await putParts(upload, bytes);
    expect((await complete(owner, upload.id, parts)).status).toBe(200);
    // As it was when the answer of S3 never reached the database.
    await sqlRows(
      `WITH upload AS (UPDATE uploads SET state = 'completing', finished_at = NULL WHERE owner_id = $1 RETURNING video_id)
       UPDATE videos SET state = 'uploading', source_key = NULL FROM upload WHERE id = upload.video_id`,
      [owner.uuid],
    );
    expect(await getUpload(owner, upload.id)).toMatchObject({ state: 'completed' });
    expect(await getVideo(upload.video_id, owner)).toMatchObject({ state: 'scanning' });
    takeMessages();
  });
});

describe('giving an upload up', () => {
  it('removes the video and frees the parts', async () => {
    const owner = await seedUser();
    const bytes = new Uint8Array(1_000);
    const upload = await startUpload(owner, { size_bytes: bytes.length });
    const [part] = upload.parts;
    if (part === undefined) throw new Error('one part expected');
    await putPart(part, bytes);
    const aborted = await call('DELETE', `/v1/videos/uploads/${upload.id}`, { token: owner.token });
    expect(aborted.status).toBe(204);
    await deliverEvents();
    expect((await putPart(part, bytes)).status).toBe(404);
    const gone = await call('GET', `/v1/videos/${upload.video_id}`, { token: owner.token });
    expect(gone.status).toBe(404);
    expect(await getUpload(owner, upload.id)).toMatchObject({ state: 'aborted', held_parts: [] });
    const repeated = await call('DELETE', `/v1/videos/uploads/${upload.id}`, { token: owner.token });
    expect(repeated.status).toBe(204);
  });

  it('is refused once the upload is complete', async () => {
    const owner = await seedUser();
    const bytes = new Uint8Array(1_000);
    const upload = await startUpload(owner, { size_bytes: bytes.length });
    await complete(owner, upload.id, await putParts(upload, bytes));
    takeMessages();
    const response = await call('DELETE', `/v1/videos/uploads/${upload.id}`, { token: owner.token });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: 'uploads.not_open' });
  });
});
