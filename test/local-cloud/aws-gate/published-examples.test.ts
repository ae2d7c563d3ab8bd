import { describe, expect, it } from 'vitest';
import { createChunkedDecoder } from '../../../local-cloud/aws-gate/chunked.ts';
import { verifySigV4 } from '../../../local-cloud/aws-gate/verify.ts';

/**
 * The worked examples of the S3 API Reference, "Authenticating Requests (AWS Signature Version 4)": their keys, their
 * requests and their signatures.
 */
const CREDENTIALS = [
  { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
];
const OPTIONS = {
  service: 's3',
  region: 'us-east-1',
  credentials: CREDENTIALS,
  now: () => new Date('2013-05-24T00:00:00Z'),
};
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const HOST = 'examplebucket.s3.amazonaws.com';

const authorization = (signedHeaders: string, signature: string): string =>
  `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`;

describe('the published example', () => {
  it('of a GET with a range is accepted', () => {
    const headers = {
      host: HOST,
      range: 'bytes=0-9',
      'x-amz-content-sha256': EMPTY,
      'x-amz-date': '20130524T000000Z',
      authorization: authorization(
        'host;range;x-amz-content-sha256;x-amz-date',
        'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
      ),
    };
    expect(verifySigV4({ method: 'GET', rawUrl: '/test.txt', headers }, OPTIONS)).toMatchObject({
      ok: true,
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      mode: 'header',
      payloadHash: EMPTY,
    });
  });

  it('of a bucket subresource and of a listing is accepted', () => {
    const signed = 'host;x-amz-content-sha256;x-amz-date';
    const base = { host: HOST, 'x-amz-content-sha256': EMPTY, 'x-amz-date': '20130524T000000Z' };
    for (const [rawUrl, signature] of [
      ['/?lifecycle', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
      ['/?max-keys=2&prefix=J', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
    ] as const) {
      const headers = { ...base, authorization: authorization(signed, signature) };
      expect(verifySigV4({ method: 'GET', rawUrl, headers }, OPTIONS).ok).toBe(true);
    }
  });

  it('of a presigned URL is accepted, for a day', () => {
    const rawUrl =
      '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404';
    const request = { method: 'GET', rawUrl, headers: { host: HOST } };
    const at = (time: string) => verifySigV4(request, { ...OPTIONS, now: () => new Date(time) });
    expect(at('2013-05-24T23:59:59Z')).toMatchObject({
      ok: true,
      mode: 'query',
      payloadHash: 'UNSIGNED-PAYLOAD',
    });
    expect(at('2013-05-25T00:00:01Z')).toMatchObject({ ok: false, status: 403, code: 'AccessDenied' });
  });

  it('of an upload in signed chunks is accepted, to the last byte', () => {
    const headers = {
      host: 's3.amazonaws.com',
      'content-encoding': 'aws-chunked',
      'content-length': '66824',
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'x-amz-date': '20130524T000000Z',
      'x-amz-decoded-content-length': '66560',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      authorization: authorization(
        'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class',
        '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
      ),
    };
    const verified = verifySigV4(
      { method: 'PUT', rawUrl: '/examplebucket/chunkObject.txt', headers },
      OPTIONS,
    );
    if (!verified.ok) throw new Error(verified.message);
    const body = Buffer.concat([
      Buffer.from(
        '10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n',
      ),
      Buffer.alloc(65_536, 'a'),
      Buffer.from(
        '\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n',
      ),
      Buffer.alloc(1024, 'a'),
      Buffer.from(
        '\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n',
      ),
    ]);
    expect(body).toHaveLength(66_824);
    for (const pieceBytes of [1, 7, 4096, body.length]) {
      const decoder = createChunkedDecoder(verified, 66_560, []);
      const decoded: Buffer[] = [];
      for (let at = 0; at < body.length; at += pieceBytes)
        decoded.push(...decoder.feed(body.subarray(at, at + pieceBytes)));
      expect(decoder.finish().size).toBe(0);
      expect(Buffer.concat(decoded).equals(Buffer.alloc(66_560, 'a'))).toBe(true);
    }
    const decoder = createChunkedDecoder(verified, 66_560, []);
    body[300] = 'b'.charCodeAt(0);
    expect(() => decoder.feed(body)).toThrow(/signature of a chunk/);
  });
});
