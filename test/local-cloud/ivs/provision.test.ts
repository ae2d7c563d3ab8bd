import {
  GetRecordingConfigurationCommand,
  ListPlaybackKeyPairsCommand,
  ListRecordingConfigurationsCommand,
} from '@aws-sdk/client-ivs';
import { expect, it } from 'vitest';
import { makePlaybackKey } from '../../../local-cloud/ivs/index.ts';
import { newDirectory } from '../mediaconvert/directories.ts';
import { startCloud } from './harness.ts';

it('sets an account up once, also over restarts, and anew for another plan', async () => {
  const dataDir = newDirectory('ivs');
  const plan = { playbackKey: makePlaybackKey(), recordingsBucket: 'vod', reconnectWindowSeconds: 60 };
  let cloud = await startCloud({ dataDir });
  const first = cloud.ivs.provision(plan);
  expect(cloud.ivs.provision(plan)).toEqual(first);
  await cloud.close();

  cloud = await startCloud({ dataDir });
  try {
    expect(cloud.ivs.provision(plan)).toEqual(first);
    const { recordingConfiguration } = await cloud.client.send(
      new GetRecordingConfigurationCommand({ arn: first.recordingConfigurationArn }),
    );
    expect(recordingConfiguration).toMatchObject({ state: 'ACTIVE', recordingReconnectWindowSeconds: 60 });
    const other = cloud.ivs.provision({ ...plan, reconnectWindowSeconds: 30 });
    expect(other.recordingConfigurationArn).not.toBe(first.recordingConfigurationArn);
    const { keyPairs } = await cloud.client.send(new ListPlaybackKeyPairsCommand({}));
    const { recordingConfigurations } = await cloud.client.send(new ListRecordingConfigurationsCommand({}));
    expect([keyPairs?.length, recordingConfigurations?.length]).toEqual([1, 2]);
  } finally {
    await cloud.close();
  }
});
