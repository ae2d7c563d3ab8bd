import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  CreateChannelCommand,
  CreateRecordingConfigurationCommand,
  type CreateRecordingConfigurationCommandInput,
  GetStreamSessionCommand,
  IvsClient,
} from '@aws-sdk/client-ivs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventBridgeEvent } from '../../../local-cloud/events/index.ts';
import { locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { recordedRenditions, thumbnailRendition } from '../../../local-cloud/ivs/recording/layout.ts';
import { newDirectory } from '../mediaconvert/directories.ts';
import { type FolderStore, openFolderStore } from '../mediaconvert/folder-store.ts';
import { ACCOUNT, type Cloud, CREDENTIALS, publish, REGION, startCloud, told, until } from './harness.ts';

const RECORDING = 'IVS Recording State Change';
let store: FolderStore;
let cloud: Cloud;
beforeAll(async () => {
  store = openFolderStore(newDirectory('buckets'));
  cloud = await startCloud({ store });
});
afterAll(() => cloud.close());

type Settings = Omit<CreateRecordingConfigurationCommandInput, 'destinationConfiguration'>;

async function recordedChannel(
  on: Cloud,
  settings: Settings,
  bucketName = 'vod',
  type: 'BASIC' | 'STANDARD' = 'BASIC',
) {
  const made = await on.client.send(
    new CreateRecordingConfigurationCommand({
      destinationConfiguration: { s3: { bucketName } },
      ...settings,
    }),
  );
  const { arn = '' } = made.recordingConfiguration ?? {};
  return on.createChannel({ recordingConfigurationArn: arn, type });
}
const recordingEvents = (from: Cloud, channelArn: string): EventBridgeEvent[] =>
  from.events.filter((event) => event['detail-type'] === RECORDING && event.resources[0] === channelArn);
const prefixIn = (event: EventBridgeEvent | undefined): string =>
  String(event?.detail.recording_s3_key_prefix);

/** Strictly decodes what a playlist in the bucket plays. */
async function decode(key: string): Promise<string> {
  const args = ['-v', 'error', '-xerror', '-allowed_extensions', 'ALL', '-i', store.path('vod', key)];
  const { stderrTail } = await cloud.ffmpeg.run([...args, '-f', 'null', '-'], { cwd: newDirectory('null') });
  return stderrTail;
}

// Side by side: broadcasts take as long as they take, and little else.
describe.concurrent('a recording', () => {
  it('lies in S3 as IVS lays it out, with thumbnails, and plays', async () => {
    const { channel, key } = await recordedChannel(
      cloud,
      { thumbnailConfiguration: { targetIntervalSeconds: 1, storage: ['SEQUENTIAL', 'LATEST'] } },
      'vod',
      'STANDARD',
    );
    const publication = publish(cloud, key.value, { seconds: 5, size: '320x240' });
    await told(cloud, channel.arn, 'Recording Start', RECORDING);
    await publication.ended;
    await told(cloud, channel.arn, 'Recording End', RECORDING);

    const [started, ended] = recordingEvents(cloud, channel.arn);
    const prefix = prefixIn(started);
    const channelId = channel.arn.split('/')[1];
    expect(prefix).toMatch(
      new RegExp(`^ivs/v1/${ACCOUNT}/${channelId}/20\\d\\d/\\d+/\\d+/\\d+/\\d+/[A-Za-z0-9]{12}$`),
    );
    const { streamSession } = await cloud.client.send(
      new GetStreamSessionCommand({ channelArn: channel.arn }),
    );
    expect(ended?.detail).toMatchObject({
      recording_status: 'Recording End',
      recording_status_reason: '',
      recording_s3_bucket_name: 'vod',
      recording_s3_key_prefix: prefix,
      recording_session_id: prefix.split('/').at(-1),
      recording_session_stream_ids: [streamSession?.streamId],
      stream_id: streamSession?.streamId,
    });
    // All of the five seconds, from the first key frame to what came last.
    expect(Number(ended?.detail.recording_duration_ms)).toBeGreaterThan(4800);
    expect(Number(ended?.detail.recording_duration_ms)).toBeLessThan(5200);
    expect(streamSession?.recordingConfiguration?.destinationConfiguration?.s3?.bucketName).toBe('vod');

    const keys = store.keys('vod').filter((name) => name.startsWith(prefix));
    const names = keys.map((name) => name.slice(prefix.length + 1));
    expect(names).toEqual(
      expect.arrayContaining([
        'events/recording-started.json',
        'events/recording-ended.json',
        'media/hls/master.m3u8',
        'media/hls/240p15/playlist.m3u8',
        'media/hls/240p15/init-0.mp4',
        'media/hls/240p15/0.mp4',
        'media/hls/160p15/playlist.m3u8',
        'media/hls/160p15/0.mp4',
        'media/latest_thumbnail/thumb.jpg',
        'media/thumbnails/thumb0.jpg',
        'media/thumbnails/thumb1.jpg',
        'media/thumbnails/thumb2.jpg',
      ]),
    );
    expect(JSON.parse(store.text('vod', `${prefix}/events/recording-ended.json`))).toMatchObject({
      version: 'v1',
      channel_arn: channel.arn,
      recording_status: 'RECORDING_ENDED',
      media: {
        hls: {
          duration_ms: ended?.detail.recording_duration_ms,
          path: 'media/hls',
          playlist: 'master.m3u8',
          renditions: [
            { path: '240p15', playlist: 'playlist.m3u8', resolution_height: 240, resolution_width: 320 },
            { path: '160p15', playlist: 'playlist.m3u8', resolution_height: 160, resolution_width: 214 },
          ],
        },
        thumbnails: { path: 'media/thumbnails', resolution_height: 240, resolution_width: 320 },
        latest_thumbnail: { path: 'media/latest_thumbnail/thumb.jpg' },
      },
    });
    const list = store.text('vod', `${prefix}/media/hls/240p15/playlist.m3u8`);
    expect(list).toContain('#EXT-X-PLAYLIST-TYPE:VOD');
    expect(list.trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true);
    expect(await decode(`${prefix}/media/hls/master.m3u8`)).toBe('');
    const still = await cloud.ffmpeg.run(
      ['-i', store.path('vod', `${prefix}/media/latest_thumbnail/thumb.jpg`), '-f', 'null', '-'],
      {
        cwd: newDirectory('null'),
      },
    );
    expect(still.stderrTail).toContain('320x240');
  });

  it('goes on with an encoder that comes back in time, and ends when none does, also after a restart', async () => {
    const state = newDirectory('ivs');
    const before = await startCloud({ store, dataDir: state });
    const { channel, key } = await recordedChannel(before, {
      recordingReconnectWindowSeconds: 300,
      thumbnailConfiguration: { recordingMode: 'DISABLED' },
    });
    for (let round = 1; round <= 2; round += 1) {
      const publication = publish(before, key.value);
      await told(before, channel.arn, 'Stream Start', undefined, round);
      await publication.stop();
      await told(before, channel.arn, 'Session Ended', undefined, round);
    }
    expect(recordingEvents(before, channel.arn).map(({ detail }) => detail.recording_status)).toEqual([
      'Recording Start',
    ]);
    await before.close();
    const later = Date.now() + 301_000;
    const after = await startCloud({ store, dataDir: state, now: () => new Date(later) });
    await told(after, channel.arn, 'Recording End', RECORDING);
    const [ended] = recordingEvents(after, channel.arn);
    expect(ended?.detail.recording_session_stream_ids).toHaveLength(2);
    const prefix = prefixIn(ended);
    const list = store.text('vod', `${prefix}/media/hls/90p15/playlist.m3u8`);
    expect(list.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(1);
    expect(list).toContain('#EXT-X-MAP:URI="init-1.mp4"');
    expect(await decode(`${prefix}/media/hls/master.m3u8`)).toBe('');
    expect(store.keys('vod').some((name) => name.startsWith(`${prefix}/media/thumbnails`))).toBe(false);
    await after.close();
  });

  it('that cannot begin, or cannot be written to its end, is told of', async () => {
    const nowhere = await recordedChannel(cloud, {}, 'no-such-bucket');
    const publication = publish(cloud, nowhere.key.value);
    await told(cloud, nowhere.channel.arn, 'Recording Start Failure', RECORDING);
    await told(cloud, nowhere.channel.arn, 'Stream Start');
    await publication.stop();

    const full = await startCloud({
      objectStore: {
        bucketExists: () => true,
        putFile: (bucket, key, path, options) =>
          key.endsWith('/1.mp4')
            ? Promise.reject(new Error('disk full'))
            : store.putFile(bucket, key, path, options),
      },
    });
    const { recordingConfiguration } = await full.client.send(
      new CreateRecordingConfigurationCommand({ destinationConfiguration: { s3: { bucketName: 'vod' } } }),
    );
    const made = await full.createChannel({ recordingConfigurationArn: recordingConfiguration?.arn });
    const failing = publish(full, made.key.value, { seconds: 5 });
    await failing.ended;
    await told(full, made.channel.arn, 'Recording End Failure', RECORDING);
    const prefix = prefixIn(recordingEvents(full, made.channel.arn).at(-1));
    const failed = JSON.parse(store.text('vod', `${prefix}/events/recording-failed.json`));
    expect(failed).toMatchObject({
      recording_status: 'RECORDING_ENDED_WITH_FAILURE',
      recording_status_message: expect.any(String),
    });
    await full.close();
  });

  it('and its session are ended after the local cloud was killed', async () => {
    const state = newDirectory('ivs');
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('./standalone.ts', import.meta.url)), state, store.root],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const { url, ...ports } = JSON.parse(line);
    const client = new IvsClient({ region: REGION, endpoint: url, credentials: CREDENTIALS, maxAttempts: 1 });
    const { recordingConfiguration } = await client.send(
      new CreateRecordingConfigurationCommand({ destinationConfiguration: { s3: { bucketName: 'vod' } } }),
    );
    const { channel, streamKey } = await client.send(
      new CreateChannelCommand({
        type: 'BASIC',
        insecureIngest: true,
        recordingConfigurationArn: recordingConfiguration?.arn,
      }),
    );
    const channelArn = channel?.arn ?? '';
    const publication = publish({ ivs: ports, ffmpeg: await locateFfmpeg() }, streamKey?.value ?? '');
    const under = `ivs/v1/${ACCOUNT}/${channelArn.split('/')[1]}/`;
    await until(
      () => store.keys('vod').some((name) => name.startsWith(under) && name.endsWith('/1.mp4')) || undefined,
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    await publication.stop();

    const after = await startCloud({ store, dataDir: state });
    await told(after, channelArn, 'Recording End', RECORDING);
    expect(after.names(channelArn)).toEqual(['Stream End', 'Session Ended']);
    const prefix = prefixIn(recordingEvents(after, channelArn)[0]);
    expect(prefix.startsWith(under)).toBe(true);
    expect(await decode(join(prefix, 'media/hls/master.m3u8'))).toBe('');
    const { streamSession } = await after.client.send(new GetStreamSessionCommand({ channelArn }));
    expect(streamSession?.endTime).toBeInstanceOf(Date);
    await after.close();
  });
});

describe('what is recorded', () => {
  const offered = [720, 480, 160].map((height) => ({
    name: `${height}p30`,
    width: height * 2,
    height,
    framerate: 30,
    bandwidth: 1,
    codecs: '',
  }));
  it.each([
    ['ALL', [], [0, 1, 2]],
    ['NONE', ['SD'], []],
    ['CUSTOM', ['SD'], [1]],
    ['CUSTOM', ['LOWEST_RESOLUTION', 'HD'], [0, 2]],
    ['CUSTOM', ['FULL_HD'], [0]],
  ] as const)('is %s of %j', (renditionSelection, renditions, expected) => {
    expect(recordedRenditions({ renditionSelection, renditions }, offered, false)).toEqual(expected);
    expect(recordedRenditions({ renditionSelection: 'CUSTOM', renditions }, offered, true)).toEqual([
      0, 1, 2,
    ]);
  });
  it('has its thumbnails of the size asked for, or of the source', () => {
    expect(thumbnailRendition(undefined, offered)).toBe(0);
    expect(thumbnailRendition('SD', offered)).toBe(1);
    expect(thumbnailRendition('FULL_HD', offered)).toBe(0);
    expect(thumbnailRendition('LOWEST_RESOLUTION', offered)).toBe(2);
  });
});
