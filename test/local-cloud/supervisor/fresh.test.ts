import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, type StackOptions, startStack } from '../../../local-cloud/supervisor/stack.ts';
import { makeTemporaryDir } from '../../support/node/temporary.ts';

const root = resolve(import.meta.dirname, '../../..');
let stack: Stack | undefined;
let stateDir: string;
let kept: string;
let options: Omit<StackOptions, 'fresh'>;

beforeAll(async () => {
  stateDir = await makeTemporaryDir();
  kept = join(stateDir, 's3', 'kept');
  options = {
    root,
    stateDir,
    workerUrl: 'http://127.0.0.1:1',
    chaos: { duplicate: 0, reorder: 0, drop: 0 },
  };
  stack = await startStack({ ...options, fresh: false });
  mkdirSync(join(stateDir, 's3'), { recursive: true });
  writeFileSync(kept, 'an object');
});

afterAll(async () => {
  await stack?.stop();
  await rm(stateDir, { recursive: true, force: true });
});

describe('starting anew with --fresh', () => {
  it('touches nothing of a local cloud that runs in the same folder', async () => {
    const secrets = readFileSync(join(stateDir, 'secrets.json'), 'utf8');
    await expect(startStack({ ...options, fresh: true })).rejects.toThrow(/in use by process/);
    expect(existsSync(kept)).toBe(true);
    expect(readFileSync(join(stateDir, 'secrets.json'), 'utf8')).toBe(secrets);
  });

  it('throws objects and secrets away once that one is stopped', async () => {
    const secrets = readFileSync(join(stateDir, 'secrets.json'), 'utf8');
    await stack?.stop();
    stack = await startStack({ ...options, fresh: true });
    expect(existsSync(kept)).toBe(false);
    expect(readFileSync(join(stateDir, 'secrets.json'), 'utf8')).not.toBe(secrets);
  });
});
