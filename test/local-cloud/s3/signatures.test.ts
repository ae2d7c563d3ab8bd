import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BUCKET,
  failure,
  filesUnder,
  objectUrl,
  sdkClient,
  sdkFailure,
  sendRaw,
  sendSigned,
  startTestServer,
  type TestServer,
} from './support/server.ts';
import { ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, signRaw } from './support/sign.ts';

const PATH = `/${BUCKET}/k`;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
  await test.sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'k', Body: 'secret' }));
});
afterAll(() => test.stop());

const outcome = async (
  input: Omit<Parameters<typeof sendSigned>[1], 'method' | 'path'> & { method?: string; path?: string },
) => {
  const response = await sendSigned(test.server, { method: 'GET', path: PATH, ...input });
  return response.status < 300 ? String(response.status) : failure(response);
};

describe('a request', () => {
  it('without a signature is refused, whatever it asks', async () => {
    for (const [method, path] of [
      ['GET', PATH],
      ['PUT', PATH],
      ['DELETE', PATH],
      ['GET', '/'],
      ['GET', `/${BUCKET}`],
      ['GET', '/nowhere/k'],
    ]) {
      const response = await fetch(`${test.server.url}${path}`, {
        method: method ?? 'GET',
        ...(method === 'PUT' && { body: 'x' }),
      });
      expect(await failure(response)).toBe('403 AccessDenied');
    }
    const head = await fetch(`${test.server.url}${PATH}`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([403, '']);
  });

  it('signed with a wrong secret or an unknown key is refused, by either client', async () => {
    const wrong = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: 'wrong' };
    const unknown = { accessKeyId: 'NOBODY', secretAccessKey: SECRET_ACCESS_KEY };
    for (const [credentials, code] of [
      [wrong, '403 SignatureDoesNotMatch'],
      [unknown, '403 InvalidAccessKeyId'],
    ] as const) {
      const client = new AwsClient({ ...credentials, service: 's3', region: REGION, retries: 0 });
      expect(await failure(await client.fetch(objectUrl(test.server, 'k')))).toBe(code);
      const sdk = sdkClient(test.server.url, { credentials });
      expect(await sdkFailure(sdk.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'k' })))).toBe(code);
      expect(await sdkFailure(sdk.send(new ListObjectsV2Command({ Bucket: BUCKET })))).toBe(code);
      const head = sdk.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'k' }));
      expect(await sdkFailure(head)).toMatch(/^403 /);
      sdk.destroy();
    }
  });

  it('shows the string to sign when the signature is wrong, so that the mistake can be found', async () => {
    const response = await sendSigned(test.server, { method: 'GET', path: PATH, secretAccessKey: 'wrong' });
    expect(response.text).toContain('<StringToSign>AWS4-HMAC-SHA256');
    expect(response.text).toContain(`<CanonicalRequest>GET&#xa;${PATH}`);
  });

  it('is valid as long as nothing signed is changed', async () => {
    expect(await outcome({})).toBe('200');
    const signed = signRaw({ method: 'GET', host: `127.0.0.1:${test.server.port}`, path: PATH });
    const send = (method: string, target: string, headers = {}) =>
      sendRaw(test.server, { method, target, headers: { ...signed.headers, ...headers } });
    expect((await send('GET', PATH)).status).toBe(200);
    for (const changed of [
      await send('DELETE', PATH),
      await send('GET', `/${BUCKET}/other`),
      await send('GET', `${PATH}?response-content-type=text/html`),
      await send('GET', PATH, { host: `localhost:${test.server.port}` }),
      await send('GET', PATH, { 'x-amz-content-sha256': sha256('') }),
    ]) {
      expect(await failure(changed)).toBe('403 SignatureDoesNotMatch');
    }
  });

  it('must name this region, this service and the day it was signed on', async () => {
    expect(await outcome({ region: 'us-east-1' })).toBe('400 AuthorizationHeaderMalformed');
    expect(await outcome({ service: 'mediaconvert' })).toBe('400 AuthorizationHeaderMalformed');
    expect(await outcome({ scopeDate: '20200101' })).toBe('400 AuthorizationHeaderMalformed');
  });

  it('must sign the host and every x-amz header', async () => {
    expect(await outcome({ withoutHost: true })).toBe('403 AccessDenied');
    expect(await outcome({ unsigned: { 'x-amz-meta-a': '1' }, method: 'PUT' })).toBe('403 AccessDenied');
    expect(await outcome({ headers: { 'x-amz-meta-a': '1' }, method: 'PUT', path: `/${BUCKET}/meta` })).toBe(
      '200',
    );
  });

  it('is good for 15 minutes either way', async () => {
    const at = (minutes: number) => outcome({ date: new Date(Date.now() + minutes * 60_000) });
    expect(await at(-14)).toBe('200');
    expect(await at(14)).toBe('200');
    expect(await at(-16)).toBe('403 RequestTimeTooSkewed');
    expect(await at(16)).toBe('403 RequestTimeTooSkewed');
  });

  it('with a malformed, repeated or foreign Authorization header is refused', async () => {
    const good = signRaw({ method: 'GET', host: `127.0.0.1:${test.server.port}`, path: PATH }).headers;
    const authorization = good.authorization ?? '';
    const send = async (changed: string, target = PATH) =>
      failure(
        await sendRaw(test.server, { method: 'GET', target, headers: { ...good, authorization: changed } }),
      );
    expect(await send('Bearer abc')).toBe('400 InvalidRequest');
    expect(await send('AWS KEY:c2lnbmF0dXJl')).toBe('400 InvalidRequest');
    expect(await send('AWS4-HMAC-SHA256 nonsense')).toBe('400 AuthorizationHeaderMalformed');
    expect(await send(authorization.replace(/Signature=.*/, 'Signature=short'))).toBe(
      '400 AuthorizationHeaderMalformed',
    );
    expect(await send(authorization.replace('host;', 'Host;'))).toBe('400 AuthorizationHeaderMalformed');
    expect(await send(authorization.replace('/aws4_request', '/aws4_requests'))).toBe(
      '400 AuthorizationHeaderMalformed',
    );
    expect(await send(authorization, `${PATH}?X-Amz-Algorithm=AWS4-HMAC-SHA256`)).toBe('400 InvalidArgument');
    const undated = { ...good };
    delete undated['x-amz-date'];
    expect(await failure(await sendRaw(test.server, { method: 'GET', target: PATH, headers: undated }))).toBe(
      '403 AccessDenied',
    );
    expect(await outcome({ headers: { 'x-amz-security-token': 'session' } })).toBe('400 InvalidToken');
    expect(await outcome({ payloadHash: 'not-a-hash' })).toBe('400 InvalidArgument');
  });

  it('with a percent sign that encodes nothing is refused', async () => {
    expect(await outcome({ path: `/${BUCKET}/100%` })).toBe('400 InvalidURI');
    expect(await outcome({ path: `/${BUCKET}/%ff%fe` })).toBe('400 InvalidURI');
    expect(await outcome({ query: 'prefix=%zz' })).toBe('400 InvalidURI');
    expect(await outcome({ query: 'uploadId=a&uploadId=b' })).toBe('400 InvalidArgument');
  });
});

describe('a signed body', () => {
  it('that was changed on the way is refused, and nothing of it is kept', async () => {
    const before = (await filesUnder(test.dataDir)).length;
    const response = await sendSigned(test.server, {
      method: 'PUT',
      path: `/${BUCKET}/tampered`,
      payloadHash: sha256('what was signed'),
      body: Buffer.from('what was sent!!'),
    });
    expect(await failure(response)).toBe('400 XAmzContentSHA256Mismatch');
    expect(await outcome({ path: `/${BUCKET}/tampered` })).toBe('404 NoSuchKey');
    expect((await filesUnder(test.dataDir)).length).toBe(before);
  });

  it('that is what was signed is stored', async () => {
    const body = Buffer.from('exactly this');
    expect(
      await outcome({ method: 'PUT', path: `/${BUCKET}/exact`, payloadHash: sha256('exactly this'), body }),
    ).toBe('200');
  });

  it('of another request than it was signed for is refused', async () => {
    const begin = { method: 'POST', query: 'uploads=', payloadHash: sha256('some body') };
    expect(await outcome(begin)).toBe('400 XAmzContentSHA256Mismatch');
    expect(await outcome({ payloadHash: sha256('some body') })).toBe('400 XAmzContentSHA256Mismatch');
    expect(
      await outcome({
        method: 'POST',
        query: 'delete=',
        path: `/${BUCKET}`,
        payloadHash: sha256('x'),
        headers: { 'content-md5': createHash('md5').update('<Delete/>').digest('base64') },
        body: Buffer.from('<Delete/>'),
      }),
    ).toBe('400 XAmzContentSHA256Mismatch');
  });

  it('that is refused early does not cost the client its answer', async () => {
    const body = Buffer.alloc(8 * 1024 * 1024);
    const wrongSecret = new AwsClient({
      accessKeyId: ACCESS_KEY_ID,
      secretAccessKey: 'x',
      service: 's3',
      region: REGION,
      retries: 0,
    });
    const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: 'x' };
    const sdk = sdkClient(test.server.url, { credentials });
    const put = sdk.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'big', Body: body }));
    expect(await sdkFailure(put)).toBe('403 SignatureDoesNotMatch');
    sdk.destroy();
    const response = await wrongSecret.fetch(objectUrl(test.server, 'big'), { method: 'PUT', body });
    expect(await failure(response)).toBe('403 SignatureDoesNotMatch');
  });
});
