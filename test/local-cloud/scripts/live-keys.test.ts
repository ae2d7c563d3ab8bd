import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { publicHalfOf } from '../../../local-cloud/ivs/provision.ts';
import { type Cloud, CREDENTIALS, REGION, startCloud } from '../ivs/harness.ts';

const script = join(import.meta.dirname, '..', '..', '..', 'scripts', 'live-keys.ts');

let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud.close());

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: readonly string[]): Promise<Outcome> {
  const env = {
    PATH: process.env.PATH,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    IVS_ENDPOINT: cloud.url,
  };
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [script, ...args], { env })) };
  } catch (error) {
    return error as Outcome;
  }
}

const arnIn = ({ stderr }: Outcome): string => /arn:\S+/.exec(stderr)?.[0] ?? '';

it('makes keys, lists them, and deletes all but the one that signs', async () => {
  const first = await run();
  const second = await run();
  expect([first.code, second.code]).toEqual([0, 0]);
  // Nothing but the key, for a pipe.
  expect(publicHalfOf(second.stdout.trim())).toContain('BEGIN PUBLIC KEY');
  const listed = await run('list');
  expect(listed.stdout).toContain(arnIn(first));
  expect(listed.stdout).toContain(`${arnIn(second)} social-flow-`);
  const refused = await run('prune', `${arnIn(second)}x`);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('nothing was deleted')]);
  expect((await run('prune')).code).toBe(2);
  expect((await run('prune', arnIn(second))).stdout.trim()).toBe(`deleted ${arnIn(first)}`);
  expect((await run('list')).stdout.trim().split('\n')).toHaveLength(1);
});

it('says what IVS says when there are too many, and how it is used when asked wrongly', async () => {
  while ((await run()).code === 0);
  const full = await run();
  expect([full.code, full.stderr]).toEqual([1, expect.stringContaining('ServiceQuotaExceededException')]);
  expect(full.stdout).toBe('');
  const asked = await run('make', 'it');
  expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('Usage')]);
});
