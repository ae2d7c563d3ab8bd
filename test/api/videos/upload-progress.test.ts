import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  type CompletedPart,
  mebibyte,
  putPart,
  type StartedUpload,
  startUpload,
} from '../../support/worker/films.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';

afterEach(() => vi.restoreAllMocks());

const size = 41 * mebibyte;
const bytes = new Uint8Array(size).fill(3);

async function send(upload: StartedUpload, numbers: readonly number[]): Promise<CompletedPart[]> {
  const parts: CompletedPart[] = [];
  for (const number of numbers) {
    const part = upload.parts[number - 1];
    if (part === undefined) throw new Error(`no part ${number}`);
    const start = (number - 1) * upload.part_size_bytes;
    const response = await putPart(part, bytes.subarray(start, start + part.size_bytes));
    parts.push({ part_number: number, etag: response.headers.get('etag') ?? '' });
  }
  return parts;
}

interface Progress {
  readonly held_bytes: number;
  readonly percent: number;
  readonly confirmed_percent: number;
}

const acknowledge = (owner: TestUser, upload: StartedUpload, parts: readonly CompletedPart[]) =>
  callJson<Progress>(200, 'PUT', `/v1/videos/uploads/${upload.id}/parts`, {
    token: owner.token,
    body: { parts },
  });

/** As if the last question to S3 lay some seconds back. */
const later = (owner: TestUser) =>
  sqlRows(`UPDATE uploads SET checked_at = checked_at - interval '3 seconds' WHERE owner_id = $1`, [
    owner.uuid,
  ]);

const toldPercents = (): number[] =>
  takeMessages()
    .filter((message) => message.body.type === 'upload.progressed')
    .map((message) => (message.body.data as { percent: number }).percent)
    .sort((one, other) => one - other);

const questionsToS3 = (): (() => number) => {
  const seen = vi.spyOn(globalThis, 'fetch');
  return () =>
    seen.mock.calls.filter(([input]) =>
      (input instanceof Request ? input.url : String(input)).startsWith(inject('s3Url')),
    ).length;
};

describe('telling which parts have been sent', () => {
  it('tells of each quarter once, when S3 confirms it', async () => {
    const owner = await seedUser();
    const upload = await startUpload(owner, { size_bytes: size });
    const first = await send(upload, [1]);
    expect(await acknowledge(owner, upload, first)).toEqual({
      held_bytes: 10 * mebibyte,
      percent: 24,
      confirmed_percent: 0,
    });
    const second = await send(upload, [2, 3]);
    expect(await acknowledge(owner, upload, second)).toMatchObject({ percent: 73, confirmed_percent: 50 });
    expect(toldPercents()).toEqual([25, 50]);
    expect(await acknowledge(owner, upload, [...first, ...second])).toMatchObject({ confirmed_percent: 50 });
    await later(owner);
    const rest = await send(upload, [4, 5]);
    expect(await acknowledge(owner, upload, rest)).toMatchObject({ percent: 100, confirmed_percent: 100 });
    expect(toldPercents()).toEqual([75, 100]);
    const completed = await call('POST', `/v1/videos/uploads/${upload.id}/complete`, {
      token: owner.token,
      body: {},
    });
    expect([completed.status, await completed.json()]).toMatchObject([200, { state: 'completed' }]);
    expect(toldPercents()).toEqual([]);
    expect(await sqlRows('SELECT 1 FROM upload_parts')).toEqual([]);
  });

  it('believes no client about what it tells others', async () => {
    const owner = await seedUser();
    const upload = await startUpload(owner, { size_bytes: size });
    const lies = upload.parts.map((part) => ({ part_number: part.part_number, etag: `"${'0'.repeat(32)}"` }));
    expect(await acknowledge(owner, upload, lies)).toMatchObject({ percent: 100, confirmed_percent: 0 });
    expect(toldPercents()).toEqual([]);
    const refused = await call('POST', `/v1/videos/uploads/${upload.id}/complete`, {
      token: owner.token,
      body: { parts: lies },
    });
    expect([refused.status, await refused.json()]).toMatchObject([422, { code: 'uploads.part_missing' }]);
    const resumed = await callJson<{ held_parts: unknown[] }>(200, 'GET', `/v1/videos/uploads/${upload.id}`, {
      token: owner.token,
    });
    expect(resumed.held_parts).toEqual([]);
  });

  it('asks S3 at most every two seconds, and a resuming client is answered without', async () => {
    const owner = await seedUser();
    const upload = await startUpload(owner, { size_bytes: size });
    const sent = await send(upload, [1, 2]);
    const asked = questionsToS3();
    await acknowledge(owner, upload, sent);
    expect(asked()).toBe(1);
    const lies = [3, 4, 5].map((number) => ({ part_number: number, etag: `"${'0'.repeat(32)}"` }));
    await acknowledge(owner, upload, lies);
    expect(asked()).toBe(1);
    const resumed = await callJson<{ held_parts: { part_number: number; size_bytes: number }[] }>(
      200,
      'GET',
      `/v1/videos/uploads/${upload.id}`,
      { token: owner.token },
    );
    expect(resumed.held_parts.map((part) => [part.part_number, part.size_bytes])).toEqual([
      [1, 10 * mebibyte],
      [2, 10 * mebibyte],
      [3, 10 * mebibyte],
      [4, 10 * mebibyte],
      [5, mebibyte],
    ]);
    expect(asked()).toBe(1);
    takeMessages();
  });

  it('tells of all four when an upload is completed that told nothing before', async () => {
    const owner = await seedUser();
    const upload = await startUpload(owner, { size_bytes: size });
    await send(upload, [5, 4, 3, 2, 1]);
    const completed = await call('POST', `/v1/videos/uploads/${upload.id}/complete`, {
      token: owner.token,
      body: {},
    });
    expect(completed.status).toBe(200);
    const told = takeMessages().filter((message) => message.body.type === 'upload.progressed');
    expect(told.map((message) => message.body.data)).toEqual(
      expect.arrayContaining(
        [25, 50, 75, 100].map((percent) => expect.objectContaining({ percent, owner_id: owner.uuid })),
      ),
    );
    expect(told).toHaveLength(4);
  });

  it('refuses to complete without a list while parts are missing, and names them', async () => {
    const owner = await seedUser();
    const upload = await startUpload(owner, { size_bytes: size });
    await send(upload, [1, 3, 5]);
    const response = await call('POST', `/v1/videos/uploads/${upload.id}/complete`, {
      token: owner.token,
      body: {},
    });
    const problem = (await response.json()) as { code: string; errors: { message: string }[] };
    expect([response.status, problem.code]).toEqual([422, 'uploads.part_missing']);
    expect(problem.errors.map((error) => error.message)).toEqual(['part 2 of 5', 'part 4 of 5']);
  });

  it('refuses parts the upload does not have, and ended uploads', async () => {
    const owner = await seedUser();
    const upload = await startUpload(owner, { size_bytes: 1_000 });
    const put = (parts: readonly CompletedPart[]) =>
      call('PUT', `/v1/videos/uploads/${upload.id}/parts`, { token: owner.token, body: { parts } });
    const etag = `"${'0'.repeat(32)}"`;
    const unknown = await put([
      { part_number: 1, etag },
      { part_number: 2, etag },
    ]);
    expect([unknown.status, await unknown.json()]).toMatchObject([
      422,
      { code: 'uploads.part_unknown', errors: [{ pointer: '/parts/1' }] },
    ]);
    const twice = await put([
      { part_number: 1, etag },
      { part_number: 1, etag },
    ]);
    expect(twice.status).toBe(422);
    await call('DELETE', `/v1/videos/uploads/${upload.id}`, { token: owner.token });
    const ended = await put([{ part_number: 1, etag }]);
    expect([ended.status, await ended.json()]).toMatchObject([409, { code: 'uploads.not_open' }]);
    await deliverEvents();
  });
});

describe('my limits', () => {
  interface Limits {
    readonly can_upload: boolean;
    readonly reason: string | null;
    readonly daily_uploads: { readonly limit: number; readonly used: number; readonly remaining: number };
    readonly daily_bytes: { readonly used: number };
    readonly open_uploads: { readonly used: number; readonly remaining: number };
    readonly stored_bytes: { readonly used: number };
    readonly daily_resets_at: string | null;
  }
  const limitsOf = (owner: TestUser) =>
    callJson<Limits>(200, 'GET', '/v1/me/videos/limits', { token: owner.token });

  it('count what was started, what is unfinished and what is stored', async () => {
    const owner = await seedUser();
    expect(await limitsOf(owner)).toMatchObject({
      can_upload: true,
      reason: null,
      daily_uploads: { limit: 50, used: 0, remaining: 50 },
      stored_bytes: { used: 0 },
      daily_resets_at: null,
    });
    await startUpload(owner, { size_bytes: 5_000 });
    await sqlRows(
      `INSERT INTO videos (id, owner_id, title, state, source_key, source_bytes) VALUES (gen_random_uuid(), $1, 'x', 'transcoding', 'k', 700)`,
      [owner.uuid],
    );
    expect(await limitsOf(owner)).toMatchObject({
      can_upload: true,
      daily_uploads: { used: 1, remaining: 49 },
      daily_bytes: { used: 5_000 },
      open_uploads: { used: 1, remaining: 9 },
      stored_bytes: { used: 5_700 },
      daily_resets_at: expect.stringMatching(/Z$/),
    });
  });

  it('say why nothing can be uploaded, and hold starts to what is stored', async () => {
    const owner = await seedUser();
    await sqlRows(
      `INSERT INTO videos (id, owner_id, title, state, source_key, source_bytes)
       VALUES (gen_random_uuid(), $1, 'x', 'transcoding', 'k', 1099511627776 - 999)`,
      [owner.uuid],
    );
    const over = await call('POST', '/v1/videos/uploads', {
      token: owner.token,
      body: { file_name: 'a.mp4', size_bytes: 1_000, content_type: 'video/mp4' },
    });
    expect([over.status, await over.json()]).toMatchObject([
      429,
      { code: 'videos.quota_exceeded', errors: [{ code: 'stored_bytes', pointer: '/size_bytes' }] },
    ]);
    await startUpload(owner, { size_bytes: 999 });
    expect(await limitsOf(owner)).toMatchObject({ can_upload: false, reason: 'stored_bytes' });
  });
});
