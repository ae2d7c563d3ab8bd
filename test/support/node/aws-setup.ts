import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  breachedPasswords,
  startBreachedPasswordsServer,
} from '../../../local-cloud/breached-passwords/server.ts';
import { makeSigningKeys, trustedKeysOf } from '../../../local-cloud/cdn/keys.ts';
import { startCdnServer } from '../../../local-cloud/cdn/server.ts';
import { createCloudFrontHandler } from '../../../local-cloud/cloudfront/handler.ts';
import type { EventBridgeEvent } from '../../../local-cloud/events/index.ts';
import { locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { startMailServer } from '../../../local-cloud/mail/server.ts';
import { createMediaConvertHandler } from '../../../local-cloud/mediaconvert/index.ts';
import { startS3Server } from '../../../local-cloud/s3/server.ts';
import { eicarEngine } from '../../../local-cloud/scanner/eicar.ts';
import { createScanner, type Scanner } from '../../../local-cloud/scanner/index.ts';
import { startTurnstileServer } from '../../../local-cloud/turnstile/server.ts';
import { type LiveSettings, recordingsBucket, startTestLive } from './live-setup.ts';
import { createMediaFixtures } from './media-fixtures.ts';

export interface TestAws {
  readonly s3Url: string;
  readonly cdnUrl: string;
  /** `CDN_SIGNING_KEYS` whose public halves the CDN trusts. */
  readonly cdnSigningKeys: string;
  /**
   * Also CloudFront, with `GET /test/invalidations`: the paths it was told to forget, in order.
   * Also answers `GET /test/events`: every event MediaConvert sent so far, in order, for the test to deliver as it likes;
   * `GET /test/scans`: likewise, every event of the virus scan, once nothing waits to be scanned; and
   * `GET /test/media/<name>`: a film made for tests.
   */
  readonly mediaConvertUrl: string;
  /** Settings for IVS, which answers at `mediaConvertUrl`, too: see `startTestLive`. */
  readonly liveSettings: LiveSettings;
  /** Amazon SES, and the mails it was given: see `startMailServer`. */
  readonly mailUrl: string;
  readonly breachedPasswordsUrl: string;
  /** Turnstile, and a solved widget: see `startTurnstileServer`. */
  readonly turnstileUrl: string;
  readonly turnstileSecret: string;
  readonly awsAccessKeyId: string;
  readonly awsSecretAccessKey: string;
  close(): Promise<void>;
}

/** The emulated AWS services on free ports, for the Worker's tests. Events are kept instead of delivered. */
export async function startTestAws(): Promise<TestAws> {
  const folder = await mkdtemp(join(tmpdir(), 'social-flow-test-aws-'));
  const region = 'us-east-1';
  const credentials = [
    { accessKeyId: 'TESTKEY', secretAccessKey: randomBytes(30).toString('base64url') },
  ] as const;
  let scanner: Scanner | undefined;
  const s3 = await startS3Server({
    port: 0,
    dataDir: join(folder, 's3'),
    region,
    credentials,
    buckets: [{ name: 'social-flow-uploads' }, { name: 'social-flow-media' }, { name: recordingsBucket }],
    onEvent: (event) => scanner?.onS3Event(event),
  });
  const cdnSigningKeys = makeSigningKeys();
  const cdn = await startCdnServer({
    port: 0,
    originBucket: 'social-flow-media',
    s3,
    signed: { prefixes: ['media/'], keys: trustedKeysOf(cdnSigningKeys) },
  });
  const cloudFront = createCloudFrontHandler({ credentials, distributionId: 'ETESTDISTRIBUTION' });
  const mail = await startMailServer({ port: 0, region, credentials, apiUrl: 'https://api.test' });
  const breached = await startBreachedPasswordsServer({ port: 0, passwords: breachedPasswords });
  const turnstileSecret = randomBytes(24).toString('base64url');
  const turnstile = await startTurnstileServer({ port: 0, secret: turnstileSecret });
  const events: EventBridgeEvent[] = [];
  const scans: EventBridgeEvent[] = [];
  const guardDuty = createScanner({
    region,
    credentials,
    accountId: '000000000000',
    s3,
    bucket: 'social-flow-uploads',
    prefix: 'quarantine/',
    engine: eicarEngine,
    emit: async (event) => {
      scans.push(event);
    },
  });
  scanner = guardDuty;
  const ffmpeg = await locateFfmpeg();
  const fixture = createMediaFixtures(ffmpeg, join(folder, 'fixtures'));
  const mediaConvert = createMediaConvertHandler({
    region,
    credentials,
    accountId: '000000000000',
    dataDir: join(folder, 'mediaconvert'),
    objectStore: s3,
    ffmpeg,
    statusUpdateIntervalMs: 50,
    emit: async (event) => {
      events.push(event);
    },
  });
  const live = await startTestLive({ folder, region, credentials, s3, ffmpeg });
  const server = createServer((request, response) => {
    if (request.url === '/test/events') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(events));
      return;
    }
    if (request.url === '/test/scans') {
      guardDuty
        .idle()
        .then(() =>
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(scans)),
        );
      return;
    }
    const name = /^\/test\/media\/([\w.-]+)$/.exec(request.url ?? '')?.[1];
    if (name !== undefined) {
      fixture(name)
        .then((bytes) => response.writeHead(bytes === undefined ? 404 : 200).end(bytes))
        .catch((error: unknown) => response.writeHead(500).end(String(error)));
      return;
    }
    if (request.url === '/test/invalidations') {
      const paths = cloudFront.invalidations().flatMap((one) => one.paths);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(paths));
      return;
    }
    cloudFront
      .handle(request, response)
      .then((handled) => handled || mediaConvert.handle(request, response))
      .then((handled) => handled || live.handle(request, response))
      .then((handled) => handled || guardDuty.handle(request, response))
      .catch(() => response.destroy());
  });
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    s3Url: s3.url,
    cdnUrl: cdn.url,
    cdnSigningKeys,
    mediaConvertUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    liveSettings: live.settings,
    mailUrl: mail.url,
    breachedPasswordsUrl: breached.url,
    turnstileUrl: turnstile.url,
    turnstileSecret,
    awsAccessKeyId: credentials[0].accessKeyId,
    awsSecretAccessKey: credentials[0].secretAccessKey,
    async close() {
      await live.close();
      await mediaConvert.close();
      await guardDuty.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await mail.close();
      await breached.close();
      await turnstile.close();
      await cdn.close();
      await s3.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
