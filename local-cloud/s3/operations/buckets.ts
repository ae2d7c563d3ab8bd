import { corsDocument, parseCorsRules } from '../cors.ts';
import { AwsError, malformedXml } from '../errors.ts';
import { refuseUnsupported } from '../object-headers.ts';
import { receiveText } from '../receive-body.ts';
import { bucketOf, type S3Request, sendEmpty, sendXml } from '../request.ts';
import { createBucket, deleteBucket, setBucketCors } from '../store.ts';
import { childText, element, parseXml, textElement, xmlDocument } from '../xml.ts';

/** The one account that owns everything here. */
export const OWNER_XML = element(
  'Owner',
  textElement('ID', 'local-cloud'),
  textElement('DisplayName', 'local-cloud'),
);

const isoTime = (ms: number): string => new Date(ms).toISOString();

export const listBuckets = async ({ res, store }: S3Request): Promise<void> => {
  const buckets = [...store.buckets.values()]
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .map((bucket) =>
      element(
        'Bucket',
        textElement('Name', bucket.name),
        textElement('CreationDate', isoTime(bucket.createdAtMs)),
      ),
    );
  sendXml(res, xmlDocument('ListAllMyBucketsResult', OWNER_XML, element('Buckets', ...buckets)));
};

const checkLocation = (body: string, region: string): void => {
  if (body.trim() === '') return;
  const document = parseXml(body);
  if (document.name !== 'CreateBucketConfiguration') throw malformedXml();
  const location = childText(document, 'LocationConstraint') ?? region;
  if (location !== region) {
    throw new AwsError(
      400,
      'IllegalLocationConstraintException',
      `The ${location} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    );
  }
};

export const putBucket = async (request: S3Request): Promise<void> => {
  const { res, store, bucketName = '', region } = request;
  refuseUnsupported(request.amz);
  checkLocation(await receiveText(request, false), region);
  const created = await createBucket(store, bucketName);
  if (!created && region !== 'us-east-1') {
    throw new AwsError(
      409,
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
      { BucketName: bucketName },
    );
  }
  res.setHeader('location', `/${bucketName}`);
  sendEmpty(res, 200);
};

export const headBucket = async (request: S3Request): Promise<void> => {
  bucketOf(request);
  request.res.setHeader('x-amz-bucket-region', request.region);
  sendEmpty(request.res, 200);
};

export const getBucketLocation = async (request: S3Request): Promise<void> => {
  bucketOf(request);
  const location = request.region === 'us-east-1' ? '' : request.region;
  sendXml(request.res, xmlDocument('LocationConstraint', location));
};

export const removeBucket = async (request: S3Request): Promise<void> => {
  await deleteBucket(request.store, bucketOf(request).name);
  sendEmpty(request.res, 204);
};

export const putBucketCors = async (request: S3Request): Promise<void> => {
  const { name } = bucketOf(request);
  await setBucketCors(request.store, name, parseCorsRules(await receiveText(request)));
  sendEmpty(request.res, 200);
};

export const getBucketCors = async (request: S3Request): Promise<void> => {
  const { cors, name } = bucketOf(request);
  if (cors === undefined) {
    throw new AwsError(404, 'NoSuchCORSConfiguration', 'The CORS configuration does not exist', {
      BucketName: name,
    });
  }
  sendXml(request.res, corsDocument(cors));
};

export const deleteBucketCors = async (request: S3Request): Promise<void> => {
  await setBucketCors(request.store, bucketOf(request).name, undefined);
  sendEmpty(request.res, 204);
};
