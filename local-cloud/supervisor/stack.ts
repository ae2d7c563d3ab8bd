import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startAws } from './aws-parts.ts';
import { startDatabaseServer, startDatabases } from './database-parts.ts';
import { dotenv, writePrivateFile } from './files.ts';
import type { Parts } from './parts.ts';
import { localSecrets } from './secrets.ts';
import { startServices } from './service-parts.ts';
import { status } from './status.ts';
import { workerSettings } from './worker-settings.ts';

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
  for (const part of ['s3', 'mediaconvert', 'ivs', 'events', 'mail', 'secrets.json'])
    rmSync(join(stateDir, part), { recursive: true, force: true });
}

async function startParts(
  options: StackOptions,
  closers: Closer[],
  stop: () => Promise<void>,
): Promise<Stack> {
  const { stateDir } = options;
  const onStop = (close: Closer) => closers.push(close);
  const server = await startDatabaseServer(options, onStop);
  // Not before: a local cloud that runs in this folder holds the database, and this one has failed by now.
  if (options.fresh) clearState(stateDir);
  const secrets = localSecrets(stateDir);
  const credentials = [{ accessKeyId: secrets.accessKeyId, secretAccessKey: secrets.secretAccessKey }];
  const parts: Parts = { options, secrets, credentials, onStop };
  const started = await startDatabases(parts, server);
  const aws = await startAws(parts);
  const services = await startServices(parts);

  const { primary, shards } = started.databases;
  const ownerSettings = {
    DATABASE_OWNER_URL: primary.owner,
    DATABASE_SHARD_OWNER_URLS: shards.map((shard) => shard.owner).join(','),
  };
  writePrivateFile(
    join(stateDir, 'owner.env'),
    dotenv('Connections of the schema owner, for scripts. Written by npm start.', ownerSettings),
  );
  return {
    workerSettings: workerSettings(parts, started, aws, services),
    ownerSettings,
    cdnUrl: aws.cdnUrl,
    mailUrl: services.mailUrl,
    webhookInboxUrl: services.webhookInboxUrl,
    oauthUrl: services.oauthUrl,
    neonBridgeUrl: started.bridgeUrl,
    database: { stop: server.stop, start: server.start },
    broken: server.postgres.exited.then((reason) => `postgres stopped: ${reason}`),
    stop,
  };
}
