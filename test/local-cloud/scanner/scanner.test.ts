import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectTaggingCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { AwsClient } from 'aws4fetch';
import { strToU8, zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventBridgeEvent } from '../../../local-cloud/events/index.ts';
import { type S3Server, startS3Server } from '../../../local-cloud/s3/server.ts';
import { locateClamAv } from '../../../local-cloud/scanner/clamav.ts';
import { createSignatureSearch, eicar, eicarEngine } from '../../../local-cloud/scanner/eicar.ts';
import { createScanner, locateEngine, type Scanner } from '../../../local-cloud/scanner/index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'social-flow-scanner-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;
async function scan(bytes: Uint8Array) {
  files += 1;
  const path = join(folder, `file-${files}`);
  await writeFile(path, bytes);
  return eicarEngine.scan(path);
}

const threat = { status: 'THREATS_FOUND', threats: ['EICAR-Test-File'], reasons: [] };
const nothing = { status: 'NO_THREATS_FOUND', threats: [], reasons: [] };
const chunk = 256 * 1024;

describe('the engine that knows the EICAR test file', () => {
  it('finds it alone, at either end, and anywhere across the border of two reads', async () => {
    expect(await scan(eicar)).toEqual(threat);
    for (const before of [0, 1, 67, chunk - 68, chunk - 67, chunk - 1, chunk, 2 * chunk - 30])
      expect(await scan(Buffer.concat([Buffer.alloc(before, 7), eicar, Buffer.alloc(5, 7)]))).toEqual(threat);
  });

  it('finds it however a stream is cut', () => {
    const stream = Buffer.concat([randomBytes(50), eicar, randomBytes(50)]);
    for (const size of [1, 2, 13, 67, 68, 69]) {
      const search = createSignatureSearch();
      let hit = false;
      for (let at = 0; at < stream.length; at += size) hit = search(stream.subarray(at, at + size)) || hit;
      expect(hit).toBe(true);
    }
  });

  it('takes nothing else for it', async () => {
    expect(await scan(new Uint8Array())).toEqual(nothing);
    expect(await scan(randomBytes(3 * chunk))).toEqual(nothing);
    expect(await scan(eicar.subarray(0, eicar.length - 1))).toEqual(nothing);
    expect(await scan(Buffer.from(eicar.toString('latin1').toLowerCase(), 'latin1'))).toEqual(nothing);
  });

  it('finds it in archives: deflated, stored, in an archive in an archive, behind a film', async () => {
    const archive = (level: 0 | 9) =>
      zipSync({ 'readme.txt': strToU8('hello'), 'a/b.com': [eicar, { level }] });
    expect(await scan(archive(9))).toEqual(threat);
    expect(await scan(archive(0))).toEqual(threat);
    expect(await scan(zipSync({ 'inner.zip': [archive(9), { level: 9 }] }))).toEqual(threat);
    expect(await scan(Buffer.concat([randomBytes(2 * chunk + 11), archive(9)]))).toEqual(threat);
    expect(await scan(zipSync({ 'readme.txt': strToU8('hello '.repeat(100_000)) }))).toEqual(nothing);
  });

  it('says so when it cannot look into an archive', async () => {
    const archive = Buffer.from(zipSync({ 'a.txt': strToU8('hello') }));
    const central = archive.indexOf(Buffer.from('PK\x01\x02', 'latin1'));
    const locked = Buffer.from(archive);
    locked.writeUInt16LE(1, central + 8);
    expect(await scan(locked)).toMatchObject({ status: 'UNSUPPORTED', reasons: ['PASSWORD_PROTECTED'] });
    const strange = Buffer.from(archive);
    strange.writeUInt16LE(99, central + 10);
    expect(await scan(strange)).toMatchObject({ status: 'UNSUPPORTED' });
    const damaged = Buffer.from(archive);
    damaged.writeUInt32LE(0x7fffffff, central + 42);
    expect(await scan(damaged)).toMatchObject({ status: 'UNSUPPORTED', reasons: ['ARCHIVE_DAMAGED'] });
    const bomb = zipSync({ zeros: [new Uint8Array(300 * 1024 * 1024), { level: 1 }] });
    expect(await scan(bomb)).toMatchObject({ status: 'UNSUPPORTED', reasons: ['ARCHIVE_TOO_LARGE'] });
    let nested: Uint8Array = zipSync({ 'x.txt': strToU8('x') });
    for (let depth = 0; depth < 5; depth += 1) nested = zipSync({ 'next.zip': nested });
    expect(await scan(nested)).toMatchObject({ status: 'UNSUPPORTED', reasons: ['ARCHIVE_TOO_DEEP'] });
  });
});

describe('ClamAV', () => {
  /** A program that behaves as clamscan does, with a database or without. */
  async function program(script: string): Promise<string> {
    files += 1;
    const path = join(folder, `clamscan-${files}`);
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  }

  const working = `
case "$*" in *--version*) echo "ClamAV 1.4.3/27000"; exit 0;; esac
for last; do :; done
if grep -q EICAR-STANDARD "$last"; then echo "$last: Win.Test.EICAR_HDB-1 FOUND"; exit 1; fi
if grep -q broken "$last"; then echo "$last: Can't open file ERROR" >&2; exit 2; fi
echo "$last: OK"; exit 0`;

  it('is used when it finds the test file, and its answers are passed on', async () => {
    const engine = await locateClamAv(['/nonexistent/clamdscan', await program(working)]);
    expect(engine).toMatchObject({ name: 'clamav' });
    expect(engine?.description).toContain('ClamAV 1.4.3');
    const path = join(folder, 'clam-sample');
    await writeFile(path, Buffer.concat([Buffer.from('x'), eicar]));
    expect(await engine?.scan(path)).toMatchObject({
      status: 'THREATS_FOUND',
      threats: ['Win.Test.EICAR_HDB-1'],
    });
    await writeFile(path, 'harmless');
    expect(await engine?.scan(path)).toEqual(nothing);
    await writeFile(path, 'broken');
    expect(await engine?.scan(path)).toMatchObject({ status: 'FAILED' });
  });

  it('is not trusted when it finds nothing, as without its database', async () => {
    const blind = await program('echo "LibClamAV Error: No supported database files found" >&2; exit 2');
    const careless = await program('exit 0');
    expect(await locateClamAv([blind, careless])).toBeUndefined();
    expect((await locateEngine()).description.length).toBeGreaterThan(10);
  });
});

describe('GuardDuty over an engine', () => {
  const credentials = { accessKeyId: 'KEY', secretAccessKey: randomBytes(20).toString('hex') };
  const events: EventBridgeEvent[] = [];
  let s3: S3Server;
  let scanner: Scanner;
  let gateway: Server;
  let client: S3Client;
  let url: string;

  const start = () =>
    createScanner({
      region: 'us-east-1',
      credentials: [credentials],
      accountId: '000000000000',
      s3,
      bucket: 'uploads',
      prefix: 'quarantine/',
      engine: eicarEngine,
      emit: async (event) => {
        events.push(event);
      },
    });

  beforeAll(async () => {
    s3 = await startS3Server({
      port: 0,
      dataDir: join(folder, 's3'),
      region: 'us-east-1',
      credentials: [credentials],
      buckets: [{ name: 'uploads' }],
      onEvent: (event) => scanner?.onS3Event(event),
    });
    scanner = start();
    gateway = createServer((request, response) => {
      scanner.handle(request, response).then((handled) => handled || response.writeHead(404).end());
    });
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
    client = new S3Client({ endpoint: s3.url, region: 'us-east-1', forcePathStyle: true, credentials });
  });

  afterAll(async () => {
    client.destroy();
    await scanner.close();
    gateway.closeAllConnections();
    await new Promise((resolve) => gateway.close(resolve));
    await s3.close();
  });

  const put = (key: string, body: Uint8Array) =>
    client.send(new PutObjectCommand({ Bucket: 'uploads', Key: key, Body: body }));
  const tagsOf = async (key: string) =>
    (await client.send(new GetObjectTaggingCommand({ Bucket: 'uploads', Key: key }))).TagSet;
  const send = (body: unknown, secret = credentials.secretAccessKey) =>
    new AwsClient({
      ...credentials,
      secretAccessKey: secret,
      service: 'guardduty',
      region: 'us-east-1',
      retries: 0,
    }).fetch(`${url}/object-malware-scan/send`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });

  it('scans what is put under the prefix, tags it, then tells, as GuardDuty does', async () => {
    const { ETag } = await put('quarantine/a.mp4', Buffer.concat([randomBytes(100), eicar]));
    await put('quarantine/b.mp4', randomBytes(100));
    await put('originals/c.mp4', eicar);
    await scanner.idle();
    expect(events.map((event) => event.detail)).toEqual([
      {
        schemaVersion: '1.0',
        scanStatus: 'COMPLETED',
        resourceType: 'S3_OBJECT',
        s3ObjectDetails: {
          bucketName: 'uploads',
          objectKey: 'quarantine/a.mp4',
          eTag: ETag?.replaceAll('"', ''),
          versionId: null,
          s3Throttled: false,
        },
        scanResultDetails: {
          scanResultStatus: 'THREATS_FOUND',
          threats: [{ name: 'EICAR-Test-File' }],
          statusReasons: null,
        },
      },
      expect.objectContaining({
        scanResultDetails: { scanResultStatus: 'NO_THREATS_FOUND', threats: null, statusReasons: null },
      }),
    ]);
    expect(events[0]).toMatchObject({
      source: 'aws.guardduty',
      'detail-type': 'GuardDuty Malware Protection Object Scan Result',
    });
    expect(await tagsOf('quarantine/a.mp4')).toContainEqual({
      Key: 'GuardDutyMalwareScanStatus',
      Value: 'THREATS_FOUND',
    });
    expect(await tagsOf('quarantine/b.mp4')).toContainEqual({ Key: 'LocalScanEngine', Value: 'eicar' });
    expect(await tagsOf('originals/c.mp4')).toEqual([]);
  });

  it('scans again when asked with a valid signature, and nothing else', async () => {
    const before = events.length;
    const asked = await send({ s3Object: { bucket: 'uploads', key: 'quarantine/b.mp4' } });
    expect(asked.status).toBe(200);
    await scanner.idle();
    expect(events).toHaveLength(before + 1);
    expect((await send({ s3Object: { bucket: 'uploads', key: 'quarantine/b.mp4' } }, 'wrong')).status).toBe(
      403,
    );
    for (const body of [
      {},
      { s3Object: null },
      { s3Object: { bucket: 'uploads', key: 'quarantine/none.mp4' } },
      { s3Object: { bucket: 'other', key: 'quarantine/b.mp4' } },
    ]) {
      const refused = await send(body);
      expect([refused.status, refused.headers.get('x-amzn-errortype')]).toEqual([400, 'BadRequestException']);
    }
    expect((await fetch(`${url}/object-malware-scan/send`, { method: 'POST', body: '{}' })).status).toBe(403);
    await scanner.idle();
    expect(events).toHaveLength(before + 1);
  });

  it('scans at start what an earlier run has left', async () => {
    const before = events.length;
    await scanner.close();
    await put('quarantine/left.mp4', eicar);
    expect(events).toHaveLength(before);
    scanner = start();
    await scanner.idle();
    expect(events.slice(before).map((event) => event.detail)).toMatchObject([
      { s3ObjectDetails: { objectKey: 'quarantine/left.mp4' } },
    ]);
  });

  it('forgets the tag of an object that is replaced, and scans the new one', async () => {
    await put('quarantine/a.mp4', randomBytes(100));
    await scanner.idle();
    expect(await tagsOf('quarantine/a.mp4')).toContainEqual({
      Key: 'GuardDutyMalwareScanStatus',
      Value: 'NO_THREATS_FOUND',
    });
  });
});
