import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CloudFrontClient,
  CreateInvalidationCommand,
  GetInvalidationCommand,
  ListInvalidationsCommand,
} from '@aws-sdk/client-cloudfront';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCloudFrontHandler } from '../../../local-cloud/cloudfront/handler.ts';

const credentials = { accessKeyId: 'TEST', secretAccessKey: 'a secret of the tests' };
let clockMs = Date.now();
let server: Server;
let client: CloudFrontClient;
let stranger: CloudFrontClient;

beforeAll(async () => {
  const handler = createCloudFrontHandler({
    credentials: [credentials],
    distributionId: 'EDIST',
    invalidationMs: 60_000,
    now: () => new Date(clockMs),
  });
  server = createServer((req, res) => void handler.handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = new CloudFrontClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  stranger = new CloudFrontClient({
    endpoint,
    region: 'us-east-1',
    credentials: { ...credentials, secretAccessKey: 'another' },
    maxAttempts: 1,
  });
});
afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

const batch = (CallerReference: string, Items: string[], DistributionId = 'EDIST') =>
  new CreateInvalidationCommand({
    DistributionId,
    InvalidationBatch: { CallerReference, Paths: { Quantity: Items.length, Items } },
  });

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');
const refusal = (work: Promise<unknown>): Promise<string> => work.then(() => 'accepted', nameOf);

describe('invalidations by the AWS SDK', () => {
  it('are accepted, looked up and listed, and complete', async () => {
    const made = await client.send(batch('first', ['/media/1/*', '/open/a&b<c>.jpg']));
    expect(made.Invalidation).toMatchObject({
      Status: 'InProgress',
      InvalidationBatch: {
        CallerReference: 'first',
        Paths: { Quantity: 2, Items: ['/media/1/*', '/open/a&b<c>.jpg'] },
      },
    });
    const Id = made.Invalidation?.Id ?? '';
    const statusOf = async () =>
      (await client.send(new GetInvalidationCommand({ DistributionId: 'EDIST', Id }))).Invalidation?.Status;
    expect(await statusOf()).toBe('InProgress');
    clockMs += 60_000;
    expect(await statusOf()).toBe('Completed');
    const list = await client.send(new ListInvalidationsCommand({ DistributionId: 'EDIST' }));
    expect(list.InvalidationList?.Items?.map((item) => item.Id)).toEqual([Id]);
  });

  it('are the same one for the same reference, and refused for another use of it', async () => {
    const one = await client.send(batch('again', ['/a']));
    const two = await client.send(batch('again', ['/a']));
    expect(two.Invalidation?.Id).toBe(one.Invalidation?.Id);
    expect(await refusal(client.send(batch('again', ['/b'])))).toBe('InvalidationBatchAlreadyExists');
  });

  it('are bounded by 15 wildcards and 3,000 paths in progress', async () => {
    clockMs += 120_000;
    const wild = Array.from({ length: 15 }, (_, index) => `/media/${index}/*`);
    expect(await refusal(client.send(batch('wild', wild)))).toBe('accepted');
    expect(await refusal(client.send(batch('one more', ['/media/x/*'])))).toBe(
      'TooManyInvalidationsInProgress',
    );
    expect(await refusal(client.send(batch('plain', ['/media/x'])))).toBe('accepted');
    const many = Array.from({ length: 3_000 }, (_, index) => `/p/${index}`);
    expect(await refusal(client.send(batch('many', many)))).toBe('TooManyInvalidationsInProgress');
    clockMs += 60_000;
    expect(await refusal(client.send(batch('many', many)))).toBe('accepted');
  });

  it('need a signature, a distribution that is there, and paths', async () => {
    expect(await refusal(stranger.send(batch('x', ['/a'])))).toBe('SignatureDoesNotMatch');
    expect(await refusal(client.send(batch('x', ['/a'], 'EOTHER')))).toBe('NoSuchDistribution');
    expect(await refusal(client.send(batch('y', ['no slash'])))).toBe('InvalidArgument');
    const wrong = new CreateInvalidationCommand({
      DistributionId: 'EDIST',
      InvalidationBatch: { CallerReference: 'z', Paths: { Quantity: 3, Items: ['/a'] } },
    });
    expect(await refusal(client.send(wrong))).toBe('InconsistentQuantities');
    const unknown = new GetInvalidationCommand({ DistributionId: 'EDIST', Id: 'INONE' });
    expect(await refusal(client.send(unknown))).toBe('NoSuchInvalidation');
  });
});
