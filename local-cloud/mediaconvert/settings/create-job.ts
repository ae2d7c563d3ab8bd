import { z } from 'zod';
import { input } from './input.ts';
import { outputGroup } from './output.ts';
import { accepted, int } from './primitives.ts';

const queueName = z
  .string()
  .regex(
    /^(arn:aws[a-z-]*:mediaconvert:[a-z0-9-]+:\d{12}:queues\/)?[A-Za-z0-9 _-]{1,255}$/,
    'must be a queue name or the ARN of a queue',
  );

const stringMap = (maxEntries: number) =>
  z
    .record(z.string().min(1).max(256), z.string().max(2048))
    .refine((map) => Object.keys(map).length <= maxEntries, `must not have more than ${maxEntries} entries`);

export const jobSettings = z.strictObject({
  timecodeConfig: z.strictObject({ source: accepted('ZEROBASED', 'EMBEDDED') }).optional(),
  inputs: z.array(input).min(1).max(1, 'this emulator transcodes exactly one input per job'),
  outputGroups: z.array(outputGroup).min(1).max(50),
  adAvailOffset: z.literal(0).optional(),
  followSource: z.literal(1).optional(),
});

const statusUpdateIntervals = [10, 12, 15, 20, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600] as const;

export const createJobBody = z.strictObject({
  clientRequestToken: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII')
    .optional(),
  role: z
    .string()
    .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/, 'must be the ARN of an IAM role'),
  queue: queueName.optional(),
  priority: int(-50, 50).optional(),
  hopDestinations: z
    .array(
      z.strictObject({
        queue: queueName.optional(),
        waitMinutes: int(1, 4320).optional(),
        priority: int(-50, 50).optional(),
      }),
    )
    .max(1)
    .optional(),
  accelerationSettings: z.strictObject({ mode: z.enum(['DISABLED', 'ENABLED', 'PREFERRED']) }).optional(),
  statusUpdateInterval: z
    .enum(statusUpdateIntervals.map((seconds) => `SECONDS_${seconds}` as const))
    .optional(),
  simulateReservedQueue: accepted('DISABLED'),
  billingTagsSource: accepted('QUEUE', 'PRESET', 'JOB_TEMPLATE', 'JOB'),
  userMetadata: stringMap(50).optional(),
  tags: stringMap(50).optional(),
  settings: jobSettings,
});

export type CreateJobBody = z.infer<typeof createJobBody>;
export type JobSettings = z.infer<typeof jobSettings>;
export type Input = z.infer<typeof input>;
export type OutputGroup = z.infer<typeof outputGroup>;
export type Output = OutputGroup['outputs'][number];
export type VideoDescription = NonNullable<Output['videoDescription']>;
export type AudioDescription = NonNullable<Output['audioDescriptions']>[number];
export type CaptionDescription = NonNullable<Output['captionDescriptions']>[number];
type CodecSettings = VideoDescription['codecSettings'];
export type H264Settings = Extract<CodecSettings, { codec: 'H_264' }>['h264Settings'];
export type FrameCaptureSettings = Extract<CodecSettings, { codec: 'FRAME_CAPTURE' }>['frameCaptureSettings'];
export type GifSettings = NonNullable<Extract<CodecSettings, { codec: 'GIF' }>['gifSettings']>;
export type InsertableImage = NonNullable<Input['imageInserter']>['insertableImages'][number];
export type CmafGroupSettings = Extract<
  OutputGroup['outputGroupSettings'],
  { type: 'CMAF_GROUP_SETTINGS' }
>['cmafGroupSettings'];
