import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { TestProject } from 'vitest/node';
import { startOAuthServer } from '../../../local-cloud/oauth/server.ts';
import { oauthSettings } from '../../../local-cloud/oauth/settings.ts';
import { startSmsServer } from '../../../local-cloud/sms/server.ts';
import { startTestAws } from './aws-setup.ts';
import { smsAccount } from './bindings.ts';
import { startDatabaseStack } from './database-stack.ts';

/** Vitest global setup of the Worker's tests: Postgres with migrated templates, the bridge the emulated AWS and the OAuth providers, gone again at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startDatabaseStack();
  const aws = await startTestAws().catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  const sms = await startSmsServer({ port: 0, ...smsAccount });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const appleKey = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const social = oauthSettings({ secret: randomBytes(33).toString('base64url'), appleKey });
  const oauth = await startOAuthServer({
    port: 0,
    clients: social.clients,
    workerUrl: 'https://api.test',
    testControls: true,
  }).catch(async (error: unknown) => {
    await aws.close();
    await stack.stop();
    throw error;
  });
  project.provide('oauthSettings', { ...social.settings, OAUTH_STAND_IN_URL: oauth.url });
  project.provide('neonBridgeUrl', stack.bridge.url);
  project.provide('s3Url', aws.s3Url);
  project.provide('cdnUrl', aws.cdnUrl);
  project.provide('cdnSigningKeys', aws.cdnSigningKeys);
  project.provide('mediaConvertUrl', aws.mediaConvertUrl);
  project.provide('liveSettings', aws.liveSettings);
  project.provide('mailUrl', aws.mailUrl);
  project.provide('breachedPasswordsUrl', aws.breachedPasswordsUrl);
  project.provide('turnstileUrl', aws.turnstileUrl);
  project.provide('turnstileSecret', aws.turnstileSecret);
  project.provide('awsAccessKeyId', aws.awsAccessKeyId);
  project.provide('awsSecretAccessKey', aws.awsSecretAccessKey);
  project.provide('smsUrl', sms.url);
  return async () => {
    await sms.close();
    await oauth.close();
    await aws.close();
    await stack.stop();
  };
}
