import { createServer } from 'node:http';
import { join } from 'node:path';
import { trustedKeysOf } from '../cdn/keys.ts';
import { startCdnServer } from '../cdn/server.ts';
import { createCloudFrontHandler } from '../cloudfront/handler.ts';
import { createEventBus } from '../events/index.ts';
import { locateFfmpeg } from '../ffmpeg/index.ts';
import type { ProvisionedAccount } from '../ivs/index.ts';
import { createMediaConvertHandler } from '../mediaconvert/index.ts';
import { type CorsRule, startS3Server } from '../s3/server.ts';
import { createScanner, locateEngine, type Scanner } from '../scanner/index.ts';
import { startLive } from './live-part.ts';
import {
  accountId,
  beginStep,
  distributionId,
  mediaBucket,
  type Parts,
  preferredPorts,
  recordingsBucket,
  region,
  uploadsBucket,
} from './parts.ts';
import { freePort } from './ports.ts';
import { status } from './status.ts';

/** Starts what stands for AWS: S3, CloudFront, MediaConvert, IVS, GuardDuty and EventBridge. */
export async function startAws(parts: Parts): Promise<{
  readonly s3Url: string;
  readonly cdnUrl: string;
  readonly awsUrl: string;
  readonly ivs: ProvisionedAccount & { readonly rtmpPort: number };
}> {
  const { options, secrets, credentials } = parts;
  const { stateDir } = options;
  let startedAt = beginStep(options);
  let scanner: Scanner | undefined;
  const s3 = await startS3Server({
    port: await freePort(preferredPorts.s3),
    dataDir: join(stateDir, 's3'),
    region,
    credentials,
    buckets: [{ name: uploadsBucket, cors: uploadsCors }, { name: mediaBucket }, { name: recordingsBucket }],
    onEvent: (event) => scanner?.onS3Event(event),
  });
  parts.onStop(() => s3.close());
  const cdn = await startCdnServer({
    port: await freePort(preferredPorts.cdn),
    originBucket: mediaBucket,
    s3,
    // Where IVS puts recordings.
    behaviours: [{ prefix: 'ivs/', bucket: recordingsBucket }],
    signed: { prefixes: ['media/', 'ivs/'], keys: trustedKeysOf(secrets.cdnSigningKeys) },
  });
  parts.onStop(() => cdn.close());
  status.ok('s3', `${s3.url}, signatures checked; CDN front at ${cdn.url}`, startedAt);

  startedAt = beginStep(options);
  const ffmpeg = await locateFfmpeg();
  const events = await createEventBus({
    target: { url: `${options.workerUrl}/v1/webhooks/aws`, headers: { 'x-api-key': secrets.webhookSecret } },
    chaos: options.chaos,
    dataDir: join(stateDir, 'events'),
  });
  parts.onStop(() => events.close());
  const mediaConvert = createMediaConvertHandler({
    region,
    credentials,
    accountId,
    dataDir: join(stateDir, 'mediaconvert'),
    objectStore: s3,
    ffmpeg,
    emit: (event) => events.emit(event),
  });
  parts.onStop(() => mediaConvert.close());
  const ivs = await startLive(parts, { s3, ffmpeg, events });
  const cloudFront = createCloudFrontHandler({ credentials, distributionId, invalidationMs: 2_000 });
  const scanEngine = await locateEngine();
  const guardDuty = createScanner({
    region,
    credentials,
    accountId,
    s3,
    bucket: uploadsBucket,
    prefix: 'quarantine/',
    engine: scanEngine,
    emit: (event) => events.emit(event),
    log: (line) => status.service('scanner', line),
  });
  scanner = guardDuty;
  parts.onStop(() => guardDuty.close());
  const gateway = createServer((request, response) => {
    cloudFront
      .handle(request, response)
      .then((handled) => handled || mediaConvert.handle(request, response))
      .then((handled) => handled || ivs.handle(request, response))
      .then((handled) => handled || guardDuty.handle(request, response))
      .then((handled) => {
        if (!handled) response.writeHead(404, { 'x-amzn-ErrorType': 'UnknownOperationException' }).end('{}');
      })
      .catch((error: unknown) => {
        status.service('aws', String(error));
        response.destroy();
      });
  });
  // As the services it stands for, and unlike Node's 5 s: a connection closed just as it is reused looks like a fault.
  gateway.keepAliveTimeout = 65_000;
  const awsPort = await freePort(preferredPorts.aws);
  await new Promise<void>((resolve, reject) => {
    gateway.once('error', reject);
    gateway.listen(awsPort, '127.0.0.1', resolve);
  });
  parts.onStop(
    () =>
      new Promise((resolve) => {
        gateway.close(resolve);
        gateway.closeAllConnections();
      }),
  );
  const awsUrl = `http://127.0.0.1:${awsPort}`;
  status.ok('mediaconvert', `${awsUrl}, transcodes with ${ffmpeg.description}`, startedAt);
  status.ok('ivs', ivs.description);
  status.ok('scanner', scanEngine.description);
  return { s3Url: s3.url, cdnUrl: cdn.url, awsUrl, ivs: { ...ivs.account, rtmpPort: ivs.rtmpPort } };
}

const uploadsCors: readonly CorsRule[] = [
  {
    allowedOrigins: ['*'],
    allowedMethods: ['PUT', 'GET', 'HEAD'],
    allowedHeaders: ['*'],
    exposeHeaders: ['ETag'],
    maxAgeSeconds: 3600,
  },
];
