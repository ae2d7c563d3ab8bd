import { z } from 'zod';

const arn = (kind: string) =>
  z
    .string()
    .max(128)
    .regex(
      new RegExp(`^arn:aws:ivs:[a-z0-9-]+:[0-9]+:${kind}/[a-zA-Z0-9-]+$`),
      `must be the ARN of a ${kind}`,
    );
const channelArn = arn('channel');
const name = z
  .string()
  .max(128)
  .regex(/^[a-zA-Z0-9-_]*$/, 'may hold letters, digits, - and _');
const tagKey = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u);
const tags = z
  .record(tagKey, z.string().max(256))
  .refine((map) => Object.keys(map).length <= 50, 'at most 50 tags')
  .refine((map) => !Object.keys(map).some((key) => key.startsWith('aws:')), 'tags must not begin with aws:');
const nextToken = z
  .string()
  .max(1024)
  .regex(/^[a-zA-Z0-9+/=_-]*$/)
  .optional();
const page = (max: number) => ({ nextToken, maxResults: z.int().min(1).max(max).optional() });
const arns = (kind: string) => z.strictObject({ arns: z.array(arn(kind)).min(1).max(50) });
const one = (kind: string) => z.strictObject({ arn: arn(kind) });
const orEmpty = (kind: string) => z.union([z.literal(''), arn(kind)]);
const resolution = z.enum(['SD', 'HD', 'FULL_HD', 'LOWEST_RESOLUTION']);
const viewerSession = z.strictObject({
  channelArn,
  viewerId: z.string().min(1).max(40),
  viewerSessionVersionsLessThanOrEqualTo: z.int().min(0).optional(),
});

const channelSettings = {
  name: name.optional(),
  latencyMode: z.enum(['NORMAL', 'LOW']).optional(),
  type: z.enum(['BASIC', 'STANDARD', 'ADVANCED_SD', 'ADVANCED_HD']).optional(),
  authorized: z.boolean().optional(),
  insecureIngest: z.boolean().optional(),
  preset: z.enum(['', 'HIGHER_BANDWIDTH_DELIVERY', 'CONSTRAINED_BANDWIDTH_DELIVERY']).optional(),
  containerFormat: z.enum(['TS', 'FRAGMENTED_MP4']).optional(),
  recordingConfigurationArn: orEmpty('recording-configuration').optional(),
  playbackRestrictionPolicyArn: orEmpty('playback-restriction-policy').optional(),
};

const policySettings = {
  name: name.optional(),
  allowedCountries: z.array(z.string().regex(/^[A-Z]{2}$/, 'must be ISO 3166-1 alpha-2')).optional(),
  allowedOrigins: z.array(z.string().max(128)).optional(),
  enableStrictOriginEnforcement: z.boolean().optional(),
};

/** What each operation takes, by its name. */
export const inputs = {
  CreateChannel: z.strictObject({ ...channelSettings, tags: tags.optional() }),
  GetChannel: one('channel'),
  BatchGetChannel: arns('channel'),
  ListChannels: z
    .strictObject({
      filterByName: name.optional(),
      filterByRecordingConfigurationArn: orEmpty('recording-configuration').optional(),
      filterByPlaybackRestrictionPolicyArn: orEmpty('playback-restriction-policy').optional(),
      ...page(100),
    })
    .refine(
      (body) => Object.keys(body).filter((key) => key.startsWith('filterBy')).length <= 1,
      'only one filter at a time',
    ),
  UpdateChannel: z.strictObject({ arn: channelArn, ...channelSettings }),
  DeleteChannel: one('channel'),
  CreateStreamKey: z.strictObject({ channelArn, tags: tags.optional() }),
  GetStreamKey: one('stream-key'),
  BatchGetStreamKey: arns('stream-key'),
  ListStreamKeys: z.strictObject({ channelArn, ...page(50) }),
  DeleteStreamKey: one('stream-key'),
  GetStream: z.strictObject({ channelArn }),
  ListStreams: z.strictObject({
    filterBy: z.strictObject({ health: z.enum(['HEALTHY', 'STARVING', 'UNKNOWN']).optional() }).optional(),
    ...page(100),
  }),
  StopStream: z.strictObject({ channelArn }),
  GetStreamSession: z.strictObject({
    channelArn,
    streamId: z
      .string()
      .regex(/^st-[a-zA-Z0-9]{23}$/)
      .optional(),
  }),
  ListStreamSessions: z.strictObject({ channelArn, ...page(100) }),
  PutMetadata: z.strictObject({
    channelArn,
    metadata: z
      .string()
      .min(1)
      .refine((text) => Buffer.byteLength(text) <= 1024, 'must not be longer than 1 KB'),
  }),
  CreateRecordingConfiguration: z.strictObject({
    name: name.optional(),
    destinationConfiguration: z.strictObject({
      s3: z.strictObject({
        bucketName: z
          .string()
          .min(3)
          .max(63)
          .regex(/^[a-z0-9-.]+$/),
      }),
    }),
    tags: tags.optional(),
    thumbnailConfiguration: z
      .strictObject({
        recordingMode: z.enum(['DISABLED', 'INTERVAL']).optional(),
        targetIntervalSeconds: z.int().min(1).max(60).optional(),
        resolution: resolution.optional(),
        storage: z
          .array(z.enum(['SEQUENTIAL', 'LATEST']))
          .max(2)
          .optional(),
      })
      .optional(),
    recordingReconnectWindowSeconds: z.int().min(0).max(300).optional(),
    renditionConfiguration: z
      .strictObject({
        renditionSelection: z.enum(['ALL', 'NONE', 'CUSTOM']).optional(),
        renditions: z.array(resolution).max(4).optional(),
      })
      .refine(
        ({ renditionSelection, renditions }) =>
          renditionSelection !== 'CUSTOM' || (renditions ?? []).length > 0,
        'CUSTOM needs renditions',
      )
      .optional(),
  }),
  GetRecordingConfiguration: one('recording-configuration'),
  ListRecordingConfigurations: z.strictObject(page(100)),
  DeleteRecordingConfiguration: one('recording-configuration'),
  ImportPlaybackKeyPair: z.strictObject({
    publicKeyMaterial: z.string().max(10_000),
    name: name.optional(),
    tags: tags.optional(),
  }),
  GetPlaybackKeyPair: one('playback-key'),
  ListPlaybackKeyPairs: z.strictObject(page(100)),
  DeletePlaybackKeyPair: one('playback-key'),
  CreatePlaybackRestrictionPolicy: z.strictObject({ ...policySettings, tags: tags.optional() }),
  GetPlaybackRestrictionPolicy: one('playback-restriction-policy'),
  ListPlaybackRestrictionPolicies: z.strictObject(page(100)),
  UpdatePlaybackRestrictionPolicy: z.strictObject({
    arn: arn('playback-restriction-policy'),
    ...policySettings,
  }),
  DeletePlaybackRestrictionPolicy: one('playback-restriction-policy'),
  StartViewerSessionRevocation: viewerSession,
  BatchStartViewerSessionRevocation: z.strictObject({
    viewerSessions: z.array(viewerSession).min(1).max(20),
  }),
};

export const tagsInput = z.strictObject({ tags });

export type Inputs = { [Name in keyof typeof inputs]: z.infer<(typeof inputs)[Name]> };
export type OperationName = keyof Inputs;
export type PageInput = { nextToken?: string | undefined; maxResults?: number | undefined };
