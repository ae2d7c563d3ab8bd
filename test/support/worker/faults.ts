import { env } from 'cloudflare:workers';
import { inject } from 'vitest';
import { testEnv } from './env.ts';

export interface Fault {
  readonly mode: 'none' | 'down' | 'error';
  readonly count?: number;
  /** How many requests it lets through first. */
  readonly skip?: number;
  readonly sqlstate?: string;
  readonly delayMs?: number;
  /** `after` runs the statements and then loses their result. */
  readonly when?: 'before' | 'after';
}

/** Makes this test file's primary database fail, at the bridge. `none` ends it. */
export async function breakDatabase(fault: Fault): Promise<void> {
  const database = new URL(String(testEnv(env).DATABASE_URL)).pathname.slice(1);
  const response = await fetch(`${inject('neonBridgeUrl')}/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...fault, database }),
  });
  if (!response.ok) throw new Error(`the bridge refused the fault: ${await response.text()}`);
}
