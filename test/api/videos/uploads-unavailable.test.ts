import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Bindings } from '../../../src/context.ts';
import { listMultipartUploads } from '../../../src/integrations/aws/index.ts';
import { sweepOutbox } from '../../../src/jobs/publish.ts';
import { completeUpload } from '../../../src/modules/videos/usecases/complete-upload.ts';
import { getUpload } from '../../../src/modules/videos/usecases/follow-upload.ts';
import { startUpload as startUploadVerb } from '../../../src/modules/videos/usecases/start-upload.ts';
import { decodeId } from '../../../src/shared/ids.ts';
import { seedUser, sqlRows } from '../../support/worker/client.ts';
import { complete, contextOf, film, putParts, startUpload } from '../../support/worker/films.ts';
import { takeMessages } from '../../support/worker/queues.ts';

const input = {
  fileName: 'film.mp4',
  sizeBytes: 1_000,
  contentType: 'video/mp4',
  title: undefined,
  description: undefined,
  visibility: undefined,
  details: {},
};
const away = { S3_ENDPOINT: 'http://127.0.0.1:1' };

afterEach(() => {
  vi.restoreAllMocks();
});

describe('while S3 is away', () => {
  it('starting answers 503 and leaves nothing behind', async () => {
    const user = await seedUser();
    await expect(startUploadVerb(contextOf({ user, settings: away }), input)).rejects.toMatchObject({
      code: 'service.unavailable',
      status: 503,
      headers: { 'retry-after': '2' },
    });
    expect(await sqlRows('SELECT 1 FROM videos WHERE owner_id = $1', [user.uuid])).toEqual([]);
    expect(await sqlRows('SELECT 1 FROM uploads WHERE owner_id = $1', [user.uuid])).toEqual([]);
  });

  it('starting frees what S3 began although its answer was lost', async () => {
    const user = await seedUser();
    const { aws } = contextOf().config;
    let prefix = 'none';
    const held = async () => (await listMultipartUploads(aws, { bucket: aws.uploadsBucket, prefix })).length;
    const real = globalThis.fetch;
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const response = await real(input, init);
      if (url.search !== '?uploads=' || prefix !== 'none') return response;
      prefix = url.pathname.slice(`/${aws.uploadsBucket}/`.length);
      await response.arrayBuffer();
      expect(await held()).toBe(1);
      throw new TypeError('Network connection lost.');
    });
    await expect(startUploadVerb(contextOf({ user }), input)).rejects.toMatchObject({ status: 503 });
    expect(prefix).toContain('quarantine/');
    expect(await held()).toBe(0);
    expect(await sqlRows('SELECT 1 FROM uploads WHERE owner_id = $1', [user.uuid])).toEqual([]);
  });

  it('completing answers 503 and works once S3 is back', async () => {
    const user = await seedUser();
    const bytes = await film('film.mp4');
    const upload = await startUpload(user, { size_bytes: bytes.length });
    const parts = await putParts(upload, bytes);
    const uploadId = decodeId('upload', upload.id) ?? '';
    const listed = parts.map(({ part_number, etag }) => ({ partNumber: part_number, etag }));
    const ctx = contextOf({ user, settings: away });
    await expect(completeUpload(ctx, uploadId, listed)).rejects.toMatchObject({ status: 503 });
    await expect(getUpload(ctx, uploadId)).rejects.toMatchObject({ status: 503 });
    expect((await complete(user, upload.id, parts)).status).toBe(200);
    takeMessages();
  });
});

it('an upload completes while no queue takes its news, which are sent later', async () => {
  const user = await seedUser();
  const bytes = await film('film.mp4');
  const upload = await startUpload(user, { size_bytes: bytes.length });
  const parts = await putParts(upload, bytes);
  const uploadId = decodeId('upload', upload.id) ?? '';
  takeMessages();
  const queueAway = { sendBatch: () => Promise.reject(new Error('Queue is overloaded')) } as unknown as Queue;
  const ctx = contextOf({ user });
  const bindings = { ...ctx.bindings, EVENTS_QUEUE: queueAway, MEDIA_QUEUE: queueAway };
  const listed = parts.map(({ part_number, etag }) => ({ partNumber: part_number, etag }));
  expect(await completeUpload({ ...ctx, bindings }, uploadId, listed)).toMatchObject({ state: 'completed' });
  expect(takeMessages()).toEqual([]);
  await sqlRows('UPDATE outbox SET claimed_until = NULL');
  await sweepOutbox(contextOf());
  expect(takeMessages().map(({ body }) => body.type)).toContain('video.uploaded');
});

describe('while uploads are paused', () => {
  const pausedFor = (flags: unknown): Partial<Bindings> => ({
    FLAGS: { get: async () => JSON.stringify({ videoUploads: flags }) } as unknown as KVNamespace,
  });

  it('starting is refused for those it is off for, and uploads already begun go on', async () => {
    const [user, exempt] = [await seedUser(), await seedUser()];
    const bytes = await film('film.mp4');
    const begun = await startUpload(user, { size_bytes: bytes.length });
    const flags = { enabled: false, users: { [exempt.id]: true } };
    const contextFor = (who: typeof user) => {
      const ctx = contextOf({ user: who });
      return { ...ctx, bindings: { ...ctx.bindings, ...pausedFor(flags) } };
    };
    await expect(startUploadVerb(contextFor(user), input)).rejects.toMatchObject({
      code: 'videos.uploads_paused',
      status: 503,
    });
    expect((await startUploadVerb(contextFor(exempt), input)).upload.state).toBe('open');
    expect((await complete(user, begun.id, await putParts(begun, bytes))).status).toBe(200);
    takeMessages();
  });
});
