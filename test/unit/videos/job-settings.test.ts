import { describe, expect, it } from 'vitest';
import { parseCreateJob } from '../../../local-cloud/mediaconvert/settings/parse.ts';
import { toWire } from '../../../src/integrations/aws/mediaconvert-wire.ts';
import type { EncodePlan } from '../../../src/modules/videos/policy/encode-plan.ts';
import { planLadder } from '../../../src/modules/videos/policy/encode-plan.ts';
import { buildJobRequest } from '../../../src/modules/videos/policy/job-settings.ts';

const plan: EncodePlan = {
  videoId: '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e6f',
  revision: 1,
  sourceKey: 'originals/a/b.mp4',
  durationMs: 61_500,
  frameRate: 25,
  hasAudio: true,
  rungs: planLadder({ width: 1920, height: 1080, frameRate: 25 }),
};
const target = {
  jobId: '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e70',
  attempt: 2,
  environment: 'test',
  roleArn: 'arn:aws:iam::000000000000:role/MediaConvert',
  queueArn: 'arn:aws:mediaconvert:us-east-1:000000000000:queues/Default',
  uploadsBucket: 'raw-bucket',
  mediaBucket: 'media-bucket',
};

const groups = (changes: Partial<EncodePlan> = {}) => {
  const [stream, stills] = buildJobRequest({ ...plan, ...changes }, target).Settings?.OutputGroups ?? [];
  return { stream, stills };
};

describe('the job for an encode', () => {
  it('is one MediaConvert takes, over the wire', () => {
    for (const changes of [
      {},
      { hasAudio: false },
      { frameRate: 120 },
      { frameRate: null },
      { durationMs: 1 },
    ])
      expect(() => parseCreateJob(toWire(buildJobRequest({ ...plan, ...changes }, target)))).not.toThrow();
  });

  it('can be found again by its token and metadata', () => {
    expect(buildJobRequest(plan, target)).toMatchObject({
      ClientRequestToken: target.jobId,
      UserMetadata: { video_id: plan.videoId, job_id: target.jobId, attempt: '2', environment: 'test' },
    });
  });

  it('has a video output for each size, sound in an output of its own, and both manifests', () => {
    const { stream } = groups();
    expect(stream?.OutputGroupSettings?.CmafGroupSettings).toMatchObject({
      Destination: `s3://media-bucket/media/${plan.videoId}/v1/video`,
      WriteHlsManifest: 'ENABLED',
      WriteDashManifest: 'ENABLED',
    });
    expect(stream?.Outputs?.map((output) => output.NameModifier)).toEqual([
      '_240p',
      '_360p',
      '_480p',
      '_720p',
      '_1080p',
      '_audio',
    ]);
    const sound = stream?.Outputs?.at(-1);
    expect(sound?.VideoDescription).toBeUndefined();
    expect(sound?.AudioDescriptions?.[0]?.AudioNormalizationSettings).toMatchObject({
      Algorithm: 'ITU_BS_1770_4',
      TargetLkfs: -16,
    });
    expect(stream?.Outputs?.slice(0, -1).every((output) => output.AudioDescriptions === undefined)).toBe(
      true,
    );
  });

  it('asks for no sound where there is none', () => {
    const request = buildJobRequest({ ...plan, hasAudio: false }, target);
    expect(request.Settings?.Inputs?.[0]?.AudioSelectors).toBeUndefined();
    expect(groups({ hasAudio: false }).stream?.Outputs?.some((output) => output.AudioDescriptions)).toBe(
      false,
    );
  });

  it('takes a still at the start of each fifth of the film', () => {
    const [still] = groups().stills?.Outputs ?? [];
    const capture = still?.VideoDescription?.CodecSettings?.FrameCaptureSettings;
    const { FramerateNumerator = 0, FramerateDenominator = 0 } = capture ?? {};
    expect(FramerateDenominator / FramerateNumerator).toBeCloseTo(61.5 / 5);
    expect(capture?.MaxCaptures).toBe(5);
    expect([still?.VideoDescription?.Width, still?.VideoDescription?.Height]).toEqual([1280, 720]);
  });

  it('brings very high frame rates down to 60 and leaves others alone', () => {
    const rate = (frameRate: number) =>
      groups({ frameRate }).stream?.Outputs?.[0]?.VideoDescription?.CodecSettings?.H264Settings;
    expect(rate(120)).toMatchObject({ FramerateControl: 'SPECIFIED', FramerateNumerator: 60 });
    expect(rate(59.94)).toMatchObject({ FramerateControl: 'INITIALIZE_FROM_SOURCE' });
  });
});
