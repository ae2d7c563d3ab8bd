import { EMPTY_SHA256 } from '../aws-gate/canonical.ts';
import type { Verified } from '../aws-gate/verify.ts';
import { AwsError, notImplemented } from './errors.ts';
import * as buckets from './operations/buckets.ts';
import { copyObject } from './operations/copy-object.ts';
import { deleteObjects } from './operations/delete-objects.ts';
import { listObjectsV1, listObjectsV2 } from './operations/list-objects.ts';
import { listMultipartUploads, listParts } from './operations/list-uploads.ts';
import * as multipart from './operations/multipart.ts';
import { deleteObject, getObject, putObject } from './operations/objects.ts';
import * as tagging from './operations/tagging.ts';
import type { S3Request } from './request.ts';

type Operation = (request: S3Request) => Promise<void>;

/** Subresources S3 has and this server has not. Ignoring one would answer another question than was asked. */
const UNSUPPORTED_SUBRESOURCES = [
  'accelerate',
  'acl',
  'analytics',
  'append',
  'attributes',
  'encryption',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'lifecycle',
  'logging',
  'metrics',
  'notification',
  'object-lock',
  'ownershipControls',
  'policy',
  'policyStatus',
  'publicAccessBlock',
  'renameObject',
  'replication',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'session',
  'torrent',
  'versioning',
  'versions',
  'website',
];

const serviceOperation = (method: string): Operation | undefined =>
  method === 'GET' ? buckets.listBuckets : undefined;

const bucketOperation = ({ method, query }: S3Request): Operation | undefined => {
  if (query.has('tagging')) throw notImplemented();
  if (query.has('cors')) {
    if (method === 'GET') return buckets.getBucketCors;
    if (method === 'PUT') return buckets.putBucketCors;
    return method === 'DELETE' ? buckets.deleteBucketCors : undefined;
  }
  if (method === 'GET') {
    if (query.has('location')) return buckets.getBucketLocation;
    if (query.has('uploads')) return listMultipartUploads;
    return query.get('list-type') === '2' ? listObjectsV2 : listObjectsV1;
  }
  if (method === 'PUT') return buckets.putBucket;
  if (method === 'HEAD') return buckets.headBucket;
  if (method === 'DELETE') return buckets.removeBucket;
  return method === 'POST' && query.has('delete') ? deleteObjects : undefined;
};

const objectOperation = ({ method, query, amz }: S3Request): Operation | undefined => {
  if (query.has('tagging')) {
    if (query.has('versionId')) throw notImplemented();
    if (method === 'GET') return tagging.getObjectTagging;
    if (method === 'PUT') return tagging.putObjectTagging;
    return method === 'DELETE' ? tagging.deleteObjectTagging : undefined;
  }
  const inUpload = query.has('uploadId');
  if (method === 'GET') return inUpload ? listParts : getObject;
  if (method === 'HEAD') return getObject;
  if (method === 'PUT') {
    const isCopy = amz.has('x-amz-copy-source');
    if (inUpload || query.has('partNumber')) return isCopy ? multipart.uploadPartCopy : multipart.uploadPart;
    return isCopy ? copyObject : putObject;
  }
  if (method === 'DELETE') return inUpload ? multipart.abortMultipartUpload : deleteObject;
  if (method === 'POST' && query.has('uploads')) return multipart.createMultipartUpload;
  return method === 'POST' && inUpload ? multipart.completeMultipartUpload : undefined;
};

const READ_A_BODY: ReadonlySet<Operation> = new Set([
  buckets.putBucket,
  buckets.putBucketCors,
  deleteObjects,
  multipart.completeMultipartUpload,
  multipart.uploadPart,
  putObject,
  tagging.putObjectTagging,
]);

/** A body that is not read must be signed as the empty one. */
const checkEmptyBodyHash = ({ payloadHash }: Verified): void => {
  if (payloadHash === 'UNSIGNED-PAYLOAD' || payloadHash === EMPTY_SHA256) return;
  throw new AwsError(
    400,
    'XAmzContentSHA256Mismatch',
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  );
};

/** Picks the operation by method, path level and subresource, and runs it. Throws `AwsError`. */
export const route = async (request: S3Request): Promise<void> => {
  if (UNSUPPORTED_SUBRESOURCES.some((name) => request.query.has(name))) throw notImplemented();
  const operation =
    request.bucketName === undefined
      ? serviceOperation(request.method)
      : request.key === undefined
        ? bucketOperation(request)
        : objectOperation(request);
  if (operation === undefined) {
    throw new AwsError(
      405,
      'MethodNotAllowed',
      'The specified method is not allowed against this resource.',
      {
        Method: request.method,
      },
    );
  }
  if (!READ_A_BODY.has(operation)) checkEmptyBodyHash(request.verified);
  await operation(request);
};
