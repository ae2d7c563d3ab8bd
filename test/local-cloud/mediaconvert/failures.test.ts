import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { CreateJobCommand, type CreateJobCommandInput, type Job } from '@aws-sdk/client-mediaconvert';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ffmpeg, locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { type Cloud, startCloud } from './harness.ts';
import { audioOutput, cmafGroup, ended, ladderJob, videoOutput } from './jobs.ts';
import { makeClip } from './media.ts';

let ffmpeg: Ffmpeg;
let cloud: Cloud;

beforeAll(async () => {
  ffmpeg = await locateFfmpeg();
  cloud = await startCloud({ ffmpeg });
  mkdirSync(cloud.store.path('raw', 'uploads'));
});
afterAll(() => cloud.close());

async function run(input: CreateJobCommandInput): Promise<Job> {
  const { Job: job } = await cloud.client.send(new CreateJobCommand(input));
  return ended(cloud, job?.Id);
}

const transcodeOf = (file: string, destination = 's3://vod/out/') =>
  run(
    ladderJob({ FileInput: `s3://raw/uploads/${file}` }, [
      cmafGroup(destination, [videoOutput('_v', 320, 180), audioOutput()]),
    ]),
  );

describe('a job that cannot be done', () => {
  it('ends in ERROR 1404 when its input does not exist, and says so in the event', async () => {
    const job = await transcodeOf('nowhere.mp4');
    expect(job).toMatchObject({ Status: 'ERROR', ErrorCode: 1404 });
    expect(job.ErrorMessage).toContain('s3://raw/uploads/nowhere.mp4');
    expect(job.Timing?.FinishTime).toBeInstanceOf(Date);
    expect(cloud.statuses(job.Id ?? '').at(-1)).toBe('ERROR');
    const event = cloud.events.find(
      (candidate) => candidate.detail.jobId === job.Id && candidate.detail.status === 'ERROR',
    );
    expect(event?.detail).toMatchObject({ errorCode: 1404, errorMessage: job.ErrorMessage });
  });

  it.each([
    ['a text file named .mp4', 'hello, this is not a film'],
    ['an empty file', ''],
    ['a web page', '<!doctype html><html><body>hi</body></html>'],
    ['random bytes', Buffer.from(Array.from({ length: 50_000 }, (_, index) => (index * 7919) % 251))],
  ])('ends in ERROR 1010 for %s', async (_, content) => {
    cloud.store.put('raw', 'uploads/bad.mp4', content);
    const job = await transcodeOf('bad.mp4');
    expect(job).toMatchObject({ Status: 'ERROR', ErrorCode: 1010 });
    expect(job.ErrorMessage).toMatch(/^Unable to open input file \[s3:\/\/raw\/uploads\/bad.mp4\]/);
    expect(job.ErrorMessage).not.toContain(cloud.store.root);
  });

  it('ends in ERROR 1010 for an MP4 that lost its end', async () => {
    const whole = await makeClip(ffmpeg, cloud.store.path('raw', 'uploads/whole.mp4'));
    const bytes = readFileSync(whole);
    cloud.store.put('raw', 'uploads/cut.mp4', bytes.subarray(0, Math.floor(bytes.length / 2)));
    expect(await transcodeOf('cut.mp4')).toMatchObject({ Status: 'ERROR', ErrorCode: 1010 });
  });

  it('never follows a playlist or script that poses as a film', async () => {
    const film = await makeClip(ffmpeg, cloud.store.path('raw', 'uploads/private.ts'), { seconds: 1 });
    const scripts = [
      `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nfile://${film}\n#EXT-X-ENDLIST\n`,
      `ffconcat version 1.0\nfile ${film}\n`,
    ];
    for (const script of scripts) {
      writeFileSync(cloud.store.path('raw', 'uploads/trojan.mp4'), script);
      expect(await transcodeOf('trojan.mp4')).toMatchObject({ Status: 'ERROR', ErrorCode: 1010 });
    }
  });

  it('ends in ERROR 1030 when a film is wanted of a file that only has sound', async () => {
    await ffmpeg.run(['-f', 'lavfi', '-i', 'sine=duration=1', cloud.store.path('raw', 'uploads/tone.wav')], {
      cwd: '/tmp',
    });
    expect(await transcodeOf('tone.wav')).toMatchObject({ Status: 'ERROR', ErrorCode: 1030 });
  });

  it('ends in ERROR 1030 when every clip lies beyond the end', async () => {
    await makeClip(ffmpeg, cloud.store.path('raw', 'uploads/short.mp4'), { seconds: 1 });
    const clipping = [{ StartTimecode: '00:10:00:00' }];
    const job = await run(
      ladderJob({ FileInput: 's3://raw/uploads/short.mp4', InputClippings: clipping }, [
        cmafGroup('s3://vod/out/', [videoOutput('_v', 320, 180)]),
      ]),
    );
    expect(job).toMatchObject({ Status: 'ERROR', ErrorCode: 1030 });
  });

  it('ends in ERROR when the output bucket does not exist', async () => {
    await makeClip(ffmpeg, cloud.store.path('raw', 'uploads/fine.mp4'), { seconds: 1 });
    const job = await transcodeOf('fine.mp4', 's3://nobucket/out/');
    expect(job.Status).toBe('ERROR');
    expect(job.ErrorMessage).toContain('s3://nobucket/out/');
  });

  it('leaves nothing in the output bucket', () => {
    expect(cloud.store.keys('vod')).toEqual([]);
  });
});

describe('a damaged film that still plays', () => {
  it('is transcoded as far as it goes, with a warning', async () => {
    const whole = await makeClip(ffmpeg, cloud.store.path('raw', 'uploads/streamable.mp4'), {
      seconds: 4,
      codecArgs: [
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-pix_fmt',
        'yuv420p',
        '-c:a',
        'aac',
        '-movflags',
        '+faststart',
      ],
    });
    const bytes = readFileSync(whole);
    cloud.store.put('raw', 'uploads/half.mp4', bytes.subarray(0, Math.floor(bytes.length / 2)));
    const job = await transcodeOf('half.mp4', 's3://vod/half/');
    expect(job.Status).toBe('COMPLETE');
    expect(job.Messages?.Warning?.join()).toContain('could be decoded');
    expect(job.OutputGroupDetails?.[0]?.OutputDetails?.[0]?.DurationInMs).toBeLessThan(3500);
  });
});
