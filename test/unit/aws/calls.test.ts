import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type AwsConfig,
  AwsError,
  abortMultipartUpload,
  cancelJob,
  completeMultipartUpload,
  createJob,
  createMultipartUpload,
  getJob,
  getRange,
  headObject,
  listMultipartUploads,
  listParts,
  presignUploadPart,
} from '../../../src/integrations/aws/index.ts';
import { encodeKey } from '../../../src/integrations/aws/s3.ts';
import { elementsOf, escapeXml, textOf } from '../../../src/integrations/aws/xml.ts';
import { contextOf } from '../../support/worker/films.ts';

const config: AwsConfig = {
  ...contextOf().config.aws,
  region: 'eu-west-1',
  s3Endpoint: '',
  s3PublicEndpoint: '',
  mediaConvertEndpoint: '',
  requestTimeoutMs: 500,
};
const target = { bucket: 'raw-bucket', key: 'originals/a/b.mp4' };
const upload = { ...target, uploadId: 'upload-1' };

afterEach(() => vi.restoreAllMocks());

/** Answers the Worker's calls with the given responses, one after the other; the last one for all that follow. */
function answering(...answers: (() => Response | Promise<Response>)[]): Request[] {
  const requests: Request[] = [];
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
    requests.push(input as Request);
    const answer = answers[Math.min(requests.length, answers.length) - 1];
    if (answer === undefined) throw new Error('no answer prepared');
    return answer();
  });
  return requests;
}

const xml = (status: number, body: string) => () => new Response(body, { status });
const s3Error = (status: number, code: string) =>
  xml(status, `<Error><Code>${code}</Code><Message>no</Message></Error>`);

describe('calls to S3', () => {
  it('are signed for the region and service they are for, at the address of the bucket', async () => {
    const requests = answering(
      xml(200, '<InitiateMultipartUploadResult><UploadId>a&amp;b</UploadId></InitiateMultipartUploadResult>'),
    );
    expect(await createMultipartUpload(config, { ...target, contentType: 'video/mp4' })).toBe('a&b');
    expect(requests[0]?.url).toBe('https://raw-bucket.s3.eu-west-1.amazonaws.com/originals/a/b.mp4?uploads=');
    expect(requests[0]?.headers.get('authorization')).toContain('/eu-west-1/s3/aws4_request');
    expect(requests[0]?.headers.get('x-amz-content-sha256')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('take an error inside a 200 for what it is', async () => {
    answering(s3Error(200, 'InternalError'));
    const failure = completeMultipartUpload(config, upload, [{ partNumber: 1, etag: '"a"' }]);
    await expect(failure).rejects.toMatchObject({ code: 'InternalError', status: 200, retryable: true });
    answering(s3Error(200, 'InvalidPart'));
    const refusal = completeMultipartUpload(config, upload, [{ partNumber: 1, etag: '"a"' }]);
    await expect(refusal).rejects.toMatchObject({ code: 'InvalidPart', retryable: false });
    answering(xml(200, ''));
    const silence = completeMultipartUpload(config, upload, [{ partNumber: 1, etag: '"a"' }]);
    await expect(silence).rejects.toBeInstanceOf(AwsError);
  });

  it('send etags as data, whatever they contain', async () => {
    const requests = answering(xml(200, '<CompleteMultipartUploadResult></CompleteMultipartUploadResult>'));
    await completeMultipartUpload(config, upload, [{ partNumber: 1, etag: '"a"</ETag><x>' }]);
    const body = (await requests[0]?.text()) ?? '';
    expect(elementsOf(body, 'Part')).toHaveLength(1);
    expect(textOf(body, 'ETag')).toBe('"a"</ETag><x>');
  });

  it('are repeated after a passing failure only where that does no harm', async () => {
    const busy = s3Error(503, 'SlowDown');
    const found = () => new Response(null, { status: 200, headers: { 'content-length': '5', etag: '"e"' } });
    const reads = answering(() => new Response(null, { status: 503 }), found);
    expect(await headObject(config, target)).toEqual({ sizeBytes: 5, etag: '"e"' });
    expect(reads).toHaveLength(2);
    const starts = answering(busy);
    await expect(
      createMultipartUpload(config, { ...target, contentType: 'video/mp4' }),
    ).rejects.toMatchObject({
      code: 'SlowDown',
    });
    expect(starts).toHaveLength(1);
    const refusals = answering(s3Error(403, 'AccessDenied'));
    await expect(listParts(config, upload)).rejects.toMatchObject({ code: 'AccessDenied', retryable: false });
    expect(refusals).toHaveLength(1);
  });

  it('give up at the deadline and on a broken connection', async () => {
    vi.spyOn(globalThis, 'fetch').mockImplementation(
      (_, init) =>
        new Promise((_resolve, reject) =>
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)),
        ),
    );
    await expect(
      createMultipartUpload({ ...config, requestTimeoutMs: 10 }, { ...target, contentType: 'video/mp4' }),
    ).rejects.toMatchObject({ code: 'Unreachable', status: 0, retryable: true });
    answering(() => Promise.reject(new TypeError('Network connection lost.')));
    await expect(abortMultipartUpload(config, upload)).rejects.toMatchObject({ code: 'Unreachable' });
  });

  it('read every page of a list of parts', async () => {
    const page = (part: number, next?: number) =>
      xml(
        200,
        `<ListPartsResult><IsTruncated>${next !== undefined}</IsTruncated><NextPartNumberMarker>${next ?? 0}</NextPartNumberMarker>
         <Part><PartNumber>${part}</PartNumber><ETag>&quot;e${part}&quot;</ETag><Size>7</Size></Part></ListPartsResult>`,
      );
    const requests = answering(page(1, 1), page(2));
    expect(await listParts(config, upload)).toEqual([
      { partNumber: 1, etag: '"e1"', sizeBytes: 7 },
      { partNumber: 2, etag: '"e2"', sizeBytes: 7 },
    ]);
    expect(new URL(requests[1]?.url ?? '').searchParams.get('part-number-marker')).toBe('1');
  });

  it('do not read a whole object that comes in place of a range', async () => {
    const requests = answering(() => new Response('everything', { status: 200 }));
    await expect(getRange(config, target, { start: 0, end: 4 })).rejects.toMatchObject({
      code: 'RangeIgnored',
    });
    expect(requests[0]?.headers.get('range')).toBe('bytes=0-3');
    answering(() => new Response('ever', { status: 206 }));
    expect(new TextDecoder().decode(await getRange(config, target, { start: 0, end: 4 }))).toBe('ever');
  });

  it('count an abort of what is gone as done, and absence as absence', async () => {
    answering(s3Error(404, 'NoSuchUpload'));
    await expect(abortMultipartUpload(config, upload)).resolves.toBeUndefined();
    answering(() => new Response(null, { status: 404 }));
    expect(await headObject(config, target)).toBeUndefined();
  });

  it('decode keys that S3 lists percent-encoded', async () => {
    answering(
      xml(
        200,
        '<ListMultipartUploadsResult><Upload><Key>a/b%2Bc+d%C3%BC</Key><UploadId>u</UploadId></Upload></ListMultipartUploadsResult>',
      ),
    );
    expect(await listMultipartUploads(config, { bucket: 'raw-bucket', prefix: 'a/' })).toEqual([
      { bucket: 'raw-bucket', key: 'a/b+c dü', uploadId: 'u' },
    ]);
  });
});

describe('a redirect', () => {
  it('is not followed: a signature is for one host', async () => {
    const fetched = vi
      .spyOn(globalThis, 'fetch')
      .mockResolvedValue(
        new Response(null, { status: 307, headers: { location: 'https://elsewhere.example/' } }),
      );
    await expect(headObject(config, target)).rejects.toMatchObject({ code: 'Http307', retryable: false });
    expect(fetched).toHaveBeenCalledExactlyOnceWith(
      expect.anything(),
      expect.objectContaining({ redirect: 'manual' }),
    );
  });
});

describe('keys and XML', () => {
  it('are encoded as signatures want them, and dot segments are refused', () => {
    expect(encodeKey("a b/+%/ü(1)'!*.mp4")).toBe('a%20b/%2B%25/%C3%BC%281%29%27%21%2A.mp4');
    for (const key of ['', 'a/../b', './a', 'a/.']) expect(() => encodeKey(key)).toThrow(RangeError);
  });

  it('survive a round trip', () => {
    const text = `<&>"'ü👩`;
    expect(textOf(`<Key>${escapeXml(text)}</Key>`, 'Key')).toBe(text);
    expect(textOf('<Key>&#x41;&lt;&unknown;&#9999999;</Key>', 'Key')).toBe('A<&unknown;&#9999999;');
    expect(textOf('<Other/>', 'Key')).toBeUndefined();
  });
});

describe('presigned part URLs', () => {
  it('carry size, expiry and time in the signature, at the public endpoint', async () => {
    const part = {
      ...upload,
      partNumber: 3,
      sizeBytes: 99,
      ttlSeconds: 60,
      nowMs: Date.UTC(2026, 10, 23, 12),
    };
    const open = { ...config, s3Endpoint: 'http://inside:1', s3PublicEndpoint: 'https://outside.example' };
    const { url, headers } = await presignUploadPart(open, part);
    const { origin, pathname, searchParams } = new URL(url);
    expect([origin, pathname]).toEqual(['https://outside.example', '/raw-bucket/originals/a/b.mp4']);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      partNumber: '3',
      uploadId: 'upload-1',
      'X-Amz-Expires': '60',
      'X-Amz-Date': '20261123T120000Z',
      'X-Amz-SignedHeaders': 'content-length;host',
    });
    expect(headers).toEqual({ 'content-length': '99' });
    expect((await presignUploadPart(open, part)).url).toBe(url);
    expect((await presignUploadPart(open, { ...part, sizeBytes: 98 })).url).not.toBe(url);
  });
});

describe('calls to MediaConvert', () => {
  const json = (status: number, body: unknown, type?: string) => () =>
    new Response(JSON.stringify(body), {
      status,
      headers: type === undefined ? {} : { 'x-amzn-ErrorType': type },
    });

  it('speak lowerCamelCase to the regional address', async () => {
    const requests = answering(json(201, { job: { id: 'j', userMetadata: { A: 'b' } } }));
    const job = await createJob(config, { Role: 'r', Settings: {}, UserMetadata: { Job_Id: '1' } });
    expect(job).toMatchObject({ id: 'j', userMetadata: { A: 'b' } });
    expect(requests[0]?.url).toBe('https://mediaconvert.eu-west-1.amazonaws.com/2017-08-29/jobs');
    expect(requests[0]?.headers.get('authorization')).toContain('/eu-west-1/mediaconvert/aws4_request');
    expect(await requests[0]?.json()).toEqual({ role: 'r', settings: {}, userMetadata: { Job_Id: '1' } });
  });

  it('name the error of the service, without the address behind its type', async () => {
    answering(json(400, { message: 'bad settings' }, 'BadRequestException:http://internal.amazon.com/'));
    await expect(createJob(config, { Role: 'r', Settings: {} })).rejects.toMatchObject({
      service: 'mediaconvert',
      operation: 'CreateJob',
      code: 'BadRequestException',
      status: 400,
      retryable: false,
    });
    answering(() => new Response('<html>', { status: 502 }));
    await expect(createJob(config, { Role: 'r', Settings: {} })).rejects.toMatchObject({
      code: 'Http502',
      retryable: true,
    });
  });

  it('take a job nobody knows, or one that has ended, calmly', async () => {
    answering(json(404, { message: 'gone' }, 'NotFoundException'));
    expect(await getJob(config, 'j')).toBeUndefined();
    await expect(cancelJob(config, 'j')).resolves.toBeUndefined();
    answering(json(409, { message: 'over' }, 'ConflictException'));
    await expect(cancelJob(config, 'j')).resolves.toBeUndefined();
  });
});
