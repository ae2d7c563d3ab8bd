import { AwsError } from '../aws-gate/errors.ts';

export { AwsError } from '../aws-gate/errors.ts';

export const noSuchBucket = (name: string): AwsError =>
  new AwsError(404, 'NoSuchBucket', 'The specified bucket does not exist', { BucketName: name });

export const noSuchKey = (key: string): AwsError =>
  new AwsError(404, 'NoSuchKey', 'The specified key does not exist.', { Key: key });

export const noSuchUpload = (uploadId: string): AwsError =>
  new AwsError(
    404,
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { UploadId: uploadId },
  );

export const invalidArgument = (message: string, name?: string, value?: string): AwsError =>
  new AwsError(400, 'InvalidArgument', message, {
    ...(name !== undefined && { ArgumentName: name }),
    ...(value !== undefined && { ArgumentValue: value }),
  });

export const invalidRequest = (message: string): AwsError => new AwsError(400, 'InvalidRequest', message);

export const malformedXml = (
  message = 'The XML you provided was not well-formed or did not validate against our published schema',
): AwsError => new AwsError(400, 'MalformedXML', message);

export const notImplemented = (
  message = 'A header or query you provided implies functionality that is not implemented',
): AwsError => new AwsError(501, 'NotImplemented', message);

export const preconditionFailed = (condition: string): AwsError =>
  new AwsError(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    Condition: condition,
  });

export const entityTooLarge = (maxBytes: number): AwsError =>
  new AwsError(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed object size.', {
    MaxSizeAllowed: String(maxBytes),
  });
