import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { servicesOf } from '../../../src/context.ts';
import { systemContext } from '../../../src/jobs/system-context.ts';
import { testEnv } from '../../support/worker/env.ts';

const services = () => servicesOf(testEnv(env));

describe('background work outside a request', () => {
  it('is done, whether or not somebody waits for it', async () => {
    const done: string[] = [];
    systemContext(services(), { job: 'test' }).background(async () => done.push('alone'));
    const waited: Promise<unknown>[] = [];
    const ctx = systemContext(services(), { job: 'test', waitUntil: (task) => waited.push(task) });
    ctx.background(async () => done.push('waited for'));
    await Promise.all(waited);
    expect(done).toEqual(['alone', 'waited for']);
  });

  it('that fails harms nobody who waits', async () => {
    const waited: Promise<unknown>[] = [];
    const ctx = systemContext(services(), { job: 'test', waitUntil: (task) => waited.push(task) });
    ctx.background(() => Promise.reject(new Error('no')));
    expect(waited).toHaveLength(1);
    await expect(Promise.all(waited)).resolves.toBeDefined();
  });
});
