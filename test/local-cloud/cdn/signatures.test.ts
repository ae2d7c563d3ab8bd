import { createHash, createSign } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedCookies, getSignedUrl } from '@aws-sdk/cloudfront-signer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeSigningKeys, trustedKeysOf } from '../../../local-cloud/cdn/keys.ts';
import { type CdnServer, startCdnServer } from '../../../local-cloud/cdn/server.ts';
import { startTestServer, type TestServer } from '../s3/support/server.ts';

const MEDIA = 'media-bucket';
const signingKeys = makeSigningKeys();
const [ec, rsa] = (JSON.parse(signingKeys) as { id: string; key: string }[]).map(({ id, key }) => ({
  keyPairId: id,
  privateKey: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----`,
})) as [{ keyPairId: string; privateKey: string }, { keyPairId: string; privateKey: string }];
const start = new Date('2026-05-01T12:00:00Z');
const nowSeconds = start.getTime() / 1000;

let test: TestServer;
let cdn: CdnServer;
let clock = start;

beforeAll(async () => {
  test = await startTestServer({ buckets: [{ name: MEDIA }] });
  cdn = await startCdnServer({
    port: 0,
    originBucket: MEDIA,
    s3: test.server,
    signed: { prefixes: ['media/'], keys: trustedKeysOf(signingKeys) },
    now: () => clock,
  });
  for (const Key of [
    'media/1/v1/video.m3u8',
    'media/1/v1/seg 1.m4s',
    'media/2/v1/video.m3u8',
    'open/1/v1/t.jpg',
  ])
    await test.sdk.send(new PutObjectCommand({ Bucket: MEDIA, Key, Body: `0123456789 ${Key}` }));
});
afterAll(async () => {
  await cdn.close();
  await test.stop();
});

const url = (path: string): string => `${cdn.url}/${path}`;
const policy = (resource: string, condition: object = {}, until = nowSeconds + 60): string =>
  JSON.stringify({
    Statement: [
      { Resource: resource, Condition: { DateLessThan: { 'AWS:EpochTime': until }, ...condition } },
    ],
  });

const answer = async (response: Response): Promise<string> => {
  const text = await response.text();
  return `${response.status} ${/<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? text}`;
};

const queryFor = (resource: string, condition?: object, key = rsa): string =>
  new URL(getSignedUrl({ ...key, url: url('x'), policy: policy(resource, condition), algorithm: 'SHA256' }))
    .search;

const cookiesFor = (resource: string, key = rsa): Record<string, string> => {
  const cookies = getSignedCookies({ ...key, policy: policy(resource), algorithm: 'SHA256' });
  return {
    cookie: Object.entries(cookies)
      .map(([name, value]) => `${name}=${value}`)
      .join('; '),
  };
};

const everything = () => `${cdn.url}/media/1/*`;

describe('the CDN that wants signatures', () => {
  it('serves what is open to all without one, and says what is missing elsewhere', async () => {
    expect((await fetch(url('open/1/v1/t.jpg'))).status).toBe(200);
    expect(await answer(await fetch(url('media/1/v1/video.m3u8')))).toBe('403 MissingKey');
    expect(await answer(await fetch(url('media/none.m3u8')))).toBe('403 MissingKey');
    const refused = await fetch(url('media/1/v1/video.m3u8'), {
      headers: { origin: 'https://player.example' },
    });
    expect(refused.headers.get('access-control-allow-origin')).toBe('*');
    expect(refused.headers.get('cache-control')).toBe('no-store');
  });

  it('takes one policy for a whole folder, by query and by cookie, from both kinds of keys', async () => {
    const query = queryFor(everything());
    for (const path of ['media/1/v1/video.m3u8', 'media/1/v1/seg%201.m4s'])
      expect((await fetch(url(path) + query)).status).toBe(200);
    expect((await fetch(url('media/1/v1/video.m3u8'), { headers: cookiesFor(everything()) })).status).toBe(
      200,
    );
    expect(await answer(await fetch(url('media/2/v1/video.m3u8') + query))).toBe('403 AccessDenied');
    const ecdsa = createSign('SHA256').update(policy(everything())).sign(ec.privateKey);
    const safe = (bytes: Buffer): string =>
      bytes.toString('base64').replaceAll('+', '-').replaceAll('=', '_').replaceAll('/', '~');
    const by = (signature: Buffer, id = ec.keyPairId) =>
      `?Policy=${safe(Buffer.from(policy(everything())))}&Signature=${safe(signature)}&Key-Pair-Id=${id}&Hash-Algorithm=SHA256`;
    expect((await fetch(url('media/1/v1/video.m3u8') + by(ecdsa))).status).toBe(200);
    // As WebCrypto would leave it: not in DER.
    const raw = createSign('SHA256')
      .update(policy(everything()))
      .sign({ key: ec.privateKey, dsaEncoding: 'ieee-p1363' });
    expect(await answer(await fetch(url('media/1/v1/video.m3u8') + by(raw)))).toBe('403 AccessDenied');
    expect(await answer(await fetch(url('media/1/v1/video.m3u8') + by(ecdsa, rsa.keyPairId)))).toBe(
      '403 AccessDenied',
    );
    expect(await answer(await fetch(url('media/1/v1/video.m3u8') + by(ecdsa, 'KUNKNOWN00001')))).toBe(
      '403 InvalidKey',
    );
  });

  it('answers ranges, preflights, and browsers that send cookies', async () => {
    const range = await fetch(url('media/1/v1/video.m3u8') + queryFor(everything()), {
      headers: { range: 'bytes=2-4' },
    });
    expect([range.status, await range.text()]).toEqual([206, '234']);
    const preflight = await fetch(url('media/1/v1/video.m3u8'), {
      method: 'OPTIONS',
      headers: { origin: 'https://player.example', 'access-control-request-method': 'GET' },
    });
    expect(preflight.status).toBe(204);
    const withCookies = await fetch(url('media/1/v1/video.m3u8'), {
      headers: { ...cookiesFor(everything()), origin: 'https://player.example' },
    });
    expect(withCookies.headers.get('access-control-allow-origin')).toBe('https://player.example');
    expect(withCookies.headers.get('access-control-allow-credentials')).toBe('true');
  });

  it('holds to the times and the address in the policy', async () => {
    const path = url('media/1/v1/video.m3u8');
    const query = queryFor(everything());
    clock = new Date(start.getTime() + 59_999);
    expect((await fetch(path + query)).status).toBe(200);
    clock = new Date(start.getTime() + 60_000);
    expect(await answer(await fetch(path + query))).toBe('403 AccessDenied');
    clock = start;
    const later = { DateGreaterThan: { 'AWS:EpochTime': nowSeconds + 10 } };
    expect(await answer(await fetch(path + queryFor(everything(), later)))).toBe('403 AccessDenied');
    for (const [network, status] of [
      ['127.0.0.1/32', 200],
      ['127.0.0.0/8', 200],
      ['0.0.0.0/0', 200],
      ['203.0.113.7/32', 403],
    ] as const) {
      const query = queryFor(everything(), { IpAddress: { 'AWS:SourceIp': network } });
      expect((await fetch(path + query)).status).toBe(status);
    }
  });

  it('takes canned policies, SHA-1 where no other is named, and addresses with a query of their own', async () => {
    const dateLessThan = new Date(start.getTime() + 60_000).toISOString();
    const canned = getSignedUrl({ ...rsa, url: url('media/1/v1/video.m3u8?take=1'), dateLessThan });
    expect((await fetch(canned)).status).toBe(200);
    expect(await answer(await fetch(canned.replace('take=1', 'take=2')))).toBe('403 AccessDenied');
    expect(await answer(await fetch(canned.replace('video.m3u8', 'seg%201.m4s')))).toBe('403 AccessDenied');
  });

  it('refuses what was changed, and what is no policy', async () => {
    const path = url('media/1/v1/video.m3u8');
    const query = new URLSearchParams(queryFor(everything()));
    const wider = Buffer.from(policy(`${cdn.url}/*`))
      .toString('base64')
      .replaceAll('=', '_');
    for (const [name, value, code] of [
      ['Policy', wider, 'AccessDenied'],
      ['Policy', '!!!', 'MalformedPolicy'],
      ['Signature', '!!!', 'MalformedSignature'],
      ['Signature', createHash('sha256').update('x').digest('hex'), 'AccessDenied'],
      ['Hash-Algorithm', 'MD5', 'AccessDenied'],
      ['Hash-Algorithm', 'SHA1', 'AccessDenied'],
    ] as const) {
      const changed = new URLSearchParams(query);
      changed.set(name, value);
      expect(await answer(await fetch(`${path}?${changed}`))).toBe(`403 ${code}`);
    }
    for (const name of ['Policy', 'Signature', 'Key-Pair-Id', 'Hash-Algorithm']) {
      const changed = new URLSearchParams(query);
      changed.delete(name);
      expect((await fetch(`${path}?${changed}`)).status).toBe(403);
    }
  });
});
