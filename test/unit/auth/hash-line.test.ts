import { afterEach, describe, expect, it, vi } from 'vitest';
import { inHashLine } from '../../../src/modules/auth/usecases/hash-line.ts';
import { sleep } from '../../../src/shared/retry.ts';

afterEach(() => {
  vi.useRealTimers();
});

const outcomesOf = async (work: Promise<unknown>[]) =>
  (await Promise.allSettled(work)).map((one) => one.status);

/** Runs work up to its first timer, which never fires: nothing of a cancelled request runs any more. */
const cancelled = (work: () => Promise<unknown>) => {
  const timer = vi.spyOn(globalThis, 'setTimeout').mockImplementation(() => 0 as never);
  void work();
  timer.mockRestore();
};

describe('the line for password hashes', () => {
  it('never runs more than the limit, and serves who came first first', async () => {
    let running = 0;
    let most = 0;
    const order: number[] = [];
    const jobs = Array.from({ length: 12 }, (_, index) =>
      inHashLine(2, async () => {
        running += 1;
        most = Math.max(most, running);
        order.push(index);
        await sleep(3);
        running -= 1;
      }),
    );
    expect(await outcomesOf(jobs)).toEqual(Array(12).fill('fulfilled'));
    expect(most).toBe(2);
    expect(order).toEqual([...order].toSorted((a, b) => a - b));
  });

  it('turns away with 503 and Retry-After who comes to a full line, and serves the others', async () => {
    const jobs = Array.from({ length: 40 }, () => inHashLine(1, async () => sleep(1)));
    const results = await Promise.allSettled(jobs);
    const refused = results.filter((result) => result.status === 'rejected').map((result) => result.reason);
    expect(refused).toHaveLength(16);
    expect(refused[0]).toMatchObject({
      code: 'service.unavailable',
      status: 503,
      headers: { 'retry-after': '5' },
    });
    await expect(inHashLine(1, async () => 'next')).resolves.toBe('next');
  });

  it('gives the place back when the work fails', async () => {
    for (let round = 0; round < 3; round += 1)
      await expect(inHashLine(1, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(inHashLine(1, async () => 'next')).resolves.toBe('next');
  });

  it('forgets a request that was cancelled while it hashed', async () => {
    // Never settles, as the code after an await in a cancelled request never runs.
    void inHashLine(1, () => new Promise<never>(() => undefined));
    await sleep(20);
    const next = inHashLine(1, async () => 'next');
    await sleep(20);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6_000 });
    await expect(next).resolves.toBe('next');
  });

  it('forgets a request that was cancelled while it waited', async () => {
    cancelled(() => inHashLine(1, async () => 'never'));
    await expect(inHashLine(1, async () => 'next')).resolves.toBe('next');
  });

  it('opens again after everybody in it was cancelled', async () => {
    for (let index = 0; index < 24; index += 1) cancelled(() => inHashLine(1, async () => 'never'));
    await expect(inHashLine(1, async () => 'next')).rejects.toMatchObject({ code: 'service.unavailable' });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6_000 });
    await expect(inHashLine(1, async () => 'next')).resolves.toBe('next');
  });

  it('lets the event loop turn between two hashes', async () => {
    const events: string[] = [];
    const hash = () => inHashLine(2, async () => void events.push('hash'));
    const others = setInterval(() => events.push('other'), 0);
    await Promise.all([hash(), hash(), hash()]);
    clearInterval(others);
    expect(events.join(' ')).toMatch(/hash( other)+ hash( other)+ hash/);
  });

  it('turns away who has waited too long in a line that moves slowly', async () => {
    let release = () => {};
    const held = () =>
      inHashLine(
        1,
        () =>
          new Promise<void>((resolve) => {
            release = resolve;
          }),
      );
    const start = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: start });
    const slow = [held(), held(), held(), held()];
    const last = inHashLine(1, async () => 'last');
    const refused = expect(last).rejects.toMatchObject({ code: 'service.unavailable' });
    for (const seconds of [4, 8, 12, 13]) {
      await sleep(30);
      vi.setSystemTime(start + seconds * 1_000);
      await sleep(30);
      if (seconds < 13) release();
    }
    await refused;
    release();
    expect(await outcomesOf(slow)).toEqual(Array(4).fill('fulfilled'));
  });
});
