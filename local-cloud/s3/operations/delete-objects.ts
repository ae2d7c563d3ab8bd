import { AwsError, invalidRequest, malformedXml } from '../errors.ts';
import { checkKey } from '../keys.ts';
import { removeObject } from '../objects.ts';
import { receiveText } from '../receive-body.ts';
import { bucketOf, type S3Request, sendXml } from '../request.ts';
import { childrenNamed, childText, element, parseXml, textElement, xmlDocument } from '../xml.ts';

const MAX_KEYS = 1000;

const parseDelete = (source: string): { keys: string[]; quiet: boolean } => {
  const document = parseXml(source);
  const objects = childrenNamed(document, 'Object');
  if (document.name !== 'Delete' || objects.length === 0 || objects.length > MAX_KEYS) throw malformedXml();
  const keys = objects.map((object) => {
    const key = childText(object, 'Key');
    if (key === undefined || key === '') throw malformedXml();
    if (object.children.length > 1) throw malformedXml('Only Key is supported in an Object to delete');
    return key;
  });
  return { keys, quiet: childText(document, 'Quiet')?.trim() === 'true' };
};

/** DeleteObjects: up to 1000 keys; a key that cannot be deleted is an `<Error>` in a 200 answer. */
export const deleteObjects = async (request: S3Request): Promise<void> => {
  const { req, store, amz } = request;
  const bucket = bucketOf(request);
  const hasDigest =
    req.headers['content-md5'] !== undefined ||
    amz.has('x-amz-trailer') ||
    [...amz.keys()].some((name) => name.startsWith('x-amz-checksum-'));
  if (!hasDigest) throw invalidRequest('Missing required header for this request: Content-MD5');
  const { keys, quiet } = parseDelete(await receiveText(request));
  const results: string[] = [];
  for (const key of keys) {
    try {
      checkKey(key);
      const removed = await removeObject(store, bucket, key);
      if (removed !== undefined)
        request.emit({ bucket: bucket.name, key, size: 0, eTag: '', eventName: 'ObjectRemoved:Delete' });
      if (!quiet) results.push(element('Deleted', textElement('Key', key)));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const { code, message } = error;
      results.push(
        element('Error', textElement('Key', key), textElement('Code', code), textElement('Message', message)),
      );
    }
  }
  sendXml(request.res, xmlDocument('DeleteResult', ...results));
};
