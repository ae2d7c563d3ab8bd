import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  GetJobCommand,
  ListJobsCommand,
  MediaConvertClient,
  MediaConvertServiceException,
} from '@aws-sdk/client-mediaconvert';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authenticateRequest, readVerifiedBody } from '../../../local-cloud/aws-gate/body.ts';
import { restJsonRefusal, sendRestJsonError } from '../../../local-cloud/aws-gate/errors.ts';
import { verifySigV4 } from '../../../local-cloud/aws-gate/verify.ts';

const CREDENTIALS = { accessKeyId: 'JSONKEY', secretAccessKey: 'json/secret' };
const OPTIONS = { service: 'mediaconvert', region: 'us-west-2', credentials: [CREDENTIALS] };
const MAX_BODY_BYTES = 1000;

let server: Server;
let url: string;
let clockOffsetMs = 0;

/** A service that echoes the path and body of what the gate lets through, read either of the two ways. */
beforeAll(async () => {
  server = createServer(async (req, res) => {
    const options = { ...OPTIONS, now: () => new Date(Date.now() + clockOffsetMs) };
    const authenticate = async () => {
      if (req.headers['x-read-after'] === undefined) return authenticateRequest(req, options, MAX_BODY_BYTES);
      const verified = verifySigV4(
        { method: req.method ?? '', rawUrl: req.url ?? '', headers: req.headers },
        options,
      );
      return verified.ok ? readVerifiedBody(req, verified, MAX_BODY_BYTES) : verified;
    };
    const outcome = await authenticate();
    if (!outcome.ok) {
      sendRestJsonError(res, restJsonRefusal(outcome));
      req.resume();
      return;
    }
    res.setHeader('content-type', 'application/json');
    res.end(
      JSON.stringify({ job: { id: req.url }, jobs: [{ id: req.url }], body: outcome.body.toString('utf8') }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const aws = (overrides: object = {}) =>
  new AwsClient({ ...CREDENTIALS, service: 'mediaconvert', region: 'us-west-2', retries: 0, ...overrides });
const outcome = async (response: Response): Promise<string> =>
  response.ok ? '200' : `${response.status} ${response.headers.get('x-amzn-errortype')}`;

describe('a JSON service behind the gate', () => {
  it('accepts the SDK and aws4fetch, with encoded paths, queries and bodies', async () => {
    const sdk = new MediaConvertClient({ endpoint: url, region: 'us-west-2', credentials: CREDENTIALS });
    const found = await sdk.send(new GetJobCommand({ Id: 'a b/c+d:é' }));
    expect(decodeURIComponent(found.Job?.Id ?? '')).toBe('/2017-08-29/jobs/a b/c+d:é');
    expect(
      (await sdk.send(new ListJobsCommand({ MaxResults: 5, Order: 'ASCENDING' }))).Jobs?.[0]?.Id,
    ).toContain('maxResults=5');
    sdk.destroy();
    for (const path of ['/2017-08-29/jobs', '/x%20y/z%2Fw?b=2&a=1&a=0&c', '/ümlaut/%C3%A4', '/star*(1)!']) {
      expect(await outcome(await aws().fetch(`${url}${path}`))).toBe('200');
    }
    const posted = await aws().fetch(`${url}/2017-08-29/jobs`, { method: 'POST', body: '{"settings":{}}' });
    expect(await posted.json()).toMatchObject({ body: '{"settings":{}}' });
  });

  it('gives errors the SDK understands', async () => {
    const call = async (credentials: typeof CREDENTIALS, region = 'us-west-2') => {
      const sdk = new MediaConvertClient({ endpoint: url, region, credentials, maxAttempts: 1 });
      try {
        await sdk.send(new GetJobCommand({ Id: 'x' }));
        return 'accepted';
      } catch (error) {
        if (!(error instanceof MediaConvertServiceException)) throw error;
        return `${error.$metadata.httpStatusCode} ${error.name}`;
      } finally {
        sdk.destroy();
      }
    };
    expect(await call({ ...CREDENTIALS, secretAccessKey: 'wrong' })).toBe('403 InvalidSignatureException');
    expect(await call({ ...CREDENTIALS, accessKeyId: 'NOBODY' })).toBe('403 UnrecognizedClientException');
    expect(await call(CREDENTIALS, 'eu-west-1')).toBe('400 IncompleteSignatureException');
  });

  it('refuses anonymous, foreign-service, late and tampered requests', async () => {
    const target = `${url}/2017-08-29/jobs`;
    expect(await outcome(await fetch(target))).toBe('403 MissingAuthenticationTokenException');
    expect(await outcome(await aws({ service: 's3' }).fetch(target))).toBe(
      '400 IncompleteSignatureException',
    );
    clockOffsetMs = 16 * 60_000;
    expect(await outcome(await aws().fetch(target))).toBe('403 InvalidSignatureException');
    clockOffsetMs = 0;
    const signed = await aws().sign(target, { method: 'POST', body: '{"a":1}' });
    const tampered = new Request(signed.url, { method: 'POST', headers: signed.headers, body: '{"a":2}' });
    expect(await outcome(await fetch(tampered))).toBe('403 InvalidSignatureException');
  });

  it('refuses a body that is too large or is not the one whose hash was signed', async () => {
    const target = `${url}/2017-08-29/jobs`;
    const large = 'x'.repeat(MAX_BODY_BYTES + 1);
    expect(await outcome(await aws().fetch(target, { method: 'POST', body: large }))).toBe(
      '413 RequestEntityTooLargeException',
    );
    const hash = 'a'.repeat(64);
    for (const readAfter of [{}, { 'x-read-after': '1' }]) {
      const headers = { 'x-amz-content-sha256': hash, ...readAfter };
      const response = await aws().fetch(target, { method: 'POST', body: '{}', headers });
      expect(await outcome(response)).toBe('403 InvalidSignatureException');
    }
    const headers = {
      'x-amz-content-sha256': '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      'x-read-after': '1',
    };
    expect(await outcome(await aws().fetch(target, { method: 'POST', body: '{}', headers }))).toBe('200');
    const unsigned = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    expect(await outcome(await aws().fetch(target, { method: 'POST', body: '{}', headers: unsigned }))).toBe(
      '400 IncompleteSignatureException',
    );
  });
});
