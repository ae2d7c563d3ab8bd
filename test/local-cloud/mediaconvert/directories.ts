import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

// Registered when a test file imports this, so that it runs after that file's own hooks.
afterAll(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

/** A fresh directory that is gone when the test file is done. */
export function newDirectory(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `${name}-`));
  made.push(directory);
  return directory;
}
