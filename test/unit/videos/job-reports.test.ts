import { describe, expect, it } from 'vitest';
import { type EncodePlan, encodePlanSchema } from '../../../src/modules/videos/policy/encode-plan.ts';
import {
  failureOfError,
  jobEventDetail,
  madeDurationMs,
  madeRungs,
  manifestsOf,
  reportOfEvent,
  reportOfJob,
} from '../../../src/modules/videos/policy/job-reports.ts';

const plan: EncodePlan = encodePlanSchema.parse({
  videoId: '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e6f',
  revision: 3,
  sourceKey: 'originals/a/b.mp4',
  durationMs: 10_000,
  frameRate: 25,
  hasAudio: true,
  rungs: [
    { name: '240p', width: 426, height: 240, maxBitrate: 400_000 },
    { name: '360p', width: 640, height: 360, maxBitrate: 800_000 },
  ],
});
const prefix = `media/${plan.videoId}/v3/`;
const job = {
  jobId: '1700000000000-abcdef',
  userMetadata: { job_id: plan.videoId, video_id: plan.videoId },
};
const event = (detail: object) => reportOfEvent(jobEventDetail.parse({ ...job, ...detail }), 5_000);

describe('reading a job event', () => {
  it('finds whose it is, when it was said and what it says', () => {
    expect(
      event({
        status: 'STATUS_UPDATE',
        timestamp: 7_000,
        jobProgress: { jobPercentComplete: 42, currentPhase: 'TRANSCODING', phaseProgress: {} },
      }),
    ).toEqual({
      providerJobId: job.jobId,
      jobId: plan.videoId,
      report: { kind: 'progress', atMs: 7_000, percent: 42, phase: 'transcoding' },
    });
    expect(event({ status: 'PROGRESSING' })?.report).toMatchObject({ kind: 'progress', atMs: 5_000 });
    expect(event({ status: 'ERROR', errorCode: 1_404, errorMessage: 'x'.repeat(9_000) })).toMatchObject({
      report: { kind: 'error' },
      error: { code: '1404', message: 'x'.repeat(2_000) },
    });
    for (const status of ['INPUT_INFORMATION', 'NEW_WARNING', 'QUEUE_HOP', 'SOMETHING_NEW'])
      expect(event({ status })).toBeUndefined();
  });

  it('does not take another job id for ours', () => {
    const foreign = { ...job, userMetadata: { job_id: '42' }, status: 'COMPLETE' };
    expect(reportOfEvent(jobEventDetail.parse(foreign), 0)?.jobId).toBeUndefined();
    expect(jobEventDetail.safeParse({ ...job, jobId: '', status: 'COMPLETE' }).success).toBe(false);
  });

  it('says the same as asking about the job would', () => {
    const outputs = [
      { durationInMs: 10_010, videoDetails: { widthInPx: 426, heightInPx: 240 } },
      { durationInMs: 10_010, videoDetails: { widthInPx: 640, heightInPx: 360 } },
      { durationInMs: 10_000 },
    ];
    const told = event({
      status: 'COMPLETE',
      outputGroupDetails: [
        { type: 'FILE_GROUP', outputDetails: [] },
        { type: 'CMAF_GROUP', outputDetails: outputs },
      ],
    });
    const asked = reportOfJob(
      {
        id: job.jobId,
        role: 'r',
        settings: {},
        status: 'COMPLETE',
        userMetadata: job.userMetadata,
        timing: { finishTime: 5 },
        outputGroupDetails: [{ outputDetails: outputs }, { outputDetails: [] }],
      },
      9_000,
    );
    expect(asked).toEqual(told);
    expect(madeDurationMs(told?.outputs)).toBe(10_010);
  });
});

describe('what an encode made', () => {
  it('is taken from the report when it fits the plan, else from the plan', () => {
    const stream = (width: number, height: number) => ({
      width,
      height,
      durationMs: 9_990,
      bitrate: undefined,
    });
    const sound = { width: undefined, height: undefined, durationMs: 9_900, bitrate: undefined };
    const fitting = { playlists: [], billed: [], streams: [stream(424, 240), stream(638, 360), sound] };
    expect(madeRungs(plan, fitting).map((rung) => [rung.name, rung.width, rung.durationMs])).toEqual([
      ['240p', 424, 9_990],
      ['360p', 638, 9_990],
    ]);
    expect(
      madeRungs(plan, { playlists: [], billed: [], streams: [stream(1, 1)] }).map((rung) => rung.width),
    ).toEqual([426, 640]);
    expect(madeDurationMs(undefined)).toBeNull();
  });

  it('is what the encoder chose where it was left to it, each size by a name of its own', () => {
    const automated = { ...plan, mode: 'automated_abr' as const };
    const stream = (width: number, height: number, bitrate: number | undefined) => ({
      width,
      height,
      durationMs: 9_990,
      bitrate,
    });
    const streams = [stream(1280, 720, 2_000_000), stream(640, 360, 700_000), stream(640, 360, undefined)];
    const made = madeRungs(automated, { playlists: [], billed: [], streams });
    expect(made.map((rung) => [rung.name, rung.width, rung.maxBitrate])).toEqual([
      ['360p', 640, 700_000],
      ['360p-2', 640, 800_000],
      ['720p', 1280, 2_000_000],
    ]);
    expect(madeRungs(automated, undefined).map((rung) => rung.name)).toEqual(['240p', '360p']);
  });

  it('tells what is billed: every output but stills, and whether it was accelerated', () => {
    const said = event({
      status: 'COMPLETE',
      accelerationStatus: 'NOT_ACCELERATED',
      outputGroupDetails: [
        {
          type: 'CMAF_GROUP',
          outputDetails: [{ durationInMs: 5_000, videoDetails: { widthInPx: 640, heightInPx: 360 } }],
        },
        {
          type: 'FILE_GROUP',
          outputDetails: [
            {
              durationInMs: 5_000,
              outputFilePaths: ['s3://m/t.0000004.jpg'],
              videoDetails: { widthInPx: 640, heightInPx: 360 },
            },
          ],
        },
      ],
    });
    expect(said?.acceleration).toBe('NOT_ACCELERATED');
    expect(said?.outputs?.billed).toHaveLength(1);
    expect(event({ status: 'COMPLETE', accelerationStatus: 'SOMETHING_NEW' })?.acceleration).toBeUndefined();
  });

  it('lies where our settings put it unless the report names another place of ours', () => {
    expect(manifestsOf(plan, 'media-bucket', [])).toEqual({
      hlsKey: `${prefix}video.m3u8`,
      dashKey: `${prefix}video.mpd`,
    });
    const reported = ['s3://media-bucket/', 's3://other-bucket/', 's3://media-bucket/media/someone/v1/']
      .map((place) => `${place}x.mpd`)
      .concat(`s3://media-bucket/${prefix}film.mpd`, `s3://media-bucket/${prefix}film.m3u8`);
    expect(manifestsOf(plan, 'media-bucket', reported)).toEqual({
      hlsKey: `${prefix}film.m3u8`,
      dashKey: `${prefix}film.mpd`,
    });
  });

  it('never lies at a path that leads out of our folder', () => {
    const out = [
      '../v9/x.m3u8',
      'a/../../../x/v1/x.m3u8',
      './x.m3u8',
      '/x.m3u8',
      `${'a/'.repeat(600)}x.m3u8`,
    ];
    for (const path of out)
      expect(manifestsOf(plan, 'media-bucket', [`s3://media-bucket/${prefix}${path}`]).hlsKey).toBe(
        `${prefix}video.m3u8`,
      );
  });

  it('is measured in numbers that can be, and other numbers are not believed', () => {
    const absurd = [1e300, -1, 0, 0.5, 2 ** 53, 99_999_999_999_999];
    for (const number of absurd) {
      const said = event({
        status: 'COMPLETE',
        timestamp: number === 0.5 ? -1 : number,
        outputGroupDetails: [
          {
            type: 'CMAF_GROUP',
            outputDetails: plan.rungs.map(() => ({
              durationInMs: number,
              videoDetails: { widthInPx: number, heightInPx: number },
            })),
          },
        ],
      });
      expect(madeRungs(plan, said?.outputs)).toEqual(
        plan.rungs.map((rung) => ({ ...rung, durationMs: null })),
      );
      expect(madeDurationMs(said?.outputs)).toBeNull();
      expect(Number.isFinite(new Date(said?.report.atMs ?? Number.NaN).getTime())).toBe(true);
    }
    expect(event({ status: 'PROGRESSING', timestamp: 1e300 })?.report.atMs).toBe(5_000);
  });

  it('that failed is explained by a stable code', () => {
    expect(failureOfError('1404')).toBe('source_missing');
    expect(failureOfError('lost')).toBe('encode_lost');
    expect(failureOfError('3450')).toBe('encode_failed');
    expect(failureOfError(undefined)).toBe('encode_failed');
  });
});
