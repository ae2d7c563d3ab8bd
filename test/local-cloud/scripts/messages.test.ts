import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const nobody = 'postgres://owner:secret@127.0.0.1:1/social_flow';
const settings = {
  ENVIRONMENT: 'development',
  DATABASE_OWNER_URL: nobody,
  DATABASE_SHARD_OWNER_URLS: nobody,
};

const run = (script: string, ...options: string[]) =>
  new Promise<{ code: unknown; output: string }>((done) => {
    execFile(
      process.execPath,
      [join(root, 'scripts', script), ...options],
      { env: { ...process.env, ...settings } },
      (error, stdout, stderr) => done({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });

describe('scripts without a database', () => {
  it.each([['migrate.ts', 'up'], ['migrate.ts', 'down'], ['seed.ts'], ['replay-dead-letters.ts']])(
    'say what to do: %s %s',
    async (script, ...options) => {
      const { code, output } = await run(script, ...options);
      expect(code).toBe(1);
      expect(output).toBe(
        'Nothing answers at 127.0.0.1:1. Locally, start it first: npm start, or npm start -- --no-worker.\n',
      );
    },
  );
});
