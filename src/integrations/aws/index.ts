export type { AwsConfig } from './client.ts';
export { AwsError, isAwsError } from './errors.ts';
export {
  type CreateJobRequest,
  cancelJob,
  createJob,
  getJob,
  type Job,
  type JobSettings,
  listRecentJobs,
  type ProbeResult,
  probe,
} from './mediaconvert.ts';
export {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  deleteObjects,
  deletePrefix,
  getRange,
  headObject,
  listMultipartUploads,
  listObjects,
  listParts,
  type MultipartUpload,
  presignUploadPart,
  type UploadedPart,
} from './s3.ts';
