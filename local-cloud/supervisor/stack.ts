import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { migrateUp } from '../../scripts/lib/migrations.ts';
import { startBreachedPasswordsServer } from '../breached-passwords/server.ts';
import { trustedKeysOf } from '../cdn/keys.ts';
import { startCdnServer } from '../cdn/server.ts';
import { createCloudFrontHandler } from '../cloudfront/handler.ts';
import { createEventBus } from '../events/index.ts';
import { locateFfmpeg } from '../ffmpeg/index.ts';
import { startMailServer } from '../mail/server.ts';
import { createMediaConvertHandler } from '../mediaconvert/index.ts';
import { startNeonBridge } from '../neon-bridge/index.ts';
import { startOAuthServer } from '../oauth/server.ts';
import { oauthSettings } from '../oauth/settings.ts';
import { provision, startPostgres } from '../postgres/index.ts';
import { type CorsRule, startS3Server } from '../s3/server.ts';
import { createScanner, locateEngine, type Scanner } from '../scanner/index.ts';
import { startSmsServer } from '../sms/server.ts';
import { startTurnstileServer } from '../turnstile/server.ts';
import { startWebhookInbox } from '../webhook-inbox/server.ts';
import { dotenv, writePrivateFile } from './files.ts';
import { freePort } from './ports.ts';
import { localSecrets } from './secrets.ts';
import { status } from './status.ts';

export const region = 'us-east-1';
export const accountId = '000000000000';
export const uploadsBucket = 'social-flow-uploads';
export const mediaBucket = 'social-flow-media';
const distributionId = 'ELOCALDISTRIBUTION';

const preferredPorts = {
  postgres: 55_432,
  neon: 4_480,
  s3: 9_000,
  aws: 9_001,
  cdn: 9_002,
  mail: 9_003,
  sms: 9_007,
  oauth: 9_006,
  breachedPasswords: 9_005,
  turnstile: 9_004,
  webhookInbox: 9_008,
};

export interface StackOptions {
  readonly root: string;
  readonly stateDir: string;
  readonly fresh: boolean;
  /** Where the Worker will answer; events are delivered to its webhook. */
  readonly workerUrl: string;
  readonly chaos: { readonly duplicate: number; readonly reorder: number; readonly drop: number };
  /** Gives the start up. */
  readonly signal?: AbortSignal;
  /** Opens fault switches of the bridge, for tests of outages. */
  readonly testControls?: boolean;
}

export interface Stack {
  /** Settings of the Worker, as written to `.dev.vars`. */
  readonly workerSettings: Readonly<Record<string, string>>;
  /** Settings of scripts: direct connections of the schema's owner. */
  readonly ownerSettings: Readonly<Record<string, string>>;
  readonly cdnUrl: string;
  /** The inbox. */
  readonly mailUrl: string;
  /** Where webhooks to creators can be sent, to look at them. */
  readonly webhookInboxUrl: string;
  /** Stand-ins of the OAuth providers. */
  readonly oauthUrl: string;
  readonly neonBridgeUrl: string;
  /** Takes the database away and brings it back, for tests of outages. */
  readonly database: { stop(): Promise<void>; start(): Promise<void> };
  /** Resolves with a sentence when a part of the stack is gone without being asked. */
  readonly broken: Promise<string>;
  stop(): Promise<void>;
}

type Closer = () => Promise<unknown>;

/** Starts everything the Worker needs, on loopback, in order; takes back what it started when a step fails. */
export async function startStack(options: StackOptions): Promise<Stack> {
  mkdirSync(options.stateDir, { recursive: true });
  const closers: Closer[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse())
      await close().catch((error: unknown) => status.warn(String(error)));
  };
  try {
    return await startParts(options, closers, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

// Postgres clears its own folder: it may lie elsewhere when this user must not run it.
function clearState(stateDir: string): void {
  for (const part of ['s3', 'mediaconvert', 'events', 'mail', 'secrets.json'])
    rmSync(join(stateDir, part), { recursive: true, force: true });
}

async function startParts(
  options: StackOptions,
  closers: Closer[],
  stop: () => Promise<void>,
): Promise<Stack> {
  const { root, stateDir } = options;

  let startedAt = Date.now();
  const startDatabase = (port: number, fresh: boolean) =>
    startPostgres({
      dataDir: join(stateDir, 'postgres'),
      port,
      fresh,
      log: (line) => {
        if (!/\bLOG:|is starting up/.test(line)) status.service('postgres', line);
      },
    });
  const postgres = await startDatabase(preferredPorts.postgres, options.fresh);
  let runningPostgres = postgres;
  closers.push(() => runningPostgres.stop());
  // Not before: a local cloud that runs in this folder holds the database, and this one has failed by now.
  if (options.fresh) clearState(stateDir);
  const secrets = localSecrets(stateDir);
  const credentials = [{ accessKeyId: secrets.accessKeyId, secretAccessKey: secrets.secretAccessKey }];
  const databases = await provision(postgres, {
    passwords: { owner: secrets.ownerPassword, app: secrets.appPassword, replica: secrets.replicaPassword },
  });
  status.ok(
    'postgres',
    `127.0.0.1:${postgres.port}, primary and ${databases.shards.length} timeline shards`,
    startedAt,
  );

  options.signal?.throwIfAborted();
  startedAt = Date.now();
  const applied = await migrateUp({
    connectionString: databases.primary.owner,
    directory: join(root, 'migrations'),
  });
  for (const shard of databases.shards)
    applied.push(
      ...(await migrateUp({ connectionString: shard.owner, directory: join(root, 'migrations', 'shards') })),
    );
  status.ok('migrations', applied.length === 0 ? 'up to date' : `${applied.length} applied`, startedAt);

  options.signal?.throwIfAborted();
  startedAt = Date.now();
  const bridge = await startNeonBridge({
    port: await freePort(preferredPorts.neon),
    postgres,
    ...(options.testControls === true ? { testControls: {} } : {}),
    log: (line) => status.service('neon', line),
  });
  closers.push(() => bridge.close());
  status.ok('neon', `${bridge.url}, the driver's HTTP and WebSocket protocol`, startedAt);

  options.signal?.throwIfAborted();
  startedAt = Date.now();
  let scanner: Scanner | undefined;
  const s3 = await startS3Server({
    port: await freePort(preferredPorts.s3),
    dataDir: join(stateDir, 's3'),
    region,
    credentials,
    buckets: [{ name: uploadsBucket, cors: uploadsCors }, { name: mediaBucket }],
    onEvent: (event) => scanner?.onS3Event(event),
  });
  closers.push(() => s3.close());
  const cdn = await startCdnServer({
    port: await freePort(preferredPorts.cdn),
    originBucket: mediaBucket,
    s3,
    signed: { prefixes: ['media/'], keys: trustedKeysOf(secrets.cdnSigningKeys) },
  });
  closers.push(() => cdn.close());
  status.ok('s3', `${s3.url}, signatures checked; CDN front at ${cdn.url}`, startedAt);

  options.signal?.throwIfAborted();
  startedAt = Date.now();
  const ffmpeg = await locateFfmpeg();
  const events = await createEventBus({
    target: { url: `${options.workerUrl}/v1/webhooks/aws`, headers: { 'x-api-key': secrets.webhookSecret } },
    chaos: options.chaos,
    dataDir: join(stateDir, 'events'),
  });
  closers.push(() => events.close());
  const mediaConvert = createMediaConvertHandler({
    region,
    credentials,
    accountId,
    dataDir: join(stateDir, 'mediaconvert'),
    objectStore: s3,
    ffmpeg,
    emit: (event) => events.emit(event),
  });
  closers.push(() => mediaConvert.close());
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
  closers.push(() => guardDuty.close());
  const gateway = createServer((request, response) => {
    cloudFront
      .handle(request, response)
      .then((handled) => handled || mediaConvert.handle(request, response))
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
  closers.push(
    () =>
      new Promise((resolve) => {
        gateway.close(resolve);
        gateway.closeAllConnections();
      }),
  );
  const awsUrl = `http://127.0.0.1:${awsPort}`;
  status.ok('mediaconvert', `${awsUrl}, transcodes with ${ffmpeg.description}`, startedAt);
  status.ok('scanner', scanEngine.description);

  options.signal?.throwIfAborted();
  startedAt = Date.now();
  const sms = await startSmsServer({
    port: await freePort(preferredPorts.sms),
    accountSid: secrets.smsAccountSid,
    authToken: secrets.smsAuthToken,
  });
  closers.push(() => sms.close());
  status.ok('sms', `${sms.url}/messages shows what was sent`, startedAt);

  options.signal?.throwIfAborted();
  startedAt = Date.now();
  const social = oauthSettings({ secret: secrets.oauthSecret, appleKey: secrets.appleKey });
  const oauth = await startOAuthServer({
    port: await freePort(preferredPorts.oauth),
    clients: social.clients,
    workerUrl: options.workerUrl,
    testControls: options.testControls === true,
  });
  closers.push(() => oauth.close());
  status.ok('oauth', `${oauth.url}, stand-ins for Google, Facebook, X, GitHub and Apple`, startedAt);

  options.signal?.throwIfAborted();
  startedAt = Date.now();
  const mail = await startMailServer({
    port: await freePort(preferredPorts.mail),
    region,
    credentials,
    dataDir: join(stateDir, 'mail'),
    apiUrl: options.workerUrl,
  });
  closers.push(() => mail.close());
  const breached = await startBreachedPasswordsServer({
    port: await freePort(preferredPorts.breachedPasswords),
  });
  closers.push(() => breached.close());
  status.ok('mail', `${mail.url}, the inbox of everybody`, startedAt);

  options.signal?.throwIfAborted();
  startedAt = Date.now();
  const webhookInbox = await startWebhookInbox({ port: await freePort(preferredPorts.webhookInbox) });
  closers.push(() => webhookInbox.close());
  status.ok(
    'webhooks',
    `${webhookInbox.url}, an inbox: give an endpoint the address /in/<anything>`,
    startedAt,
  );

  options.signal?.throwIfAborted();
  startedAt = Date.now();
  const turnstile = await startTurnstileServer({
    port: await freePort(preferredPorts.turnstile),
    secret: secrets.turnstileSecret,
  });
  closers.push(() => turnstile.close());
  status.ok('turnstile', `${turnstile.url}, /token?action=login plays a solved challenge`, startedAt);

  const workerSettings = {
    ENVIRONMENT: 'development',
    DATABASE_URL: databases.primary.app,
    DATABASE_REPLICA_URL: databases.primary.replica,
    DATABASE_SHARD_URLS: databases.shards.map((shard) => shard.app).join(','),
    NEON_PROXY_URL: bridge.url,
    TOKEN_ISSUER: options.workerUrl,
    CURSOR_SECRET: secrets.cursorSecret,
    PASSWORD_PEPPER: secrets.passwordPepper,
    ACCESS_TOKEN_KEYS: secrets.signingKeys,
    DATA_ENCRYPTION_KEYS: secrets.dataEncryptionKeys,
    AWS_REGION: region,
    TURNSTILE_SITE_KEY: '1x00000000000000000000AA',
    TURNSTILE_SECRET: secrets.turnstileSecret,
    TURNSTILE_VERIFY_URL: `${turnstile.url}/turnstile/v0/siteverify`,
    AWS_ACCESS_KEY_ID: secrets.accessKeyId,
    AWS_SECRET_ACCESS_KEY: secrets.secretAccessKey,
    AWS_WEBHOOK_SECRET: secrets.webhookSecret,
    S3_ENDPOINT: s3.url,
    S3_PUBLIC_ENDPOINT: s3.url,
    MEDIACONVERT_ENDPOINT: awsUrl,
    GUARDDUTY_ENDPOINT: awsUrl,
    SES_ENDPOINT: mail.url,
    APP_BASE_URL: `${mail.url}/app`,
    BREACHED_PASSWORDS_URL: breached.url,
    OUTBOUND_TRUSTED_HOSTS: 'localhost,127.0.0.1',
    UPLOADS_BUCKET: uploadsBucket,
    MEDIA_BUCKET: mediaBucket,
    CDN_BASE_URL: cdn.url,
    CDN_SIGNING_KEYS: secrets.cdnSigningKeys,
    CDN_DISTRIBUTION_ID: distributionId,
    CLOUDFRONT_ENDPOINT: awsUrl,
    SMS_API_URL: sms.url,
    SMS_ACCOUNT_SID: secrets.smsAccountSid,
    SMS_AUTH_TOKEN: secrets.smsAuthToken,
    SMS_SENDER: '+15005550006',
    VIDEO_RECONCILE_AFTER_SECONDS: '20',
    ...social.settings,
    OAUTH_STAND_IN_URL: oauth.url,
    OAUTH_RETURN_URLS: `http://localhost:3000/signed-in,http://127.0.0.1:3000/signed-in,${options.workerUrl}/docs`,
  };
  const ownerSettings = {
    DATABASE_OWNER_URL: databases.primary.owner,
    DATABASE_SHARD_OWNER_URLS: databases.shards.map((shard) => shard.owner).join(','),
  };
  writePrivateFile(
    join(stateDir, 'owner.env'),
    dotenv('Connections of the schema owner, for scripts. Written by npm start.', ownerSettings),
  );
  const database = {
    stop: () => runningPostgres.stop(),
    start: async () => {
      runningPostgres = await startDatabase(postgres.port, false);
    },
  };
  const broken = postgres.exited.then((reason) => `postgres stopped: ${reason}`);
  return {
    workerSettings,
    ownerSettings,
    cdnUrl: cdn.url,
    mailUrl: mail.url,
    webhookInboxUrl: webhookInbox.url,
    oauthUrl: oauth.url,
    neonBridgeUrl: bridge.url,
    database,
    broken,
    stop,
  };
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
