import { generateKeyPairSync } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findServiceModel, problemsOf } from '../../support/node/service-model.ts';
import { type Cloud, CREDENTIALS, publish, REGION, startCloud, told } from './harness.ts';

const model = findServiceModel('ivs', '2020-07-14');
// An older one does not know of all that is answered.
const canJudge = model?.shapes.ContainerFormat !== undefined;
if (!canJudge)
  console.warn(
    'No recent botocore on this machine: answers are NOT checked against the service model of IVS.',
  );

// What the checker has no word for, and an empty preset, which IVS documents and answers beside its model.
const unknowable = /nobody checks a timestamp|preset: {2}is none of/;

describe.skipIf(!canJudge)('the service model of IVS', () => {
  let cloud: Cloud;
  beforeAll(async () => {
    cloud = await startCloud();
  });
  afterAll(() => cloud.close());

  const signer = new AwsClient({ ...CREDENTIALS, region: REGION, service: 'ivs', retries: 0 });
  const problems = (shape: string, value: unknown): string[] =>
    model === undefined ? [] : problemsOf(model, shape, value).filter((text) => !unknowable.test(text));

  /** Calls an operation; both what goes and what comes must be as the model says. */
  async function call(operation: string, body: object): Promise<Record<string, unknown>> {
    const response = await signer.fetch(`${cloud.url}/${operation}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    const answer = JSON.parse((await response.text()) || '{}');
    expect([operation, response.ok, answer.exceptionMessage]).toEqual([operation, true, undefined]);
    expect([operation, ...problems(`${operation}Request`, body)]).toEqual([operation]);
    if (response.status !== 204)
      expect([operation, ...problems(`${operation}Response`, answer)]).toEqual([operation]);
    return answer;
  }
  const arnOf = (answer: Record<string, unknown>, member: string): string =>
    (answer[member] as { arn: string }).arn;

  it('finds nothing wrong with any answer', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const publicKeyMaterial = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const recording = arnOf(
      await call('CreateRecordingConfiguration', {
        destinationConfiguration: { s3: { bucketName: 'vod' } },
        thumbnailConfiguration: { recordingMode: 'INTERVAL', targetIntervalSeconds: 5, storage: ['LATEST'] },
      }),
      'recordingConfiguration',
    );
    const policy = arnOf(
      await call('CreatePlaybackRestrictionPolicy', { allowedCountries: ['DE'] }),
      'playbackRestrictionPolicy',
    );
    const keyPair = arnOf(await call('ImportPlaybackKeyPair', { publicKeyMaterial }), 'keyPair');
    const made = await call('CreateChannel', {
      name: 'model',
      type: 'BASIC',
      insecureIngest: true,
      recordingConfigurationArn: recording,
      playbackRestrictionPolicyArn: policy,
      tags: { purpose: 'test' },
    });
    const channelArn = arnOf(made, 'channel');
    const streamKey = made.streamKey as { arn: string; value: string };
    const publication = publish(cloud, streamKey.value);
    await told(cloud, channelArn, 'Stream Start');
    await call('GetStream', { channelArn });
    await call('ListStreams', {});
    await call('PutMetadata', { channelArn, metadata: 'x' });
    await call('GetStreamSession', { channelArn });
    await call('StopStream', { channelArn });
    await publication.ended;
    await told(cloud, channelArn, 'Session Ended');
    await call('GetStreamSession', { channelArn });
    await call('ListStreamSessions', { channelArn });
    await call('StartViewerSessionRevocation', { channelArn, viewerId: 'v' });
    await call('BatchStartViewerSessionRevocation', { viewerSessions: [{ channelArn, viewerId: 'v' }] });
    await call('GetChannel', { arn: channelArn });
    await call('BatchGetChannel', { arns: [channelArn] });
    await call('ListChannels', { maxResults: 1 });
    await call('UpdateChannel', { arn: channelArn, latencyMode: 'NORMAL' });
    await call('GetStreamKey', { arn: streamKey.arn });
    await call('BatchGetStreamKey', { arns: [streamKey.arn] });
    await call('ListStreamKeys', { channelArn });
    await call('DeleteStreamKey', { arn: streamKey.arn });
    await call('CreateStreamKey', { channelArn });
    await call('GetRecordingConfiguration', { arn: recording });
    await call('ListRecordingConfigurations', {});
    await call('GetPlaybackKeyPair', { arn: keyPair });
    await call('ListPlaybackKeyPairs', {});
    await call('DeletePlaybackKeyPair', { arn: keyPair });
    await call('GetPlaybackRestrictionPolicy', { arn: policy });
    await call('ListPlaybackRestrictionPolicies', {});
    await call('UpdatePlaybackRestrictionPolicy', { arn: policy, name: 'other' });
    await call('DeleteChannel', { arn: channelArn });
    await call('DeletePlaybackRestrictionPolicy', { arn: policy });
    await call('DeleteRecordingConfiguration', { arn: recording });
  });
});
