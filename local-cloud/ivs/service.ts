import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiContext } from './api/context.ts';
import { createApiHandler, type Handler } from './api/handler.ts';
import { createLimits } from './api/limits.ts';
import { createEvents, type Events } from './events.ts';
import type { Broadcast } from './live/broadcast.ts';
import { createBroadcasts } from './live/broadcasts.ts';
import { startPlaybackServer } from './playback/server.ts';
import { createViewers } from './playback/viewers.ts';
import type { IvsOptions } from './ports.ts';
import { type AccountPlan, type ProvisionedAccount, provisionAccount } from './provision.ts';
import { openRecordings } from './recording/recordings.ts';
import type { Channel } from './resources.ts';
import { keptCertificate } from './rtmp/certificate.ts';
import { startIngestServer } from './rtmp/server.ts';
import { openStore, type Store } from './store.ts';

export type Ivs = {
  /** Answers a request of the control API; false, with nothing done, when the path belongs to another service. */
  readonly handle: Handler;
  readonly rtmpPort: number;
  readonly rtmpsPort: number;
  readonly playbackPort: number;
  /** The broadcast of a channel, for tests of what befalls it. */
  broadcastOf(channelArn: string): Broadcast | undefined;
  /** Makes what is missing of the key and the configuration the platform is set up with. */
  provision(plan: AccountPlan): ProvisionedAccount;
  /** Ends every broadcast and closes its recording. */
  close(): Promise<void>;
};

/** Sessions are told of for so long after their end, as by IVS. */
const SESSION_MEMORY_MS = 60 * 86_400_000;

/** IVS low-latency channels: control API, ingest, playback and recording. What an earlier run left open is ended. */
export async function startIvs(options: IvsOptions): Promise<Ivs> {
  const log = options.log ?? (() => {});
  const now = (): number => (options.now?.() ?? new Date()).getTime();
  rmSync(join(options.dataDir, 'live'), { recursive: true, force: true });
  mkdirSync(options.dataDir, { recursive: true });
  const account = `arn:aws:ivs:${options.region}:${options.accountId}`;
  const store = openStore(options.dataDir, account, log);
  const events = createEvents(options, store);
  endLeftSessions(store, events, now());

  const recordings = openRecordings(options, store, events);
  const viewers = createViewers(store, now);
  const broadcasts = createBroadcasts(options, store, events, recordings.record, (broadcast) =>
    viewers.countOf(broadcast),
  );
  const ingest = await startIngestServer({
    ports: options.ports,
    certificate: keptCertificate(options.dataDir, new Date(now())),
    onPublish: broadcasts.onPublish,
    idleMs: options.ingestIdleMs ?? 30_000,
    log,
  });
  const playback = await startPlaybackServer({
    port: options.ports.playback,
    store,
    viewers,
    liveOf: (channelArn) => broadcasts.of(channelArn),
    onTooManyViewers: (limit) =>
      events.account('IVS Limit Breach', {
        limit_name: 'Concurrent Viewers',
        limit_value: limit,
        exceeded_by: 1,
        limit_unit: 'viewers',
      }),
    log,
  }).catch(async (error: unknown) => {
    await ingest.close();
    throw error;
  });

  const context: ApiContext = {
    options,
    store,
    broadcasts,
    limits: createLimits(options.throttled ?? true, () => new Date(now())),
    now,
    ingestEndpoint: () => `127.0.0.1:${ingest.rtmpsPort}`,
    playbackUrl: ({ arn }: Channel) => {
      const id = arn.slice(arn.lastIndexOf('/') + 1);
      const path = `${options.region}.${options.accountId}.channel.${id}.m3u8`;
      return `http://127.0.0.1:${playback.port}/api/video/v1/${path}`;
    },
  };
  return {
    handle: createApiHandler(context),
    rtmpPort: ingest.rtmpPort,
    rtmpsPort: ingest.rtmpsPort,
    playbackPort: playback.port,
    broadcastOf: (channelArn) => broadcasts.of(channelArn),
    provision: (plan) => provisionAccount(context, plan),
    async close() {
      await Promise.all([broadcasts.close(), ingest.close()]);
      await Promise.all([recordings.close(), playback.close()]);
      await events.settled();
    },
  };
}

function endLeftSessions(store: Store, events: Events, nowMs: number): void {
  for (const session of store.all('stream-session')) {
    if (session.endedAtMs !== undefined) {
      if (nowMs - session.endedAtMs > SESSION_MEMORY_MS) store.remove('stream-session', session.arn);
      continue;
    }
    if (session.startedAtMs !== undefined) events.stream(session, 'IVS Stream State Change', 'Stream End');
    session.endedAtMs = nowMs;
    events.stream(session, 'IVS Stream State Change', 'Session Ended');
  }
}
