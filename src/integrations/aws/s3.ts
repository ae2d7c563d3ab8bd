import { type AwsCall, type AwsConfig, callAws, readBody } from './client.ts';
import { textOf } from './xml.ts';

// Names and limits: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html

export interface ObjectAddress {
  readonly bucket: string;
  readonly key: string;
}

/**
 * Percent-encodes a key for a URL, segment by segment, as SigV4 does.
 * @throws RangeError for keys a URL would turn into another object (`.` and `..` segments) or that are empty.
 */
export function encodeKey(key: string): string {
  const segments = key.split('/');
  if (key === '' || segments.some((segment) => segment === '.' || segment === '..'))
    throw new RangeError('object key cannot be addressed by a URL');
  return segments.map(encodeRfc3986).join('/');
}

const encodeRfc3986 = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** @param endpoint empty for the regional AWS endpoint. */
function bucketUrl(config: AwsConfig, endpoint: string, bucket: string): string {
  return endpoint === '' ? `https://${bucket}.s3.${config.region}.amazonaws.com` : `${endpoint}/${bucket}`;
}

/** The address of a bucket or an object: at `endpoint` by path, at AWS by host. */
export function addressOf(
  config: AwsConfig,
  target: { readonly bucket: string; readonly key?: string },
  query: Readonly<Record<string, string>> = {},
  endpoint = config.s3Endpoint,
): string {
  const search = Object.entries(query)
    .map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`)
    .join('&');
  const path = `/${target.key === undefined ? '' : encodeKey(target.key)}`;
  return `${bucketUrl(config, endpoint, target.bucket)}${path}${search === '' ? '' : `?${search}`}`;
}

/** The error an XML answer tells of. */
export const errorIn = (xml: string): { code: string; detail?: string } => {
  const detail = textOf(xml, 'Message');
  return { code: textOf(xml, 'Code') ?? 'Unknown', ...(detail === undefined ? {} : { detail }) };
};

/** A signed call to S3. */
export const callS3 = (config: AwsConfig, call: Omit<AwsCall, 'service' | 'parseError'>): Promise<Response> =>
  callAws(config, {
    ...call,
    service: 's3',
    parseError: async (response) =>
      // A HEAD answers without a body, so the status must do.
      call.method === 'HEAD'
        ? { code: response.status === 404 ? 'NotFound' : `Http${response.status}` }
        : errorIn(await response.text().catch(() => '')),
  });

/** The XML of an answer. */
export async function xmlOf(operation: string, response: Response): Promise<string> {
  return readBody({ service: 's3', operation }, response.text());
}

/** A key as S3 lists it under `encoding-type=url`. */
export const decodeKey = (encoded: string): string => decodeURIComponent(encoded.replaceAll('+', '%20'));
