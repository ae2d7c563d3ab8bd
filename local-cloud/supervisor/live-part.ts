import { join } from 'node:path';
import type { EventBus } from '../events/index.ts';
import type { Ffmpeg } from '../ffmpeg/index.ts';
import { type Ivs, type ProvisionedAccount, startIvs } from '../ivs/index.ts';
import type { S3Server } from '../s3/server.ts';
import { accountId, type Parts, preferredPorts, recordingsBucket, region } from './parts.ts';
import { freePort } from './ports.ts';
import { status } from './status.ts';

/** How long an encoder may be away before its recording ends. */
const reconnectWindowSeconds = 60;

/** Starts IVS and sets the account up: its control API answers through the gateway of AWS, encoders and players have ports of their own. */
export async function startLive(
  parts: Parts,
  { s3, ffmpeg, events }: { s3: S3Server; ffmpeg: Ffmpeg; events: EventBus },
): Promise<Ivs & { readonly account: ProvisionedAccount; readonly description: string }> {
  const rtmp = await freePort(preferredPorts.rtmp);
  const ivs = await startIvs({
    region,
    credentials: parts.credentials,
    accountId,
    dataDir: join(parts.options.stateDir, 'ivs'),
    objectStore: {
      bucketExists: s3.hasBucket,
      putFile: s3.putFile,
    },
    ffmpeg,
    emit: (event) => events.emit(event),
    ports: {
      rtmp,
      rtmps: await freePort(Math.max(preferredPorts.rtmps, rtmp + 1)),
      playback: await freePort(preferredPorts.playback),
    },
    log: (line) => status.service('ivs', line),
  });
  parts.onStop(() => ivs.close());
  const ingest = `rtmps://127.0.0.1:${ivs.rtmpsPort}/app/<key>, rtmp://127.0.0.1:${ivs.rtmpPort}/app/<key>`;
  const description = `${ingest}; plays at http://127.0.0.1:${ivs.playbackPort}`;
  const account = ivs.provision({
    playbackKey: parts.secrets.livePlaybackKey,
    recordingsBucket,
    reconnectWindowSeconds,
  });
  return { ...ivs, account, description };
}
