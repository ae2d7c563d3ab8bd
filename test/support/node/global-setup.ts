import type { TestProject } from 'vitest/node';
import { startSmsServer } from '../../../local-cloud/sms/server.ts';
import { startTestAws } from './aws-setup.ts';
import { smsAccount } from './bindings.ts';
import { startDatabaseStack } from './database-stack.ts';

/** Vitest global setup of the Worker's tests: Postgres with migrated templates, the bridge and the emulated AWS, gone again at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startDatabaseStack();
  const aws = await startTestAws().catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  const sms = await startSmsServer({ port: 0, ...smsAccount });
  project.provide('neonBridgeUrl', stack.bridge.url);
  project.provide('s3Url', aws.s3Url);
  project.provide('cdnUrl', aws.cdnUrl);
  project.provide('mediaConvertUrl', aws.mediaConvertUrl);
  project.provide('mailUrl', aws.mailUrl);
  project.provide('turnstileUrl', aws.turnstileUrl);
  project.provide('turnstileSecret', aws.turnstileSecret);
  project.provide('awsAccessKeyId', aws.awsAccessKeyId);
  project.provide('awsSecretAccessKey', aws.awsSecretAccessKey);
  project.provide('smsUrl', sms.url);
  return async () => {
    await sms.close();
    await aws.close();
    await stack.stop();
  };
}
