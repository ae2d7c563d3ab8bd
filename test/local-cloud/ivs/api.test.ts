import { generateKeyPairSync } from 'node:crypto';
import {
  BatchGetChannelCommand,
  BatchGetStreamKeyCommand,
  BatchStartViewerSessionRevocationCommand,
  CreateChannelCommand,
  CreatePlaybackRestrictionPolicyCommand,
  CreateRecordingConfigurationCommand,
  CreateStreamKeyCommand,
  DeleteChannelCommand,
  DeletePlaybackKeyPairCommand,
  DeletePlaybackRestrictionPolicyCommand,
  DeleteRecordingConfigurationCommand,
  DeleteStreamKeyCommand,
  GetChannelCommand,
  GetPlaybackKeyPairCommand,
  GetRecordingConfigurationCommand,
  GetStreamCommand,
  GetStreamKeyCommand,
  ImportPlaybackKeyPairCommand,
  IvsClient,
  ListChannelsCommand,
  ListPlaybackKeyPairsCommand,
  ListStreamKeysCommand,
  ListStreamSessionsCommand,
  ListStreamsCommand,
  ListTagsForResourceCommand,
  PutMetadataCommand,
  StopStreamCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateChannelCommand,
  UpdatePlaybackRestrictionPolicyCommand,
} from '@aws-sdk/client-ivs';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLimits } from '../../../local-cloud/ivs/api/limits.ts';
import { newDirectory } from '../mediaconvert/directories.ts';
import { ACCOUNT, type Cloud, CREDENTIALS, REGION, startCloud } from './harness.ts';

let cloud: Cloud;
const dataDir = newDirectory('ivs');
beforeAll(async () => {
  cloud = await startCloud({ dataDir });
});
afterAll(() => cloud.close());

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error) => (error instanceof Error ? error.name : ''),
  );
const signer = (service = 'ivs') => new AwsClient({ ...CREDENTIALS, region: REGION, service, retries: 0 });
const post = (operation: string, body: unknown): Promise<Response> =>
  signer().fetch(`${cloud.url}/${operation}`, { method: 'POST', body: JSON.stringify(body) });
const missing = (kind: string): string => `arn:aws:ivs:${REGION}:${ACCOUNT}:${kind}/AAAAAAAAAAAA`;
const publicKey = (namedCurve = 'P-384'): string =>
  generateKeyPairSync('ec', { namedCurve }).publicKey.export({ type: 'spki', format: 'pem' }).toString();

describe('requests', () => {
  it('need a signature for the service over the body that is sent', async () => {
    const url = `${cloud.url}/ListChannels`;
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(403);
    expect((await signer('mediaconvert').fetch(url, { method: 'POST', body: '{}' })).status).toBe(400);
    const signed = await signer().sign(url, { method: 'POST', body: '{}' });
    const tampered = { method: 'POST', headers: signed.headers, body: '{"maxResults":1}' };
    expect((await fetch(url, tampered)).status).toBe(403);
    expect((await post('ListChannels', {})).status).toBe(200);
  });

  it('of other services are left to them', async () => {
    expect((await fetch(`${cloud.url}/2017-08-29/jobs`)).status).toBe(418);
    expect((await fetch(`${cloud.url}/tags/arn:aws:mediaconvert:us-east-1:1:jobs%2F1`)).status).toBe(418);
  });

  it.each([
    ['CreateChannel', { name: 'with space' }],
    ['CreateChannel', { latencyMode: 'ULTRA' }],
    ['CreateChannel', { type: 'BASIC', preset: 'HIGHER_BANDWIDTH_DELIVERY' }],
    ['CreateChannel', { Name: 'a' }],
    ['CreateChannel', { tags: { 'aws:x': '1' } }],
    ['GetChannel', {}],
    ['GetChannel', { arn: 'x' }],
    ['ListChannels', { maxResults: 101 }],
    ['ListChannels', { nextToken: 'AAAA' }],
    ['ListChannels', { filterByName: 'a', filterByRecordingConfigurationArn: '' }],
    ['BatchGetChannel', { arns: [] }],
    ['ListStreams', { filterBy: { health: 'FINE' } }],
    ['PutMetadata', { channelArn: missing('channel'), metadata: 'ä'.repeat(513) }],
    ['ImportPlaybackKeyPair', { publicKeyMaterial: publicKey('P-256') }],
    ['ImportPlaybackKeyPair', { publicKeyMaterial: 'no key' }],
    ['CreateRecordingConfiguration', { destinationConfiguration: { s3: { bucketName: 'A' } } }],
    ['CreatePlaybackRestrictionPolicy', { allowedCountries: ['Germany'] }],
  ])('%s %j is a ValidationException', async (operation, body) => {
    const response = await post(operation, body);
    expect(response.status).toBe(400);
    expect(response.headers.get('x-amzn-errortype')).toBe('ValidationException');
    expect(await response.json()).toEqual({ exceptionMessage: expect.any(String) });
  });

  it('are refused with 429 above five a second, and let through again later', async () => {
    let nowMs = Date.now();
    const strict = await startCloud({ throttled: true, now: () => new Date(nowMs) });
    const list = () => strict.client.send(new ListChannelsCommand({}));
    for (let count = 0; count < 5; count += 1) await list();
    await expect(list()).rejects.toMatchObject({
      name: 'ThrottlingException',
      $metadata: { httpStatusCode: 429 },
    });
    expect(await refusal(strict.client.send(new ListStreamsCommand({})))).toBe('accepted');
    nowMs += 1000;
    expect(await refusal(list())).toBe('accepted');
    await strict.close();
  });
});

describe('the rates of operations', () => {
  it('are those that IVS documents, metadata by channel', () => {
    const limits = createLimits(true, () => new Date(0));
    const taken = (take: () => void): number => {
      let count = 0;
      try {
        for (; count < 1000; count += 1) take();
      } catch {}
      return count;
    };
    expect(taken(() => limits.take('CreateChannel'))).toBe(5);
    expect(taken(() => limits.take('CreateRecordingConfiguration'))).toBe(3);
    expect(taken(() => limits.take('StartViewerSessionRevocation'))).toBe(10);
    expect(taken(() => limits.take('BatchStartViewerSessionRevocation'))).toBe(2);
    expect(taken(() => limits.takeMetadata('channel a'))).toBe(5);
    expect(taken(() => limits.takeMetadata('channel b'))).toBe(5);
    expect(taken(() => limits.take('PutMetadata'))).toBe(155);
  });
});

describe('channels', () => {
  it('are made with a stream key and with the defaults of IVS', async () => {
    const made = await cloud.client.send(
      new CreateChannelCommand({ name: 'mine', tags: { purpose: 'test' } }),
    );
    expect(made.channel).toEqual({
      arn: expect.stringMatching(new RegExp(`^arn:aws:ivs:${REGION}:${ACCOUNT}:channel/[A-Za-z0-9]{12}$`)),
      name: 'mine',
      latencyMode: 'LOW',
      type: 'STANDARD',
      authorized: false,
      insecureIngest: false,
      preset: '',
      containerFormat: 'TS',
      recordingConfigurationArn: '',
      playbackRestrictionPolicyArn: '',
      ingestEndpoint: `127.0.0.1:${cloud.ivs.rtmpsPort}`,
      playbackUrl: expect.stringContaining('.m3u8'),
      tags: { purpose: 'test' },
    });
    expect(made.streamKey?.value).toMatch(/^sk_us-east-1_[A-Za-z0-9]{12}_[A-Za-z0-9]{30}$/);
    const found = await cloud.client.send(new GetChannelCommand({ arn: made.channel?.arn }));
    expect(found.channel).toEqual(made.channel);
    const advanced = await cloud.client.send(new CreateChannelCommand({ type: 'ADVANCED_HD' }));
    expect(advanced.channel?.preset).toBe('HIGHER_BANDWIDTH_DELIVERY');
  });

  it('change, and change nothing that is not named', async () => {
    const { channel } = await cloud.createChannel({ name: 'before', latencyMode: 'NORMAL' });
    const { channel: after } = await cloud.client.send(
      new UpdateChannelCommand({ arn: channel.arn, name: 'after', authorized: true }),
    );
    expect(after).toMatchObject({ name: 'after', authorized: true, latencyMode: 'NORMAL', type: 'BASIC' });
  });

  it('are listed page by page, each once, and by name', async () => {
    for (let count = 0; count < 3; count += 1) await cloud.createChannel({ name: 'listed' });
    const arns: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await cloud.client.send(
        new ListChannelsCommand({ filterByName: 'listed', maxResults: 2, ...(nextToken && { nextToken }) }),
      );
      arns.push(...(page.channels ?? []).map(({ arn }) => arn ?? ''));
      // A page goes on also when its last channel is gone.
      if (nextToken === undefined) await cloud.client.send(new DeleteChannelCommand({ arn: arns[1] }));
      nextToken = page.nextToken;
    } while (nextToken);
    expect(new Set(arns).size).toBe(3);
    const batch = await cloud.client.send(new BatchGetChannelCommand({ arns }));
    expect(batch.channels).toHaveLength(2);
    expect(batch.errors).toEqual([
      { arn: arns[1], code: 'ResourceNotFoundException', message: expect.any(String) },
    ]);
  });

  it('have one stream key at a time, whose value is shown to those who ask for it by name', async () => {
    const { channel, key } = await cloud.createChannel();
    const create = () => cloud.client.send(new CreateStreamKeyCommand({ channelArn: channel.arn }));
    await expect(create()).rejects.toMatchObject({
      name: 'ServiceQuotaExceededException',
      $metadata: { httpStatusCode: 402 },
    });
    expect((await cloud.client.send(new GetStreamKeyCommand({ arn: key.arn }))).streamKey?.value).toBe(
      key.value,
    );
    await cloud.client.send(new DeleteStreamKeyCommand({ arn: key.arn }));
    const next = (await create()).streamKey;
    expect(next?.value).not.toBe(key.value);
    const { streamKeys } = await cloud.client.send(new ListStreamKeysCommand({ channelArn: channel.arn }));
    expect(streamKeys).toEqual([{ arn: next?.arn, channelArn: channel.arn, tags: {} }]);
    const both = await cloud.client.send(new BatchGetStreamKeyCommand({ arns: [key.arn, next?.arn ?? ''] }));
    expect(both.streamKeys?.map(({ arn }) => arn)).toEqual([next?.arn]);
    expect(both.errors).toHaveLength(1);
  });

  it('that are offline are ChannelNotBroadcasting, and those that do not exist are not found', async () => {
    const { channel } = await cloud.createChannel();
    const of = (channelArn: string) => [
      () => cloud.client.send(new GetStreamCommand({ channelArn })),
      () => cloud.client.send(new StopStreamCommand({ channelArn })),
      () => cloud.client.send(new PutMetadataCommand({ channelArn, metadata: 'x' })),
    ];
    for (const work of of(channel.arn))
      await expect(work()).rejects.toMatchObject({
        name: 'ChannelNotBroadcasting',
        $metadata: { httpStatusCode: 404 },
      });
    for (const work of of(missing('channel')))
      expect(await refusal(work())).toBe('ResourceNotFoundException');
    const sessions = await cloud.client.send(new ListStreamSessionsCommand({ channelArn: channel.arn }));
    expect(sessions.streamSessions).toEqual([]);
  });
});

describe('what channels refer to', () => {
  it('must exist, and stays while a channel uses it', async () => {
    const { recordingConfiguration } = await cloud.client.send(
      new CreateRecordingConfigurationCommand({
        destinationConfiguration: { s3: { bucketName: 'vod' } },
        recordingReconnectWindowSeconds: 30,
      }),
    );
    expect(recordingConfiguration?.state).toBe('CREATING');
    const arn = recordingConfiguration?.arn ?? '';
    const ready = await cloud.client.send(new GetRecordingConfigurationCommand({ arn }));
    expect(ready.recordingConfiguration).toMatchObject({
      state: 'ACTIVE',
      recordingReconnectWindowSeconds: 30,
      thumbnailConfiguration: {
        recordingMode: 'INTERVAL',
        targetIntervalSeconds: 60,
        storage: ['SEQUENTIAL'],
      },
      renditionConfiguration: { renditionSelection: 'ALL' },
    });
    const { playbackRestrictionPolicy } = await cloud.client.send(
      new CreatePlaybackRestrictionPolicyCommand({ allowedCountries: ['DE'] }),
    );
    const policyArn = playbackRestrictionPolicy?.arn ?? '';
    const { channel } = await cloud.createChannel({
      recordingConfigurationArn: arn,
      playbackRestrictionPolicyArn: policyArn,
    });
    const deletions = [
      () => cloud.client.send(new DeleteRecordingConfigurationCommand({ arn })),
      () => cloud.client.send(new DeletePlaybackRestrictionPolicyCommand({ arn: policyArn })),
    ];
    for (const work of deletions) expect(await refusal(work())).toBe('ConflictException');
    const cleared = await cloud.client.send(
      new UpdateChannelCommand({
        arn: channel.arn,
        recordingConfigurationArn: '',
        playbackRestrictionPolicyArn: '',
      }),
    );
    expect(cleared.channel).toMatchObject({
      recordingConfigurationArn: '',
      playbackRestrictionPolicyArn: '',
    });
    for (const work of deletions) expect(await refusal(work())).toBe('accepted');
    const gone = cloud.createChannel({ recordingConfigurationArn: arn });
    expect(await refusal(gone)).toBe('ResourceNotFoundException');
  });

  it('says when its bucket is not there', async () => {
    const { recordingConfiguration } = await cloud.client.send(
      new CreateRecordingConfigurationCommand({
        destinationConfiguration: { s3: { bucketName: 'no-such-bucket' } },
      }),
    );
    const { arn } = recordingConfiguration ?? {};
    const found = await cloud.client.send(new GetRecordingConfigurationCommand({ arn }));
    expect(found.recordingConfiguration?.state).toBe('CREATE_FAILED');
  });

  it('changes as far as it may', async () => {
    const made = await cloud.client.send(
      new CreatePlaybackRestrictionPolicyCommand({ allowedOrigins: ['https://a.example'], name: 'p' }),
    );
    const { arn } = made.playbackRestrictionPolicy ?? {};
    const { playbackRestrictionPolicy: after } = await cloud.client.send(
      new UpdatePlaybackRestrictionPolicyCommand({ arn, allowedCountries: ['FR'] }),
    );
    expect(after).toMatchObject({
      name: 'p',
      allowedOrigins: ['https://a.example'],
      allowedCountries: ['FR'],
    });
  });

  it('bears tags', async () => {
    const { channel } = await cloud.createChannel({ tags: { a: '1', b: '2' } });
    const resource = { resourceArn: channel.arn };
    await cloud.client.send(new TagResourceCommand({ ...resource, tags: { b: '3', c: '4' } }));
    await cloud.client.send(new UntagResourceCommand({ ...resource, tagKeys: ['a'] }));
    const { tags } = await cloud.client.send(new ListTagsForResourceCommand(resource));
    expect(tags).toEqual({ b: '3', c: '4' });
    const unknown = new ListTagsForResourceCommand({ resourceArn: missing('channel') });
    expect(await refusal(cloud.client.send(unknown))).toBe('ResourceNotFoundException');
  });
});

describe('playback keys', () => {
  it('are imported once each, three at most, and tell their fingerprint', async () => {
    const keys = Array.from({ length: 4 }, () => publicKey());
    const load = (publicKeyMaterial = '') =>
      cloud.client.send(new ImportPlaybackKeyPairCommand({ publicKeyMaterial }));
    const { keyPair } = await load(keys[0]);
    expect(keyPair?.fingerprint).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    expect(await refusal(load(keys[0]))).toBe('ConflictException');
    await load(keys[1]);
    await load(keys[2]);
    expect(await refusal(load(keys[3]))).toBe('ServiceQuotaExceededException');
    const { keyPairs } = await cloud.client.send(new ListPlaybackKeyPairsCommand({}));
    expect(keyPairs).toHaveLength(3);
    for (const { arn } of keyPairs ?? []) await cloud.client.send(new DeletePlaybackKeyPairCommand({ arn }));
    const gone = cloud.client.send(new GetPlaybackKeyPairCommand({ arn: keyPair?.arn }));
    expect(await refusal(gone)).toBe('ResourceNotFoundException');
  });

  it('revoke viewers of channels that exist', async () => {
    const { channel } = await cloud.createChannel();
    const { errors } = await cloud.client.send(
      new BatchStartViewerSessionRevocationCommand({
        viewerSessions: [
          { channelArn: channel.arn, viewerId: 'v1' },
          { channelArn: missing('channel'), viewerId: 'v2' },
        ],
      }),
    );
    expect(errors).toMatchObject([{ viewerId: 'v2', code: 'ResourceNotFoundException' }]);
  });
});

describe('after a restart', () => {
  it('everything is as it was', async () => {
    const { channel, key } = await cloud.createChannel({ name: 'lasting', tags: { a: 'b' } });
    await cloud.close();
    cloud = await startCloud({ dataDir });
    const found = await cloud.client.send(new GetChannelCommand({ arn: channel.arn }));
    expect(found.channel).toMatchObject({ name: 'lasting', tags: { a: 'b' } });
    const kept = await cloud.client.send(new GetStreamKeyCommand({ arn: key.arn }));
    expect(kept.streamKey?.value).toBe(key.value);
    const stranger = new IvsClient({
      region: REGION,
      endpoint: cloud.url,
      credentials: { ...CREDENTIALS, secretAccessKey: 'another' },
      maxAttempts: 1,
    });
    expect(await refusal(stranger.send(new ListChannelsCommand({})))).toBe('InvalidSignatureException');
  });
});
