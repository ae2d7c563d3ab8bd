import { integer } from './fields.ts';
import { defineSection } from './section.ts';

export const videosSection = defineSection('Videos', {
  maxFileBytes: {
    env: 'VIDEO_MAX_FILE_BYTES',
    schema: integer(1_048_576, 137_438_953_472),
    default: '21474836480',
    unit: 'bytes',
    doc: 'Largest original a user may upload.',
  },
  dailyUploads: {
    env: 'VIDEO_DAILY_UPLOADS',
    schema: integer(1, 10_000),
    default: '50',
    unit: 'uploads per user in 24 h',
    doc: 'Uploads a user may start in any 24 hours.',
  },
  dailyBytes: {
    env: 'VIDEO_DAILY_BYTES',
    schema: integer(1_048_576, 1_099_511_627_776),
    default: '107374182400',
    unit: 'bytes per user in 24 h',
    doc: 'Bytes a user may declare in any 24 hours.',
  },
  maxStoredBytes: {
    env: 'VIDEO_MAX_STORED_BYTES',
    schema: integer(1_048_576, 1_125_899_906_842_624),
    default: '1099511627776',
    unit: 'bytes per user',
    doc: 'Bytes of originals a user may hold, those of unfinished uploads included.',
  },
  maxOpenUploads: {
    env: 'VIDEO_MAX_OPEN_UPLOADS',
    schema: integer(1, 100),
    default: '10',
    doc: 'Unfinished uploads a user may hold at once.',
  },
  partUrlTtlSeconds: {
    env: 'VIDEO_PART_URL_TTL_SECONDS',
    schema: integer(1, 604_800),
    default: '3600',
    unit: 'seconds',
    doc: 'Life of a presigned part URL; a client asks for a new one when it runs out.',
  },
  uploadTtlSeconds: {
    env: 'VIDEO_UPLOAD_TTL_SECONDS',
    schema: integer(3_600, 604_800),
    default: '172800',
    unit: 'seconds',
    doc: 'An upload not completed within this time is aborted and its parts freed.',
  },
  maxDurationSeconds: {
    env: 'VIDEO_MAX_DURATION_SECONDS',
    schema: integer(1, 172_800),
    default: '43200',
    unit: 'seconds',
    doc: 'Longest film accepted.',
  },
  maxSidePixels: {
    env: 'VIDEO_MAX_SIDE_PIXELS',
    schema: integer(640, 16_384),
    default: '8192',
    unit: 'pixels',
    doc: 'Longest side of a picture accepted, by the container or by the codec itself, whichever says more.',
  },
  maxTracks: {
    env: 'VIDEO_MAX_TRACKS',
    schema: integer(2, 100),
    default: '64',
    doc: 'Tracks a file may have.',
  },
  probeMaxRequests: {
    env: 'VIDEO_PROBE_MAX_REQUESTS',
    schema: integer(4, 500),
    default: '64',
    doc: 'Ranged reads the metadata probe may make before it gives up and asks MediaConvert.',
  },
  supersededTtlSeconds: {
    env: 'VIDEO_SUPERSEDED_TTL_SECONDS',
    schema: integer(60, 2_592_000),
    default: '86400',
    unit: 'seconds',
    doc: 'How long the files of a video stay after others replaced them, for those who are watching.',
  },
  reconcileAfterSeconds: {
    env: 'VIDEO_RECONCILE_AFTER_SECONDS',
    schema: integer(10, 86_400),
    default: '120',
    unit: 'seconds',
    doc: 'A job without news for this long is asked for by the cron, since events may be lost.',
  },
});
