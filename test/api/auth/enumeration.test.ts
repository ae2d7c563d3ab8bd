import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import worker from '../../../src/index.ts';
import { freshAddress, origin, sqlRows } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { freshUsername, password, registerAccount } from './accounts.ts';
import { type VerifiedAccount, verifiedAccount } from './recovery.ts';

interface Timed {
  readonly status: number;
  readonly body: string;
  readonly milliseconds: number;
}

/** One call, timed until its answer is there; what runs after it does not count, as for a client. */
async function timed(path: string, body: unknown, token?: string): Promise<Timed> {
  const context = createExecutionContext();
  const request = new Request(`${origin}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'cf-connecting-ip': freshAddress(),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  const startedAt = performance.now();
  const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], testEnv(env), context);
  const text = await response.text();
  const milliseconds = performance.now() - startedAt;
  await waitOnExecutionContext(context);
  return { status: response.status, body: text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id'), milliseconds };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Medians of alternating calls, so that noise of the machine falls on all alike. */
async function mediansOf(rounds: number, calls: readonly (() => Promise<Timed>)[]): Promise<number[]> {
  const samples = calls.map((): number[] => []);
  for (const make of calls) await make();
  for (let round = 0; round < rounds; round += 1)
    for (const [index, make] of calls.entries()) samples[index]?.push((await make()).milliseconds);
  return samples.map(median);
}

/**
 * Wide, since a busy machine is no stopwatch: without the same work the ratio would be ten and more. What looks different is
 * measured again for longer, since noise goes and a difference stays.
 */
async function expectAlike(rounds: number, calls: readonly (() => Promise<Timed>)[]): Promise<void> {
  const told: string[] = [];
  for (const factor of [1, 2, 4]) {
    const medians = await mediansOf(rounds * factor, calls);
    if (Math.max(...medians) / Math.min(...medians) < 2.5) return;
    told.push(medians.map((each) => each.toFixed(1)).join(' / '));
  }
  expect(told, 'milliseconds of each').toEqual([]);
}

describe('whether an account exists is not told', () => {
  it('by login: same answer, same time for unknown, known and suspended accounts', async () => {
    const known = await registerAccount();
    const suspended = await registerAccount();
    await sqlRows("UPDATE users SET status = 'suspended' WHERE username = $1", [suspended.user.username]);
    const attempt = (identifier: string) => () =>
      timed('/v1/auth/login', { identifier, password: 'not the password' });
    const calls = [known.user.username, suspended.user.username, 'nobody_at_all', 'nobody@example.com'].map(
      attempt,
    );
    const answers = await Promise.all(calls.map((make) => make()));
    for (const answer of answers)
      expect([answer.status, answer.body]).toEqual([answers[0]?.status, answers[0]?.body]);
    expect(answers[0]?.status).toBe(401);
    await expectAlike(5, calls);
  });

  it('by registration: same shape, same time whether the address is free or somebody’s', async () => {
    const owner = await verifiedAccount();
    const attempt = (email: () => string) => () =>
      timed('/v1/auth/register', { username: freshUsername(), email: email(), password });
    const calls = [attempt(() => owner.email), attempt(() => `${freshUsername()}@example.com`)];
    const answers = await Promise.all(calls.map((make) => make()));
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    const shapes = answers.map(({ body }) => {
      const { user, ...tokens } = JSON.parse(body) as { user: Record<string, unknown> };
      return [Object.keys(user).toSorted(), Object.keys(tokens).toSorted(), user.email_verified];
    });
    expect(shapes[0]).toEqual(shapes[1]);
    await expectAlike(5, calls);
    takeMessages();
  });

  it('by asking for a reset: same answer, same time', async () => {
    const known = await verifiedAccount();
    const unverified = await registerAccount();
    const suspended = await verifiedAccount();
    await sqlRows("UPDATE users SET status = 'suspended' WHERE username = $1", [suspended.user.username]);
    const attempt = (identifier: string) => () => timed('/v1/auth/password-reset', { identifier });
    const calls = [
      known.user.username,
      known.email,
      unverified.user.username,
      suspended.user.username,
      'nobody_at_all',
      'nobody@example.com',
    ].map(attempt);
    const answers = await Promise.all(calls.map((make) => make()));
    for (const answer of answers) expect([answer.status, answer.body]).toEqual([202, '']);
    await expectAlike(15, calls);
    takeMessages();
  });

  it('by changing the address: same answer, same time for an address that is free or somebody’s', async () => {
    const owner = await verifiedAccount();
    const accounts: VerifiedAccount[] = [];
    for (let index = 0; index < 4; index += 1) accounts.push(await verifiedAccount());
    await deliverEvents();
    let call = 0;
    const attempt = (email: () => string) => () => {
      call += 1;
      return timed('/v1/me/email', { email: email() }, accounts[Math.floor(call / 5) % 4]?.access_token);
    };
    const calls = [attempt(() => owner.email), attempt(() => `${freshUsername()}@example.com`)];
    const answers = [await calls[0]?.(), await calls[1]?.()];
    for (const answer of answers) expect([answer?.status, answer?.body]).toEqual([202, '']);
    await expectAlike(7, calls);
    takeMessages();
  });
});
