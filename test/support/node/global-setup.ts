import type { TestProject } from 'vitest/node';
import { startDatabaseStack } from './database-stack.ts';

/** Vitest global setup of the Worker's tests: Postgres, migrated templates and the bridge, gone again at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startDatabaseStack();
  project.provide('neonBridgeUrl', stack.bridge.url);
  return stack.stop;
}
