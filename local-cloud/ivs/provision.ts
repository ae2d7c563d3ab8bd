import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { ApiContext } from './api/context.ts';
import { playbackAccessOperations } from './api/playback-access.ts';
import { recordingOperations } from './api/recording-configurations.ts';

/** What an operator makes once in an account, before the platform runs there. */
export type AccountPlan = {
  /** The setting `LIVE_PLAYBACK_KEY`. */
  readonly playbackKey: string;
  readonly recordingsBucket: string;
  readonly reconnectWindowSeconds: number;
};

export type ProvisionedAccount = {
  readonly recordingConfigurationArn: string;
};

const name = 'social-flow';

/** A key that signs playback tokens, as the setting `LIVE_PLAYBACK_KEY` has it: P-384, PKCS #8 in base64. */
export const makePlaybackKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-384' })
    .privateKey.export({ format: 'der', type: 'pkcs8' })
    .toString('base64');

/** The public half of such a key, in PEM. */
export const publicHalfOf = (playbackKey: string): string =>
  createPublicKey(createPrivateKey({ key: Buffer.from(playbackKey, 'base64'), format: 'der', type: 'pkcs8' }))
    .export({ format: 'pem', type: 'spki' })
    .toString();

/** Makes what is missing of a plan. */
export function provisionAccount(context: ApiContext, plan: AccountPlan): ProvisionedAccount {
  const { store } = context;
  const publicKeyMaterial = publicHalfOf(plan.playbackKey);
  if (!store.all('playback-key').some(({ publicKey }) => publicKey === publicKeyMaterial))
    playbackAccessOperations(context).ImportPlaybackKeyPair({ publicKeyMaterial, name });
  const isWanted = (one: { bucketName: string; reconnectWindowSeconds: number }): boolean =>
    one.bucketName === plan.recordingsBucket && one.reconnectWindowSeconds === plan.reconnectWindowSeconds;
  if (!store.all('recording-configuration').some(isWanted))
    recordingOperations(context).CreateRecordingConfiguration({
      name,
      destinationConfiguration: { s3: { bucketName: plan.recordingsBucket } },
      recordingReconnectWindowSeconds: plan.reconnectWindowSeconds,
      thumbnailConfiguration: { storage: ['LATEST', 'SEQUENTIAL'] },
    });
  const configuration = store.all('recording-configuration').find(isWanted);
  if (configuration === undefined) throw new Error('IVS did not keep what it was asked to make');
  return { recordingConfigurationArn: configuration.arn };
}
