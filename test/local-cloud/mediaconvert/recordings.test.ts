import { mkdirSync } from 'node:fs';
import { CreateJobCommand, type CreateJobCommandInput, type Job } from '@aws-sdk/client-mediaconvert';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ffmpeg, locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { newDirectory } from './directories.ts';
import { type Cloud, startCloud } from './harness.ts';
import { audioOutput, cmafGroup, ended, ladderJob, videoOutput } from './jobs.ts';
import { makeClip } from './media.ts';
import { concatenate } from './playback.ts';

let ffmpeg: Ffmpeg;
let cloud: Cloud;

beforeAll(async () => {
  ffmpeg = await locateFfmpeg();
  cloud = await startCloud({ ffmpeg });
});
afterAll(() => cloud.close());

/** Records so many seconds as a live stream is, in segments of a second; returns its playlist's lines about them. */
async function record(folder: string, name: string, seconds: number, size: string): Promise<string[]> {
  const clip = `${newDirectory('clips')}/clip.mp4`;
  await makeClip(ffmpeg, clip, { seconds });
  const directory = cloud.store.path('raw', folder);
  mkdirSync(directory, { recursive: true });
  const [width, height] = size.split('x');
  await ffmpeg.run(
    [
      ...['-hide_banner', '-loglevel', 'error', '-y', '-i', clip, '-vf', `scale=${width}:${height}`],
      ...[
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-force_key_frames',
        'expr:gte(t,n_forced)',
        '-c:a',
        'aac',
      ],
      ...['-f', 'hls', '-hls_time', '1', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4'],
      ...[
        '-hls_fmp4_init_filename',
        `${name}-init.mp4`,
        '-hls_segment_filename',
        `${directory}/${name}-%d.mp4`,
      ],
      `${directory}/${name}.m3u8`,
    ],
    { cwd: directory },
  );
  const lines = cloud.store.text('raw', `${folder}/${name}.m3u8`).split('\n');
  return lines.filter((line) => /^#EXT-X-MAP|^#EXTINF|^[^#]/.test(line));
}
const playlist = (...lines: string[]): string =>
  ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-TARGETDURATION:2', ...lines].join('\n');

async function run(url: string, destination: string, more: object = {}): Promise<Job> {
  const input: CreateJobCommandInput = ladderJob({ FileInput: url, ...more }, [
    cmafGroup(destination, [videoOutput('_v', 320, 180), audioOutput()]),
  ]);
  const { Job: job } = await cloud.client.send(new CreateJobCommand(input));
  return ended(cloud, job?.Id);
}
const playedBy = async (prefix: string, name: string) => {
  const probe = await ffmpeg.probe(concatenate(cloud.store, 'vod', prefix, `${name}_v.m3u8`));
  const video = probe.streams.find((stream) => stream.kind === 'video');
  return { seconds: probe.durationSeconds, size: `${video?.width}x${video?.height}` };
};

describe('an HLS recording as input', () => {
  it('is encoded in its best rendition, from the first segment to the last', async () => {
    const good = await record('rec/best', 'good', 4, '320x180');
    await record('rec/best', 'poor', 4, '160x90');
    cloud.store.put('raw', 'rec/best/good.m3u8', playlist(...good, '#EXT-X-ENDLIST'));
    cloud.store.put(
      'raw',
      'rec/best/master.m3u8',
      '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=200000\npoor.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=900000\ngood.m3u8\n',
    );
    expect((await run('s3://raw/rec/best/master.m3u8', 's3://vod/best/')).Status).toBe('COMPLETE');
    const played = await playedBy('best/', 'master');
    expect(played.size).toBe('320x180');
    expect(played.seconds).toBeCloseTo(4, 0);
  });

  it('that goes on, and is written to, is encoded as far as it has come', async () => {
    const lines = await record('rec/open', 'live', 5, '320x180');
    // Without an end, and two segments short.
    cloud.store.put('raw', 'rec/open/live.m3u8', playlist(...lines.slice(0, -4)));
    expect((await run('s3://raw/rec/open/live.m3u8', 's3://vod/open/')).Status).toBe('COMPLETE');
    expect((await playedBy('open/', 'live')).seconds).toBeCloseTo(3, 0);
  });

  it('is cut by clippings, also across an encoder that came back', async () => {
    const [before, after] = [
      await record('rec/cut', 'before', 3, '320x180'),
      await record('rec/cut', 'after', 3, '320x180'),
    ];
    const text = playlist(...before, '#EXT-X-DISCONTINUITY', ...after, '#EXT-X-ENDLIST');
    cloud.store.put('raw', 'rec/cut/all.m3u8', text);
    const clipping = { StartTimecode: '00:00:02:00', EndTimecode: '00:00:04:00' };
    await run('s3://raw/rec/cut/all.m3u8', 's3://vod/cut/', { InputClippings: [clipping] });
    expect((await playedBy('cut/', 'all')).seconds).toBeCloseTo(2, 0);
    await run('s3://raw/rec/cut/all.m3u8', 's3://vod/whole/');
    expect((await playedBy('whole/', 'all')).seconds).toBeCloseTo(6, 0);
  });

  it('keeps the size it began with where the encoder came back with another', async () => {
    const [before, after] = [
      await record('rec/sizes', 'before', 2, '320x180'),
      await record('rec/sizes', 'after', 2, '160x120'),
    ];
    const text = playlist(...before, '#EXT-X-DISCONTINUITY', ...after, '#EXT-X-ENDLIST');
    cloud.store.put('raw', 'rec/sizes/all.m3u8', text);
    expect((await run('s3://raw/rec/sizes/all.m3u8', 's3://vod/sizes/')).Status).toBe('COMPLETE');
    const played = await playedBy('sizes/', 'all');
    expect(played.size).toBe('320x180');
    expect(played.seconds).toBeCloseTo(4, 0);
  });

  it('fails the job when it is none, plays nothing, misses a part or leads out of its bucket', async () => {
    const lines = await record('rec/bad', 'live', 1, '160x90');
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['text', 'no playlist at all', /no playlist/],
      ['empty', playlist(), /no segment yet/],
      ['missing', playlist(...lines, '#EXTINF:1,', 'gone.mp4'), /gone\.mp4.*404/],
      ['away', playlist('#EXTINF:1,', 's3://vod/secret.mp4'), /out of its bucket/],
      ['file', playlist('#EXTINF:1,', 'file:///etc/passwd'), /out of its bucket/],
      ['up', playlist('#EXTINF:1,', '../../../../etc/passwd'), /404/],
    ];
    for (const [name, text, reason] of cases) {
      cloud.store.put('raw', `rec/bad/${name}.m3u8`, text);
      const job = await run(`s3://raw/rec/bad/${name}.m3u8`, 's3://vod/bad/');
      expect(job.Status, name).toBe('ERROR');
      expect(job.ErrorMessage, name).toMatch(reason);
    }
  });
});
