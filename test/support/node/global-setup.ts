import type { TestProject } from 'vitest/node';
import { startDatabaseStack } from './database-stack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Base URL of the Neon bridge with test controls, such as http://127.0.0.1:40123. */
    neonBridgeUrl: string;
  }
}

/** Vitest global setup of the Worker's tests: Postgres, migrated templates and the bridge, gone again at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startDatabaseStack();
  project.provide('neonBridgeUrl', stack.bridge.url);
  return stack.stop;
}
