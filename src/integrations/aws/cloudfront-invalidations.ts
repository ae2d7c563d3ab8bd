import { type AwsCall, type AwsConfig, callAws, readBody } from './client.ts';
import { AwsError } from './errors.ts';
import { elementsOf, escapeXml, textOf } from './xml.ts';

// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html

const namespace = 'http://cloudfront.amazonaws.com/doc/2020-05-31/';

export interface Distribution {
  readonly id: string;
  /** Empty for AWS. */
  readonly endpoint: string;
}

/**
 * Tells the CDN to forget paths; one that ends in `*` stands for all that begin so. The same reference with the same paths
 * is the same invalidation, so a call whose answer was lost may be made again.
 * @returns the id CloudFront gave it.
 * @throws AwsError; `TooManyInvalidationsInProgress` when too many are under way.
 */
export async function createInvalidation(
  config: AwsConfig,
  distribution: Distribution,
  batch: { readonly callerReference: string; readonly paths: readonly string[] },
): Promise<string> {
  const items = batch.paths.map((path) => `<Path>${escapeXml(path)}</Path>`).join('');
  const body =
    `<?xml version="1.0" encoding="UTF-8"?><InvalidationBatch xmlns="${namespace}"><Paths><Quantity>${batch.paths.length}` +
    `</Quantity><Items>${items}</Items></Paths><CallerReference>${escapeXml(batch.callerReference)}</CallerReference></InvalidationBatch>`;
  const xml = await callCloudFront(config, distribution, {
    operation: 'CreateInvalidation',
    method: 'POST',
    path: 'invalidation',
    headers: { 'content-type': 'text/xml' },
    body,
  });
  const id = textOf(xml, 'Id');
  if (id === undefined)
    throw new AwsError({ service, operation: 'CreateInvalidation', code: 'Unreadable', status: 201 });
  return id;
}

/** Whether the CDN has forgotten what an invalidation named; true also when it knows none of that id any more. */
export async function isInvalidationDone(
  config: AwsConfig,
  distribution: Distribution,
  invalidationId: string,
): Promise<boolean> {
  try {
    const xml = await callCloudFront(config, distribution, {
      operation: 'GetInvalidation',
      method: 'GET',
      path: `invalidation/${encodeURIComponent(invalidationId)}`,
    });
    return textOf(xml, 'Status') === 'Completed';
  } catch (error) {
    if (error instanceof AwsError && error.code === 'NoSuchInvalidation') return true;
    throw error;
  }
}

const service = 'cloudfront';

async function callCloudFront(
  config: AwsConfig,
  { id, endpoint }: Distribution,
  call: Pick<AwsCall, 'operation' | 'method' | 'headers' | 'body'> & { readonly path: string },
): Promise<string> {
  const { path, ...rest } = call;
  const response = await callAws(config, {
    ...rest,
    service,
    // CloudFront is in no region; its signatures name this one.
    region: 'us-east-1',
    url: `${endpoint === '' ? 'https://cloudfront.amazonaws.com' : endpoint}/2020-05-31/distribution/${id}/${path}`,
    retries: 2,
    parseError: async (refused) => {
      const xml = await refused.text().catch(() => '');
      const [error = xml] = elementsOf(xml, 'Error');
      const detail = textOf(error, 'Message');
      return { code: textOf(error, 'Code') ?? 'Unknown', ...(detail === undefined ? {} : { detail }) };
    },
  });
  return readBody({ service, operation: call.operation }, response.text());
}
