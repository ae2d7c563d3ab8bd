export { type AwsConfig, callAws, readBody } from './client.ts';
export {
  type Grant,
  type SignedGrant,
  signedCookies,
  signedQuery,
  signedUrl,
  signGrant,
} from './cloudfront.ts';
export {
  createInvalidation,
  type Distribution,
  isInvalidationDone,
} from './cloudfront-invalidations.ts';
export { AwsError, isAwsError } from './errors.ts';
export {
  createChannel,
  createStreamKey,
  deleteChannel,
  deleteStreamKey,
  findChannels,
  getChannel,
  type LiveChannel,
  listStreamKeys,
  type StreamKey,
  updateChannel,
} from './ivs.ts';
export {
  getStream,
  getStreamSession,
  type IvsPage,
  type LiveStream,
  type LiveStreamSummary,
  listStreamSessions,
  listStreams,
  putMetadata,
  type StreamSession,
  type StreamSessionSummary,
  startViewerSessionRevocations,
  stopStream,
  type ViewerSessions,
} from './ivs-streams.ts';
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
export { type CopySource, copyObject, getObjectTags, uploadPartCopy } from './s3-copy.ts';
export {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listMultipartUploadPage,
  listMultipartUploads,
  listParts,
  type MultipartUpload,
  presignUploadPart,
  type UploadedPart,
  type UploadMarker,
  uploadPart,
} from './s3-multipart.ts';
export {
  deleteObjects,
  deletePrefix,
  getRange,
  headObject,
  listFolders,
  listObjects,
  presignObject,
  presignPut,
  putObject,
} from './s3-objects.ts';
export { getObject, presignPutObject, storeObject } from './s3-small.ts';
