import type { TestProject } from 'vitest/node';
import { startTestAws } from './aws-setup.ts';
import { startDatabaseStack } from './database-stack.ts';

/** Vitest global setup of the Worker's tests: Postgres with migrated templates, the bridge and the emulated AWS, gone again at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startDatabaseStack();
  const aws = await startTestAws().catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  project.provide('neonBridgeUrl', stack.bridge.url);
  project.provide('s3Url', aws.s3Url);
  project.provide('cdnUrl', aws.cdnUrl);
  project.provide('mediaConvertUrl', aws.mediaConvertUrl);
  project.provide('mailUrl', aws.mailUrl);
  project.provide('breachedPasswordsUrl', aws.breachedPasswordsUrl);
  project.provide('turnstileUrl', aws.turnstileUrl);
  project.provide('turnstileSecret', aws.turnstileSecret);
  project.provide('awsAccessKeyId', aws.awsAccessKeyId);
  project.provide('awsSecretAccessKey', aws.awsSecretAccessKey);
  return async () => {
    await aws.close();
    await stack.stop();
  };
}
