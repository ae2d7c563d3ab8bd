import { rm } from 'node:fs/promises';
import { neonConfig } from '@neondatabase/serverless';
import { afterAll, beforeAll } from 'vitest';
import { type NeonBridge, startNeonBridge } from '../../../local-cloud/neon-bridge/index.ts';
import {
  type PostgresHandle,
  type Provisioned,
  provision,
  startPostgres,
} from '../../../local-cloud/postgres/index.ts';
import { makeTemporaryDir } from './temporary.ts';

export type NeonFixture = {
  dataDir: string;
  postgres: PostgresHandle;
  bridge: NeonBridge;
  urls: Provisioned;
};

/** Points the unmodified Neon driver at a bridge, for HTTP queries and for the WebSocket tunnel. */
export function pointDriverAt(bridge: NeonBridge): void {
  neonConfig.fetchEndpoint = () => `${bridge.url}/sql`;
  neonConfig.wsProxy = (host, port) => `${bridge.host}:${bridge.port}/v2?address=${host}:${port}`;
  neonConfig.useSecureWebSocket = false;
  neonConfig.pipelineTLS = false;
  neonConfig.pipelineConnect = false;
}

/**
 * A provisioned Postgres and a bridge with fault controls for all tests of the calling file, with the driver pointed at it.
 * The returned object is filled in before the first test.
 */
export function useNeon(): NeonFixture {
  const fixture = {} as NeonFixture;
  beforeAll(async () => {
    fixture.dataDir = await makeTemporaryDir();
    fixture.postgres = await startPostgres({ dataDir: fixture.dataDir, port: 0, durable: false });
    fixture.urls = await provision(fixture.postgres, {
      passwords: { owner: 'o w/n@er', app: 'app', replica: 'replica' },
    });
    fixture.bridge = await startNeonBridge({ port: 0, postgres: fixture.postgres, testControls: {} });
    pointDriverAt(fixture.bridge);
  });
  afterAll(async () => {
    await fixture.bridge.close();
    await fixture.postgres.stop({ removeData: true });
    await rm(fixture.dataDir, { recursive: true, force: true });
  });
  return fixture;
}

/** Sends JSON to a control path of the bridge. */
export async function control(
  bridge: { url: string },
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  return fetch(`${bridge.url}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
}
