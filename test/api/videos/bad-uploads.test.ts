import { AwsClient } from 'aws4fetch';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { signParts } from '../../../src/modules/videos/usecases/follow-upload.ts';
import { decodeId, encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  complete,
  contextOf,
  getVideo,
  mebibyte,
  type PartUrl,
  putPart,
  putParts,
  type StartedUpload,
  startUpload,
  uploadBody,
} from '../../support/worker/films.ts';
import { takeMessages } from '../../support/worker/queues.ts';

let creator: TestUser;
let stranger: TestUser;
beforeAll(async () => {
  creator = await seedUser();
  stranger = await seedUser();
});

interface ProblemJson {
  readonly code: string;
  readonly errors?: readonly { readonly pointer: string; readonly code: string }[];
}

const start = (body: unknown, token: string | undefined = creator.token): Promise<Response> =>
  call('POST', '/v1/videos/uploads', { token, body });

const firstPart = (upload: StartedUpload): PartUrl => {
  const [part] = upload.parts;
  if (part === undefined) throw new Error('an upload has a part');
  return part;
};

const s3Uploads = async (uploadId: string): Promise<{ objectKey: string; s3UploadId: string }> => {
  const [row] = await sqlRows<{ objectKey: string; s3UploadId: string }>(
    'SELECT object_key AS "objectKey", s3_upload_id AS "s3UploadId" FROM uploads WHERE id = $1',
    [decodeId('upload', uploadId)],
  );
  if (row === undefined) throw new Error('no such upload');
  return row;
};

/** PUTs a part past the API, as someone with the credentials could. */
async function putPartDirectly(uploadId: string, partNumber: number, bytes: Uint8Array): Promise<string> {
  const { objectKey, s3UploadId } = await s3Uploads(uploadId);
  const client = new AwsClient({
    accessKeyId: inject('awsAccessKeyId'),
    secretAccessKey: inject('awsSecretAccessKey'),
    service: 's3',
    region: 'us-east-1',
    retries: 0,
  });
  const response = await client.fetch(
    `${inject('s3Url')}/social-flow-uploads/${objectKey}?partNumber=${partNumber}&uploadId=${s3UploadId}`,
    { method: 'PUT', body: bytes },
  );
  if (!response.ok) throw new Error(await response.text());
  return response.headers.get('etag') ?? '';
}

describe('a declaration that cannot be', () => {
  const cases: [string, unknown, string][] = [
    ['an empty file', uploadBody({ size_bytes: 0 }), '/size_bytes'],
    ['a negative size', uploadBody({ size_bytes: -1 }), '/size_bytes'],
    ['a fractional size', uploadBody({ size_bytes: 1.5 }), '/size_bytes'],
    ['a size beyond any file', uploadBody({ size_bytes: 2 ** 60 }), '/size_bytes'],
    ['a size as text', uploadBody({ size_bytes: '1000' }), '/size_bytes'],
    ['a type that is no film', uploadBody({ content_type: 'application/pdf' }), '/content_type'],
    ['a type named like a built-in', uploadBody({ content_type: '__proto__' }), '/content_type'],
    ['a file without a name', uploadBody({ file_name: '  ' }), '/file_name'],
    ['a name with a line break', uploadBody({ file_name: 'a\nb.mp4' }), '/file_name'],
    ['a name that turns text around', uploadBody({ file_name: 'a\u202e4pm.exe' }), '/file_name'],
    ['an endless title', uploadBody({ title: 'x'.repeat(201) }), '/title'],
    ['an unknown field', uploadBody({ owner_id: 'usr_1' }), '/owner_id'],
    ['an unknown visibility', uploadBody({ visibility: 'friends' }), '/visibility'],
  ];
  it.each(cases)('refuses %s and writes nothing', async (_, body, pointer) => {
    const owner = await seedUser();
    const response = await start(body, owner.token);
    expect(response.status).toBe(422);
    const problem = (await response.json()) as ProblemJson;
    expect(problem.code).toBe('request.invalid');
    expect(problem.errors?.map((error) => error.pointer)).toContain(pointer);
    expect(await sqlRows('SELECT 1 FROM videos WHERE owner_id = $1', [owner.uuid])).toEqual([]);
  });

  it('refuses a file above the limit by its declared size', async () => {
    const response = await start(uploadBody({ size_bytes: 20 * 1_024 * mebibyte + 1 }));
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      code: 'uploads.file_too_large',
      errors: [{ pointer: '/size_bytes' }],
    });
  });

  it('refuses JSON that is none, and callers without a token', async () => {
    const malformed = await start('{"file_name": ');
    expect([malformed.status, await malformed.json()]).toMatchObject([
      400,
      { code: 'request.malformed_json' },
    ]);
    const anonymous = await call('POST', '/v1/videos/uploads', { body: uploadBody() });
    expect(anonymous.status).toBe(401);
  });
});

describe('an upload of someone else', () => {
  it('does not exist, for every operation', async () => {
    const upload = await startUpload(creator);
    const path = `/v1/videos/uploads/${upload.id}`;
    const { token } = stranger;
    const answers = [
      await call('GET', path, { token }),
      await call('DELETE', path, { token }),
      await call('POST', `${path}/parts`, { token, body: { part_numbers: [1] } }),
      await call('POST', `${path}/complete`, {
        token,
        body: { parts: [{ part_number: 1, etag: '"0123456789abcdef"' }] },
      }),
    ];
    for (const answer of answers)
      expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'uploads.not_found' }]);
    expect((await call('GET', path, { token: creator.token })).status).toBe(200);
  });

  it('is not found by ids of another kind', async () => {
    for (const id of [
      encodeId('video', randomIds.next()),
      encodeId('post', randomIds.next()),
      'upl_1',
      '%00',
    ]) {
      const response = await call('GET', `/v1/videos/uploads/${id}`, { token: creator.token });
      expect(response.status).toBe(404);
    }
  });
});

describe('a presigned part URL', () => {
  it('takes no other part, no other size and no changed expiry', async () => {
    const upload = await startUpload(creator, { size_bytes: 11 * mebibyte });
    const part = upload.parts[1];
    if (part === undefined) throw new Error('two parts expected');
    const bytes = new Uint8Array(part.size_bytes);
    const changed = (name: string, value: string): PartUrl => {
      const url = new URL(part.url);
      url.searchParams.set(name, value);
      return { ...part, url: url.toString() };
    };
    const refused = [
      await putPart(changed('partNumber', '1'), bytes),
      await putPart(changed('X-Amz-Expires', '604800'), bytes),
      await putPart(changed('X-Amz-Signature', '0'.repeat(64)), bytes),
      await putPart({ ...part, headers: {} }, bytes.subarray(1)),
      await putPart({ ...part, headers: {} }, new Uint8Array(part.size_bytes + 1)),
    ];
    for (const response of refused) {
      expect(response.status).toBe(403);
      expect(await response.text()).toContain('<Code>SignatureDoesNotMatch</Code>');
    }
    expect((await putPart(part, bytes)).status).toBe(200);
  });

  it('is refused once its time is over', async () => {
    const upload = await startUpload(creator);
    const anHourAgo = contextOf({ user: creator, clockMs: Date.now() - 3_700_000 });
    const [part] = await signParts(anHourAgo, decodeId('upload', upload.id) ?? '', [1]);
    const response = await fetch(part?.url ?? '', { method: 'PUT', body: new Uint8Array(1_000) });
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('Request has expired');
  });

  it('is not given for parts the upload does not have', async () => {
    const upload = await startUpload(creator);
    const ask = (part_numbers: unknown) =>
      call('POST', `/v1/videos/uploads/${upload.id}/parts`, { token: creator.token, body: { part_numbers } });
    const unknown = await ask([1, 2]);
    expect([unknown.status, await unknown.json()]).toMatchObject([
      422,
      { code: 'uploads.part_unknown', errors: [{ pointer: '/part_numbers/1' }] },
    ]);
    for (const numbers of [
      [],
      [0],
      [1, 1],
      [10_001],
      Array.from({ length: 101 }, (_, index) => index + 1),
      '1',
    ])
      expect((await ask(numbers)).status).toBe(422);
  });
});

describe('a completion S3 or the plan contradicts', () => {
  it('names the parts that are missing, unknown, repeated or out of order', async () => {
    const upload = await startUpload(creator, { size_bytes: 25 * mebibyte });
    const etag = '"0123456789abcdef0123456789abcdef"';
    const outcome = async (...numbers: number[]) => {
      const response = await complete(
        creator,
        upload.id,
        numbers.map((part_number) => ({ part_number, etag })),
      );
      return [response.status, ((await response.json()) as ProblemJson).code];
    };
    expect(await outcome(1, 3)).toEqual([422, 'uploads.part_missing']);
    expect(await outcome(1, 2, 3, 4)).toEqual([422, 'uploads.part_unknown']);
    expect(await outcome(1, 2, 2, 3)).toEqual([422, 'uploads.part_repeated']);
    expect(await outcome(2, 1, 3)).toEqual([422, 'uploads.part_out_of_order']);
  });

  it('says which listed parts never arrived or arrived as something else, and goes on after they did', async () => {
    const bytes = new Uint8Array(11 * mebibyte).fill(3);
    const upload = await startUpload(creator, { size_bytes: bytes.length });
    await putPart(firstPart(upload), bytes.subarray(0, 10 * mebibyte));
    const response = await complete(creator, upload.id, [
      { part_number: 1, etag: '"ffffffffffffffffffffffffffffffff"' },
      { part_number: 2, etag: '"0123456789abcdef0123456789abcdef"' },
    ]);
    expect([response.status, await response.json()]).toMatchObject([
      422,
      {
        code: 'uploads.part_missing',
        errors: [
          { pointer: '/parts/0', code: 'etag_mismatch' },
          { pointer: '/parts/1', code: 'missing' },
        ],
      },
    ]);
    expect((await complete(creator, upload.id, await putParts(upload, bytes))).status).toBe(200);
    takeMessages();
  });

  it('refuses a part that was made too small', async () => {
    const upload = await startUpload(creator, { size_bytes: 11 * mebibyte });
    const small = await putPartDirectly(upload.id, 1, new Uint8Array(1_000));
    const last = await putPartDirectly(upload.id, 2, new Uint8Array(mebibyte));
    const response = await complete(creator, upload.id, [
      { part_number: 1, etag: small },
      { part_number: 2, etag: last },
    ]);
    expect([response.status, await response.json()]).toMatchObject([422, { code: 'uploads.part_too_small' }]);
  });

  it('fails the video and keeps nothing when the whole has another size than announced', async () => {
    const upload = await startUpload(creator, { size_bytes: 2_000 });
    const etag = await putPartDirectly(upload.id, 1, new Uint8Array(1_999));
    const response = await complete(creator, upload.id, [{ part_number: 1, etag }]);
    expect([response.status, await response.json()]).toMatchObject([422, { code: 'uploads.size_mismatch' }]);
    expect(await getVideo(upload.video_id, creator)).toMatchObject({
      state: 'failed',
      failure: { code: 'size_mismatch', retryable: false },
    });
    const again = await complete(creator, upload.id, [{ part_number: 1, etag }]);
    expect([again.status, await again.json()]).toMatchObject([409, { code: 'uploads.not_open' }]);
    takeMessages();
  });

  it('refuses lists that are no lists of parts', async () => {
    const upload = await startUpload(creator);
    const send = (body: unknown) =>
      call('POST', `/v1/videos/uploads/${upload.id}/complete`, { token: creator.token, body });
    const etag = '"0123456789abcdef0123456789abcdef"';
    for (const body of [
      {},
      { parts: [] },
      { parts: [{ part_number: 1 }] },
      { parts: [{ part_number: 1, etag: '</ETag><x/>0123456789' }] },
      { parts: [{ part_number: 1, etag, size: 5 }] },
      { parts: [{ part_number: '1', etag }] },
    ])
      expect((await send(body)).status).toBe(422);
  });
});

describe('quotas', () => {
  it('holds the number of unfinished uploads however many start at once', async () => {
    const owner = await seedUser();
    const answers = await Promise.all(Array.from({ length: 50 }, () => start(uploadBody(), owner.token)));
    const statuses = answers.map((answer) => answer.status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(40);
    const refused = answers.find((answer) => answer.status === 429);
    expect(await refused?.json()).toMatchObject({
      code: 'videos.quota_exceeded',
      errors: [{ code: 'open_uploads' }],
    });
    expect(await sqlRows('SELECT 1 FROM uploads WHERE owner_id = $1', [owner.uuid])).toHaveLength(10);
    expect((await start(uploadBody(), stranger.token)).status).toBe(201);
  });

  it('counts bytes and uploads of the last day, and says when to come back', async () => {
    const owner = await seedUser();
    for (let upload = 0; upload < 5; upload += 1)
      await startUpload(owner, { size_bytes: 20 * 1_024 * mebibyte });
    const bytes = await start(uploadBody(), owner.token);
    expect([bytes.status, await bytes.json()]).toMatchObject([
      429,
      { code: 'videos.quota_exceeded', errors: [{ pointer: '/size_bytes', code: 'daily_bytes' }] },
    ]);
    expect(Number(bytes.headers.get('retry-after'))).toBeGreaterThan(86_000);

    const other = await seedUser();
    await startUpload(other);
    await sqlRows(
      `INSERT INTO uploads SELECT gen_random_uuid(), video_id, owner_id, 'aborted', file_name, content_type, size_bytes,
         part_size_bytes, part_count, object_key, s3_upload_id, created_at, expires_at, now()
       FROM uploads, generate_series(1, 49) WHERE owner_id = $1`,
      [other.uuid],
    );
    const count = await start(uploadBody(), other.token);
    expect([count.status, await count.json()]).toMatchObject([
      429,
      { code: 'videos.quota_exceeded', errors: [{ code: 'daily_uploads' }] },
    ]);
  });
});
