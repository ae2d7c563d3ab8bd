import { join } from 'node:path';
import type { EventBus } from '../events/index.ts';
import type { Ffmpeg } from '../ffmpeg/index.ts';
import { type Ivs, startIvs } from '../ivs/index.ts';
import type { S3Server } from '../s3/server.ts';
import { accountId, type Parts, preferredPorts, region } from './parts.ts';
import { freePort } from './ports.ts';
import { status } from './status.ts';

/** Starts IVS: its control API answers through the gateway of AWS, encoders and players have ports of their own. */
export async function startLive(
  parts: Parts,
  { s3, ffmpeg, events }: { s3: S3Server; ffmpeg: Ffmpeg; events: EventBus },
): Promise<Ivs & { readonly description: string }> {
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
  return { ...ivs, description };
}
