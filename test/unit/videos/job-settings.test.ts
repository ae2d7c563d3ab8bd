import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCreateJob } from '../../../local-cloud/mediaconvert/settings/parse.ts';
import { toWire } from '../../../src/integrations/aws/mediaconvert-wire.ts';
import { type EncodePlan, encodePlanSchema } from '../../../src/modules/videos/policy/encode-plan.ts';
import { buildJobRequest } from '../../../src/modules/videos/policy/job-settings.ts';
import { planStream } from '../../../src/modules/videos/policy/make-plan.ts';
import { planDownload, planPreview } from '../../../src/modules/videos/policy/plan-pictures.ts';
import { planPolicy, plans, encodeTarget as target } from '../../support/encode-plans.ts';

const plan: EncodePlan = planStream(
  {
    videoId: '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e6f',
    revision: 1,
    sourceKey: 'originals/a/b.mp4',
    facts: {
      durationMs: 61_500,
      picture: { width: 1920, height: 1080, frameRate: 25, codec: 'avc', colour: 'plain' },
      sound: { codec: 'aac' },
    },
  },
  planPolicy,
);

const groups = (changes: Partial<EncodePlan> = {}) => {
  const [stream, stills] = buildJobRequest({ ...plan, ...changes }, target).Settings?.OutputGroups ?? [];
  return { stream, stills };
};

describe('the job for an encode', () => {
  it('is one MediaConvert takes, over the wire, whatever the plan', () => {
    fc.assert(
      fc.property(plans, (any) => {
        expect(() => parseCreateJob(toWire(buildJobRequest(any, target)))).not.toThrow();
      }),
      { numRuns: 200 },
    );
  });

  it('is the same for a plan that was kept', () => {
    fc.assert(
      fc.property(plans, (any) => {
        expect(encodePlanSchema.parse(JSON.parse(JSON.stringify(any)))).toEqual(any);
      }),
      { numRuns: 50 },
    );
  });

  it('is built of plans from before there was anything to choose', () => {
    const old = {
      videoId: plan.videoId,
      revision: 1,
      sourceKey: 'originals/a/b.mp4',
      durationMs: 61_500,
      frameRate: 25,
      hasAudio: true,
      rungs: plan.rungs,
    };
    expect(encodePlanSchema.parse(old)).toEqual({ ...plan, storyboard: null, lane: 'standard' });
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

  it('has scrub pictures for the whole film in sheets, and none where there are no pictures', () => {
    expect(groups().stream?.OutputGroupSettings?.CmafGroupSettings).toMatchObject({
      ImageBasedTrickPlay: 'ADVANCED',
      ImageBasedTrickPlaySettings: {
        IntervalCadence: 'FOLLOW_CUSTOM',
        ThumbnailInterval: 1,
        ThumbnailWidth: 312,
        ThumbnailHeight: 176,
        TileWidth: 5,
        TileHeight: 4,
      },
    });
    const heard = groups({ rungs: [], storyboard: null });
    expect(heard.stream?.OutputGroupSettings?.CmafGroupSettings?.ImageBasedTrickPlay).toBeUndefined();
    expect(heard.stream?.Outputs?.map((output) => output.NameModifier)).toEqual(['_audio']);
    expect(heard.stills).toBeUndefined();
  });

  it('draws captions into every picture, and is then never accelerated', () => {
    const burnIn = { language: 'en', key: 'media/x/captions/en.vtt' };
    const request = buildJobRequest({ ...plan, burnIn }, target);
    const [stream] = request.Settings?.OutputGroups ?? [];
    const [input] = request.Settings?.Inputs ?? [];
    expect(input?.CaptionSelectors?.['Captions Selector 1']?.SourceSettings).toMatchObject({
      SourceType: 'WEBVTT',
      FileSourceSettings: { SourceFile: 's3://media-bucket/media/x/captions/en.vtt' },
    });
    const seen = stream?.Outputs?.filter((output) => output.VideoDescription !== undefined) ?? [];
    expect(seen).toHaveLength(5);
    for (const output of seen)
      expect(output.CaptionDescriptions?.[0]?.DestinationSettings?.DestinationType).toBe('BURN_IN');
    fc.assert(
      fc.property(plans, (any) => {
        if (any.burnIn !== null) expect(any.acceleration).toBe('DISABLED');
      }),
    );
  });

  it('puts a watermark on the input, so that every size has it', () => {
    const watermark = { key: 'watermarks/a/b.png', x: 40, y: 20, width: 160, height: 48, opacity: 60 };
    const [input] = buildJobRequest({ ...plan, watermark }, target).Settings?.Inputs ?? [];
    expect(input?.ImageInserter?.InsertableImages).toEqual([
      {
        ImageInserterInput: 's3://raw-bucket/watermarks/a/b.png',
        ImageX: 40,
        ImageY: 20,
        Width: 160,
        Height: 48,
        Layer: 1,
        Opacity: 60,
      },
    ]);
  });

  it('takes clips out of the source by its frames', () => {
    const clips = [{ startMs: 1_000, endMs: 3_000 }];
    const [input] = buildJobRequest({ ...plan, clips }, target).Settings?.Inputs ?? [];
    expect(input?.InputClippings).toEqual([{ StartTimecode: '00:00:01:00', EndTimecode: '00:00:02:24' }]);
  });

  it('goes to the queue of its lane and may hop to another, never to its own', () => {
    const priority = `${target.queueArn}-priority`;
    const overflow = `${target.queueArn}-overflow`;
    const queues = { ...target, priorityQueueArn: priority, overflowQueueArn: overflow };
    const soon = buildJobRequest({ ...plan, lane: 'priority' }, queues);
    expect(soon).toMatchObject({ Queue: priority, Priority: 10 });
    expect(soon.HopDestinations).toEqual([{ Queue: overflow, WaitMinutes: 15, Priority: 0 }]);
    expect(buildJobRequest({ ...plan, lane: 'standard' }, queues)).toMatchObject({
      Queue: target.queueArn,
      Priority: 0,
    });
    expect(
      buildJobRequest(plan, { ...target, overflowQueueArn: target.queueArn }).HopDestinations,
    ).toBeUndefined();
    expect(buildJobRequest({ ...plan, lane: 'priority' }, target).Queue).toBe(target.queueArn);
  });

  it('leaves sizes to MediaConvert when asked to, within the largest and smallest of ours', () => {
    const { stream } = groups({ mode: 'automated_abr' });
    expect(stream?.AutomatedEncodingSettings?.AbrSettings).toEqual({
      MaxRenditions: 5,
      MaxAbrBitrate: 5_500_000,
      MinAbrBitrate: 400_000,
    });
    const [pattern, sound] = stream?.Outputs ?? [];
    expect(pattern?.VideoDescription?.Width).toBeUndefined();
    expect(pattern?.VideoDescription?.CodecSettings?.H264Settings).toMatchObject({
      RateControlMode: 'QVBR',
      QualityTuningLevel: 'MULTI_PASS_HQ',
    });
    expect(sound?.NameModifier).toBe('_audio');
  });

  it('makes a moving preview of three places, or of all of a very short film', () => {
    const preview = planPreview(plan);
    expect(preview).toMatchObject({ kind: 'preview', durationMs: 3_000, hasAudio: false });
    const [group] = buildJobRequest(preview ?? plan, target).Settings?.OutputGroups ?? [];
    expect(group?.OutputGroupSettings?.FileGroupSettings?.Destination).toBe(
      `s3://media-bucket/media/${plan.videoId}/v1/preview/animated`,
    );
    expect(group?.Outputs?.[0]?.VideoDescription).toMatchObject({ Width: 320, Height: 180 });
    const short = planPreview({ ...plan, durationMs: 900, clips: [{ startMs: 500, endMs: 1_400 }] });
    expect(short?.clips).toEqual([{ startMs: 500, endMs: 1_400 }]);
    expect(planPreview({ ...plan, rungs: [] })).toBeUndefined();
    fc.assert(
      fc.property(plans, (any) => {
        const [whole] = any.clips;
        fc.pre(any.kind === 'stream');
        for (const clip of planPreview(any)?.clips ?? []) {
          expect(clip.startMs).toBeGreaterThanOrEqual(whole?.startMs ?? 0);
          expect(clip.endMs).toBeLessThanOrEqual((whole?.startMs ?? 0) + any.durationMs);
          expect(clip.endMs).toBeGreaterThan(clip.startMs);
        }
      }),
    );
  });

  it('makes one file to keep, up to 1080p, that plays while it loads', () => {
    const large = planStream(
      {
        videoId: plan.videoId,
        revision: 1,
        sourceKey: plan.sourceKey,
        facts: {
          durationMs: 1_000,
          picture: { width: 3840, height: 2160, frameRate: 30, codec: 'hevc', colour: 'plain' },
          sound: { codec: 'aac' },
        },
      },
      planPolicy,
    );
    const [group] = buildJobRequest(planDownload(large), target).Settings?.OutputGroups ?? [];
    const [output] = group?.Outputs ?? [];
    expect(group?.Outputs).toHaveLength(1);
    expect(output?.ContainerSettings).toEqual({
      Container: 'MP4',
      Mp4Settings: { MoovPlacement: 'PROGRESSIVE_DOWNLOAD' },
    });
    expect(output?.VideoDescription).toMatchObject({ Width: 1920, Height: 1080 });
    expect(output?.AudioDescriptions).toHaveLength(1);
  });
});
