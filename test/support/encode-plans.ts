import fc from 'fast-check';
import { defaultEncodePrices } from '../../src/config/encode-prices.ts';
import { colours } from '../../src/modules/videos/policy/colour.ts';
import type { EncodePlan } from '../../src/modules/videos/policy/encode-plan.ts';
import type { EncodeTarget } from '../../src/modules/videos/policy/job-settings.ts';
import { type PlanPolicy, planStream } from '../../src/modules/videos/policy/make-plan.ts';
import { corners, planDownload, planPreview } from '../../src/modules/videos/policy/plan-pictures.ts';
import { refusalOf } from '../../src/modules/videos/policy/probe-verdict.ts';

export const planPolicy: PlanPolicy = {
  encodeMode: 'ladder',
  accelerateFromMinutes: 40,
  priorityMaxSeconds: 300,
  encodePrices: defaultEncodePrices,
};

export const encodeTarget: EncodeTarget = {
  jobId: '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e70',
  attempt: 2,
  environment: 'test',
  roleArn: 'arn:aws:iam::000000000000:role/MediaConvert',
  queueArn: 'arn:aws:mediaconvert:us-east-1:000000000000:queues/Default',
  priorityQueueArn: '',
  overflowQueueArn: '',
  overflowAfterMinutes: 15,
  uploadsBucket: 'raw-bucket',
  recordingsBucket: 'live-bucket',
  mediaBucket: 'media-bucket',
};

const side = fc.oneof(
  fc.integer({ min: 32, max: 8_192 }),
  fc.constantFrom(240, 360, 480, 720, 1_080, 1_920, 2_160, 3_840),
);
const frameRate = fc.oneof(
  fc.constantFrom(null, 1, 12.5, 23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60, 100, 119.88, 240),
  fc.double({ min: 0.5, max: 300, noNaN: true }),
);
const watermark = fc.record({
  key: fc.constant('watermarks/a/b.png'),
  width: fc.integer({ min: 16, max: 2_000 }),
  height: fc.integer({ min: 16, max: 2_000 }),
  corner: fc.constantFrom(...corners),
  opacityPercent: fc.integer({ min: 1, max: 100 }),
  widthPercent: fc.integer({ min: 1, max: 50 }),
});

export const sources = fc.record({
  durationMs: fc.oneof(fc.integer({ min: 1, max: 43_200_000 }), fc.constantFrom(1, 999, 1_000, 60_000)),
  picture: fc.option(
    fc.record({
      width: side,
      height: side,
      frameRate,
      codec: fc.constant('avc'),
      colour: fc.constantFrom(...colours),
    }),
    {
      nil: undefined,
      freq: 8,
    },
  ),
  sound: fc.option(fc.constant({ codec: 'aac' }), { nil: undefined, freq: 3 }),
});

/** Every plan the planner can make of films we accept, of each kind. */
export const plans: fc.Arbitrary<EncodePlan> = fc
  .record({
    facts: sources,
    policy: fc.record({
      encodeMode: fc.constantFrom('ladder' as const, 'automated_abr' as const),
      accelerateFromMinutes: fc.integer({ min: 1, max: 200 }),
      priorityMaxSeconds: fc.integer({ min: 0, max: 3_600 }),
      encodePrices: fc.constant(defaultEncodePrices),
    }),
    watermark: fc.option(watermark, { nil: undefined }),
    burnIn: fc.option(fc.constant({ language: 'en', key: 'media/a/captions/en.vtt' }), { nil: undefined }),
    part: fc.option(
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
      {
        nil: undefined,
      },
    ),
    kind: fc.constantFrom('stream' as const, 'preview' as const, 'download' as const),
  })
  .filter(
    ({ facts }) =>
      (facts.picture ?? facts.sound) !== undefined && (facts.picture === undefined || isAccepted(facts)),
  )
  .map(({ facts, policy, part, kind, ...extras }) => {
    const [from, to] = (part ?? [0, 1]).toSorted((a, b) => a - b) as [number, number];
    const startMs = Math.floor(facts.durationMs * from * 0.99);
    const endMs = Math.max(startMs + 1, Math.floor(facts.durationMs * to));
    const plan = planStream(
      {
        videoId: '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e6f',
        revision: 3,
        sourceKey: 'originals/a/b.mp4',
        facts,
        ...(part === undefined ? {} : { clip: { startMs, endMs } }),
        ...extras,
      },
      policy,
    );
    return kind === 'stream' ? plan : kind === 'preview' ? (planPreview(plan) ?? plan) : planDownload(plan);
  });

const isAccepted = (facts: {
  readonly durationMs: number;
  readonly picture: Parameters<typeof refusalOf>[0]['picture'];
}): boolean =>
  refusalOf(
    { container: 'MP4', sound: undefined, ...facts },
    { maxDurationSeconds: 43_200, maxSidePixels: 8_192 },
  ) === undefined;
