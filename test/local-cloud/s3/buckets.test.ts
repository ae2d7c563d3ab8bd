import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketCorsCommand,
  DeleteObjectCommand,
  GetBucketCorsCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BUCKET,
  failure,
  objectUrl,
  sdkFailure,
  sendRaw,
  startTestServer,
  type TestServer,
} from './support/server.ts';
import { REGION } from './support/sign.ts';

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer({
    buckets: [
      {
        name: BUCKET,
        cors: [
          {
            allowedOrigins: ['http://localhost:*', 'https://app.example.com'],
            allowedMethods: ['GET', 'PUT'],
            allowedHeaders: ['content-*', 'x-custom'],
            exposeHeaders: ['ETag', 'x-amz-request-id'],
            maxAgeSeconds: 600,
          },
          { allowedOrigins: ['*'], allowedMethods: ['HEAD'] },
        ],
      },
    ],
  });
});
afterAll(() => test.stop());

describe('a bucket', () => {
  it('is created, listed, found and deleted', async () => {
    const Bucket = 'second-bucket';
    await test.sdk.send(new CreateBucketCommand({ Bucket }));
    const listed = await test.sdk.send(new ListBucketsCommand({}));
    expect(listed.Buckets?.map(({ Name }) => Name)).toEqual(['second-bucket', BUCKET]);
    expect(await test.sdk.send(new HeadBucketCommand({ Bucket }))).toMatchObject({ BucketRegion: REGION });
    expect(await test.sdk.send(new GetBucketLocationCommand({ Bucket }))).toMatchObject({
      LocationConstraint: REGION,
    });
    expect(await sdkFailure(test.sdk.send(new CreateBucketCommand({ Bucket })))).toBe(
      '409 BucketAlreadyOwnedByYou',
    );
    await test.sdk.send(new DeleteBucketCommand({ Bucket }));
    expect(await sdkFailure(test.sdk.send(new HeadBucketCommand({ Bucket })))).toBe('404 NotFound');
    expect(await sdkFailure(test.sdk.send(new DeleteBucketCommand({ Bucket })))).toBe('404 NoSuchBucket');
  });

  it('is not deleted while it holds an object, but with a half-done upload it is', async () => {
    const Bucket = 'holding';
    await test.sdk.send(new CreateBucketCommand({ Bucket }));
    await test.sdk.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    expect(await sdkFailure(test.sdk.send(new DeleteBucketCommand({ Bucket })))).toBe('409 BucketNotEmpty');
    await test.sdk.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    await test.sdk.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k' }));
    await test.sdk.send(new DeleteBucketCommand({ Bucket }));
  });

  it('needs a valid name and the region of the server', async () => {
    for (const name of ['ab', 'Upper', 'under_score', 'dots..dots', '1.2.3.4', '-dash', '..%2Fescape']) {
      const response = await test.aws.fetch(`${test.server.url}/${name}`, { method: 'PUT' });
      expect([400, name, await failure(response)]).toEqual([400, name, '400 InvalidBucketName']);
    }
    const elsewhere = test.sdk.send(
      new CreateBucketCommand({
        Bucket: 'elsewhere',
        CreateBucketConfiguration: { LocationConstraint: 'us-west-2' },
      }),
    );
    expect(await sdkFailure(elsewhere)).toBe('400 IllegalLocationConstraintException');
  });
});

describe('the CORS configuration', () => {
  it('is stored, read back and deleted', async () => {
    const Bucket = 'cors-bucket';
    await test.sdk.send(new CreateBucketCommand({ Bucket }));
    expect(await sdkFailure(test.sdk.send(new GetBucketCorsCommand({ Bucket })))).toBe(
      '404 NoSuchCORSConfiguration',
    );
    const CORSRules = [
      {
        ID: 'players & co',
        AllowedOrigins: ['https://*.example.com'],
        AllowedMethods: ['GET', 'HEAD'],
        AllowedHeaders: ['*'],
        ExposeHeaders: ['ETag'],
        MaxAgeSeconds: 30,
      },
    ];
    await test.sdk.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
    expect((await test.sdk.send(new GetBucketCorsCommand({ Bucket }))).CORSRules).toEqual(CORSRules);
    await test.sdk.send(new DeleteBucketCorsCommand({ Bucket }));
    expect(await sdkFailure(test.sdk.send(new GetBucketCorsCommand({ Bucket })))).toBe(
      '404 NoSuchCORSConfiguration',
    );
  });

  it('refuses unknown methods and two wildcards', async () => {
    const put = (rule: { AllowedOrigins: string[]; AllowedMethods: string[] }) =>
      sdkFailure(
        test.sdk.send(new PutBucketCorsCommand({ Bucket: BUCKET, CORSConfiguration: { CORSRules: [rule] } })),
      );
    expect(await put({ AllowedOrigins: ['*'], AllowedMethods: ['PATCH'] })).toBe('400 InvalidRequest');
    expect(await put({ AllowedOrigins: ['*.*'], AllowedMethods: ['GET'] })).toBe('400 InvalidRequest');
    expect(await put({ AllowedOrigins: [], AllowedMethods: ['GET'] })).toBe('400 MalformedXML');
  });
});

describe('a browser', () => {
  const preflight = (headers: Record<string, string>, path = `/${BUCKET}/k`) =>
    sendRaw(test.server, { method: 'OPTIONS', target: path, headers: { host: 'x', ...headers } });

  it('gets its preflight answered without a signature', async () => {
    const answer = await preflight({
      origin: 'http://localhost:5173',
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'Content-Type, X-Custom',
    });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'http://localhost:5173',
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'content-type, x-custom',
      'access-control-expose-headers': 'ETag, x-amz-request-id',
      'access-control-max-age': '600',
      'access-control-allow-credentials': 'true',
    });
    expect(answer.headers.vary).toContain('Origin');
  });

  it('is refused for another origin, method, header or bucket', async () => {
    const method = { 'access-control-request-method': 'PUT' };
    const origin = { origin: 'https://app.example.com' };
    expect(await failure(await preflight({ ...method, origin: 'https://evil.example' }))).toBe(
      '403 AccessForbidden',
    );
    expect(await failure(await preflight({ ...origin, 'access-control-request-method': 'DELETE' }))).toBe(
      '403 AccessForbidden',
    );
    expect(
      await failure(await preflight({ ...origin, ...method, 'access-control-request-headers': 'x-other' })),
    ).toBe('403 AccessForbidden');
    expect(await failure(await preflight({ ...origin, ...method }, '/no-cors-here/k'))).toBe(
      '403 AccessForbidden',
    );
    expect(await failure(await preflight(method))).toBe('400 BadRequest');
    expect(await failure(await preflight({ ...origin }))).toBe('400 BadRequest');
  });

  it('may read the ETag of a signed answer, and also the code of an error', async () => {
    const headers = { origin: 'https://app.example.com' };
    const stored = await test.aws.fetch(objectUrl(test.server, 'cors'), {
      method: 'PUT',
      body: 'x',
      headers,
    });
    const missing = await test.aws.fetch(objectUrl(test.server, 'missing'), { headers });
    const unsigned = await fetch(objectUrl(test.server, 'cors'), { headers });
    expect([stored.status, missing.status, unsigned.status]).toEqual([200, 404, 403]);
    for (const answer of [stored, missing, unsigned]) {
      expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
      expect(answer.headers.get('access-control-expose-headers')).toContain('ETag');
    }
    const stranger = await test.aws.fetch(objectUrl(test.server, 'cors'), {
      headers: { origin: 'https://evil.example' },
    });
    expect(stranger.headers.get('access-control-allow-origin')).toBeNull();
    const anyone = await test.aws.fetch(objectUrl(test.server, 'cors'), {
      method: 'HEAD',
      headers: { origin: 'https://evil.example' },
    });
    expect(anyone.headers.get('access-control-allow-origin')).toBe('*');
  });
});
