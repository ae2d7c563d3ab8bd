import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { AwsCredentials } from '../../../local-cloud/aws-gate/verify.ts';
import type { EventBridgeEvent } from '../../../local-cloud/events/index.ts';
import type { Ffmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { makePlaybackKey, startIvs } from '../../../local-cloud/ivs/index.ts';
import type { S3Server } from '../../../local-cloud/s3/server.ts';
import { type Publication, publish } from '../../local-cloud/ivs/encoder.ts';

export const recordingsBucket = 'social-flow-recordings';

/** Settings of the Worker for this IVS, apart from its address. */
export type LiveSettings = Readonly<Record<string, string>>;

/**
 * IVS for the Worker's tests. Beside its API it answers `GET /test/live/events`: every event sent so far, in order, for the test
 * to deliver as it likes; `POST /test/live/broadcasts?key=<stream key>`: an encoder (ffmpeg) begins to send a test picture;
 * `GET` of the same: whether it is still connected; and `DELETE`: it goes.
 */
export async function startTestLive(options: {
  readonly folder: string;
  readonly region: string;
  readonly credentials: readonly AwsCredentials[];
  readonly s3: S3Server;
  readonly ffmpeg: Ffmpeg;
}) {
  const { folder, region, credentials, s3, ffmpeg } = options;
  const events: EventBridgeEvent[] = [];
  const broadcasts = new Map<string, { readonly publication: Publication; ended: boolean }>();
  const ivs = await startIvs({
    region,
    credentials,
    accountId: '000000000000',
    dataDir: join(folder, 'ivs'),
    objectStore: { bucketExists: s3.hasBucket, putFile: s3.putFile },
    ffmpeg,
    emit: async (event) => {
      events.push(structuredClone(event));
    },
    ports: { rtmp: 0, rtmps: 0, playback: 0 },
    throttled: false,
    starvationMs: 60_000,
  });
  const playbackKey = makePlaybackKey();
  const account = ivs.provision({ playbackKey, recordingsBucket, reconnectWindowSeconds: 5 });
  const settings: LiveSettings = {
    LIVE_RTMP_PORT: String(ivs.rtmpPort),
    LIVE_RECORDING_CONFIGURATION_ARN: account.recordingConfigurationArn,
    LIVE_PLAYBACK_KEY: playbackKey,
  };

  const act: Readonly<Record<string, (key: string) => unknown>> = {
    POST: (key) => {
      const publication = publish({ ivs, ffmpeg }, key, { secure: true });
      const broadcast = { publication, ended: false };
      broadcasts.set(key, broadcast);
      publication.ended.then(() => {
        broadcast.ended = true;
      });
      return {};
    },
    GET: (key) => ({ connected: broadcasts.get(key)?.ended === false }),
    DELETE: async (key) => {
      await broadcasts.get(key)?.publication.stop();
      return {};
    },
  };

  async function control(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (!url.pathname.startsWith('/test/live/')) return false;
    const answer =
      url.pathname === '/test/live/events'
        ? events
        : await act[request.method ?? 'GET']?.(url.searchParams.get('key') ?? '');
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    return true;
  }

  return {
    settings,
    handle: async (request: IncomingMessage, response: ServerResponse): Promise<boolean> =>
      (await control(request, response)) || (await ivs.handle(request, response)),
    async close(): Promise<void> {
      await Promise.all([...broadcasts.values()].map(({ publication }) => publication.stop()));
      await ivs.close();
    },
  };
}
