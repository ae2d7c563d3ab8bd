import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { testEnv } from '../support/worker/env.ts';

const { SESSION_GUARD } = testEnv(env);
const freshGuard = () => SESSION_GUARD.getByName(`test:${crypto.randomUUID()}`);
const soonMs = () => Date.now() + 60_000;

describe('the session guard', () => {
  it('stores nothing for a user who never ended a session, however often it is asked', async () => {
    const guard = freshGuard();
    for (let ask = 0; ask < 3; ask += 1) expect(await guard.read()).toEqual({ epoch: 0, ended: [] });
    await runInDurableObject(guard, (_, state) => {
      expect(state.storage.sql.exec('SELECT name FROM sqlite_master').toArray()).toEqual([]);
    });
  });

  it('remembers ended sessions and the highest epoch through eviction, told in any order and any number of times', async () => {
    const guard = freshGuard();
    const untilMs = soonMs();
    await guard.end({ sessionIds: ['a', 'b'], untilMs });
    await guard.end({ sessionIds: [], epoch: 3, untilMs });
    await guard.end({ sessionIds: ['a'], epoch: 2, untilMs: untilMs - 1_000 });
    await evictDurableObject(guard);
    const state = await guard.read();
    expect(state.epoch).toBe(3);
    expect([...state.ended].sort((x, y) => x.sessionId.localeCompare(y.sessionId))).toEqual([
      { sessionId: 'a', untilMs },
      { sessionId: 'b', untilMs },
    ]);
  });

  it('answers an end with the state after it', async () => {
    const untilMs = soonMs();
    expect(await freshGuard().end({ sessionIds: ['a'], epoch: 1, untilMs })).toEqual({
      epoch: 1,
      ended: [{ sessionId: 'a', untilMs }],
    });
  });

  it('forgets what no token can need any more, and in the end everything', async () => {
    const guard = freshGuard();
    const untilMs = soonMs();
    await guard.end({ sessionIds: ['a'], untilMs });
    await guard.end({ sessionIds: ['b'], epoch: 4, untilMs: untilMs + 5_000 });
    await runInDurableObject(guard, async (instance, state) => {
      expect(await state.storage.getAlarm()).toBe(untilMs);
      instance.clock = { now: () => untilMs };
      expect(instance.read().ended.map(({ sessionId }) => sessionId)).toEqual(['b']);
    });
    expect(await runDurableObjectAlarm(guard)).toBe(true);
    await runInDurableObject(guard, async (instance, state) => {
      expect(await state.storage.getAlarm()).toBe(untilMs + 5_000);
      instance.clock = { now: () => untilMs + 5_000 };
      expect(instance.read()).toEqual({ epoch: 0, ended: [] });
    });
    expect(await runDurableObjectAlarm(guard)).toBe(true);
    await runInDurableObject(guard, async (instance, state) => {
      expect(
        state.storage.sql
          .exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
          .toArray(),
      ).toEqual([]);
      expect(await state.storage.getAlarm()).toBeNull();
      instance.clock = { now: () => Date.now() };
    });
    expect(await guard.end({ sessionIds: ['c'], untilMs: soonMs() })).toMatchObject({ epoch: 0 });
    expect((await guard.read()).ended).toHaveLength(1);
  });

  it('does not take up an end that comes after its last token has expired', async () => {
    const guard = freshGuard();
    expect(await guard.end({ sessionIds: ['a'], epoch: 9, untilMs: Date.now() - 1 })).toEqual({
      epoch: 0,
      ended: [],
    });
  });

  it('keeps many ended sessions', async () => {
    const guard = freshGuard();
    const sessionIds = Array.from({ length: 500 }, () => crypto.randomUUID());
    await Promise.all(
      sessionIds.map((sessionId) => guard.end({ sessionIds: [sessionId], untilMs: soonMs() })),
    );
    expect(new Set((await guard.read()).ended.map((one) => one.sessionId))).toEqual(new Set(sessionIds));
  });
});
