import { z } from 'zod';
import { baseUrl, integer } from './fields.ts';
import { defineSection } from './section.ts';

const optionalBaseUrl = () => z.union([z.literal(''), baseUrl()]);

const queueArn = () => z.string().regex(/^arn:aws[\w-]*:mediaconvert:[\w-]+:\d{12}:queues\/.+$/);
const optionalQueueArn = () => z.union([z.literal(''), queueArn()]);

export const awsSection = defineSection('AWS', {
  region: {
    env: 'AWS_REGION',
    schema: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
    default: 'us-east-1',
    doc: 'Region of the buckets, of MediaConvert and of IVS.',
  },
  accessKeyId: {
    env: 'AWS_ACCESS_KEY_ID',
    schema: z.string().min(1).max(128),
    doc: 'Access key of the IAM user the Worker signs as.',
    secret: true,
  },
  secretAccessKey: {
    env: 'AWS_SECRET_ACCESS_KEY',
    schema: z.string().min(1).max(256),
    doc: 'Its secret.',
    secret: true,
  },
  s3Endpoint: {
    env: 'S3_ENDPOINT',
    schema: optionalBaseUrl(),
    default: '',
    doc: 'Address the Worker uses for S3. Empty means the regional AWS endpoint.',
  },
  s3PublicEndpoint: {
    env: 'S3_PUBLIC_ENDPOINT',
    schema: optionalBaseUrl(),
    default: '',
    doc: 'Address clients use for presigned part uploads; host and port are part of the signature. Empty means the same as `S3_ENDPOINT`.',
  },
  uploadsBucket: {
    env: 'UPLOADS_BUCKET',
    schema: z.string().min(3).max(63),
    default: 'social-flow-uploads',
    doc: 'Private bucket that receives originals.',
  },
  mediaBucket: {
    env: 'MEDIA_BUCKET',
    schema: z.string().min(3).max(63),
    default: 'social-flow-media',
    doc: 'Bucket of renditions, manifests and thumbnails, read through the CDN.',
  },
  recordingsBucket: {
    env: 'RECORDINGS_BUCKET',
    schema: z.string().min(3).max(63),
    default: 'social-flow-recordings',
    doc: 'Private bucket IVS records live streams to: that of the recording configuration. MediaConvert reads it.',
  },
  cdnBaseUrl: {
    env: 'CDN_BASE_URL',
    schema: baseUrl(),
    default: 'http://127.0.0.1:9002',
    doc: 'Public address of the media bucket.',
  },
  mediaConvertEndpoint: {
    env: 'MEDIACONVERT_ENDPOINT',
    schema: optionalBaseUrl(),
    default: '',
    doc: 'Address of MediaConvert. Empty means the regional AWS endpoint.',
  },
  ivsEndpoint: {
    env: 'IVS_ENDPOINT',
    schema: optionalBaseUrl(),
    default: '',
    doc: 'Address of IVS, which carries live streams. Empty means the regional AWS endpoint.',
  },
  guardDutyEndpoint: {
    env: 'GUARDDUTY_ENDPOINT',
    schema: optionalBaseUrl(),
    default: '',
    doc: 'Address of GuardDuty, which scans uploads. Empty means the regional AWS endpoint.',
  },
  mediaConvertRoleArn: {
    env: 'MEDIACONVERT_ROLE_ARN',
    schema: z.string().regex(/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/),
    default: 'arn:aws:iam::000000000000:role/SocialFlowMediaConvert',
    doc: 'IAM role MediaConvert assumes to read originals and write renditions.',
  },
  mediaConvertQueueArn: {
    env: 'MEDIACONVERT_QUEUE_ARN',
    schema: queueArn(),
    default: 'arn:aws:mediaconvert:us-east-1:000000000000:queues/Default',
    doc: 'MediaConvert queue that takes the jobs.',
  },
  mediaConvertPriorityQueueArn: {
    env: 'MEDIACONVERT_PRIORITY_QUEUE_ARN',
    schema: optionalQueueArn(),
    default: '',
    doc: 'MediaConvert queue for short films, so that they never wait behind long ones. Empty for none.',
  },
  mediaConvertOverflowQueueArn: {
    env: 'MEDIACONVERT_OVERFLOW_QUEUE_ARN',
    schema: optionalQueueArn(),
    default: '',
    doc: 'MediaConvert queue a job hops to when it has waited too long in its own. Empty for none.',
  },
  mediaConvertOverflowAfterMinutes: {
    env: 'MEDIACONVERT_OVERFLOW_AFTER_MINUTES',
    schema: integer(1, 4_320),
    default: '15',
    unit: 'minutes',
    doc: 'How long a job waits before it hops.',
  },
  webhookSecret: {
    env: 'AWS_WEBHOOK_SECRET',
    schema: z.string().min(16).max(256),
    doc: 'Secret the EventBridge API destination sends in the `x-api-key` header of `POST /v1/webhooks/aws`.',
    secret: true,
  },
  requestTimeoutMs: {
    env: 'AWS_REQUEST_TIMEOUT_MS',
    schema: integer(500, 60_000),
    default: '10000',
    unit: 'milliseconds',
    doc: 'Deadline of one signed call.',
  },
});
