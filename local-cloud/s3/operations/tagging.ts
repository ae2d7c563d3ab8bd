import { AwsError, malformedXml, noSuchKey } from '../errors.ts';
import { tagObject } from '../objects.ts';
import { receiveText } from '../receive-body.ts';
import { objectOf, type S3Request, sendEmpty, sendXml } from '../request.ts';
import { childrenNamed, childText, element, parseXml, textElement, xmlDocument } from '../xml.ts';

const MAX_TAGS = 10;
const MAX_KEY_LENGTH = 128;
const MAX_VALUE_LENGTH = 256;
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

const invalidTag = (message: string): AwsError => new AwsError(400, 'InvalidTag', message);

const parseTags = (source: string): Record<string, string> => {
  const document = parseXml(source);
  const [set] = childrenNamed(document, 'TagSet');
  if (document.name !== 'Tagging' || set === undefined) throw malformedXml();
  const tags = new Map<string, string>();
  for (const tag of childrenNamed(set, 'Tag')) {
    const key = childText(tag, 'Key');
    const value = childText(tag, 'Value');
    if (key === undefined || value === undefined) throw malformedXml();
    if (key === '' || key.length > MAX_KEY_LENGTH || !ALLOWED.test(key))
      throw invalidTag('The TagKey you have provided is invalid');
    if (value.length > MAX_VALUE_LENGTH || !ALLOWED.test(value))
      throw invalidTag('The TagValue you have provided is invalid');
    if (key.startsWith('aws:')) throw invalidTag('System tags cannot be added/updated by requester');
    if (tags.has(key)) throw invalidTag('Cannot provide multiple Tags with the same key');
    tags.set(key, value);
  }
  if (tags.size > MAX_TAGS) throw new AwsError(400, 'BadRequest', 'Object tags cannot be greater than 10');
  return Object.fromEntries(tags);
};

export const getObjectTagging = async (request: S3Request): Promise<void> => {
  const { bucket, key } = objectOf(request);
  const record = bucket.objects.get(key);
  if (record === undefined) throw noSuchKey(key);
  const tags = Object.entries(record.tags ?? {}).map(([name, value]) =>
    element('Tag', textElement('Key', name), textElement('Value', value)),
  );
  sendXml(request.res, xmlDocument('Tagging', element('TagSet', ...tags)));
};

export const putObjectTagging = async (request: S3Request): Promise<void> => {
  const { bucket, key } = objectOf(request);
  const tags = parseTags(await receiveText(request));
  if ((await tagObject(request.store, bucket, key, tags)) === undefined) throw noSuchKey(key);
  sendEmpty(request.res, 200);
};

export const deleteObjectTagging = async (request: S3Request): Promise<void> => {
  const { bucket, key } = objectOf(request);
  if ((await tagObject(request.store, bucket, key, {})) === undefined) throw noSuchKey(key);
  sendEmpty(request.res, 204);
};
