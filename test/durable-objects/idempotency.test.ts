import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/shared/crypto.ts';
import { hex } from '../../src/shared/encoding.ts';
import { testEnv } from '../support/worker/env.ts';

const { IDEMPOTENCY } = testEnv(env);
const fresh = () => IDEMPOTENCY.getByName(`test:${crypto.randomUUID()}`);
const request = (claim: string, changes: object = {}) => ({
  scope: 'scope',
  fingerprint: 'fingerprint',
  claim,
  ttlSeconds: 3_600,
  leaseMs: 60_000,
  ...changes,
});
const answer = (body: Uint8Array = new TextEncoder().encode('{"id":1}')) => ({
  scope: 'scope',
  status: 201,
  headers: { 'content-type': 'application/json' },
  body,
});

describe('the record of idempotent requests', () => {
  it('lets one of 50 identical requests run', async () => {
    const records = fresh();
    const begun = await Promise.all(
      Array.from({ length: 50 }, (_, index) => records.begin(request(`c${index}`))),
    );
    expect(begun.filter(({ state }) => state === 'new')).toHaveLength(1);
    expect(begun.filter(({ state }) => state === 'running')).toHaveLength(49);
  });

  it('recognises the running request when its call to begin is repeated', async () => {
    const records = fresh();
    const first = await records.begin(request('mine'));
    expect(await records.begin(request('mine'))).toEqual(first);
  });

  it('replays the first answer, also after eviction', async () => {
    const records = fresh();
    await records.begin(request('one'));
    expect(await records.complete(answer())).toEqual({ kept: true });
    await evictDurableObject(records);
    const replay = await records.begin(request('two'));
    expect(replay).toMatchObject({
      state: 'replay',
      status: 201,
      headers: { 'content-type': 'application/json' },
    });
    expect(replay.state === 'replay' && new TextDecoder().decode(replay.body)).toBe('{"id":1}');
  });

  it('keeps the answer that was stored first', async () => {
    const records = fresh();
    await records.begin(request('one'));
    await records.complete(answer());
    expect(await records.complete({ ...answer(), status: 500 })).toEqual({ kept: false });
    expect(await records.begin(request('two'))).toMatchObject({ status: 201 });
  });

  it('keeps answers larger than a chunk byte for byte, and refuses those beyond a megabyte', async () => {
    const records = fresh();
    const body = crypto.getRandomValues(new Uint8Array(65_536));
    const large = new Uint8Array(600_000).map((_, index) => body[index % body.length] ?? 0);
    await records.begin(request('one'));
    expect(await records.complete(answer(new Uint8Array(1_048_577)))).toEqual({ kept: false });
    expect(await records.complete(answer(large))).toEqual({ kept: true });
    const replay = await records.begin(request('two'));
    if (replay.state !== 'replay') throw new Error(replay.state);
    expect(hex(await sha256(replay.body))).toBe(hex(await sha256(large)));
  });

  it('does not take a request whose answer was too long for still running', async () => {
    const records = fresh();
    const first = await records.begin(request('one'));
    await records.complete(answer(new Uint8Array(1_048_577)));
    expect(await records.begin(request('two'))).toEqual(first);
  });

  it('gives the same seed to the attempt after a crash, also after eviction', async () => {
    const records = fresh();
    const first = await records.begin(request('crashed'));
    await evictDurableObject(records);
    expect(await records.begin(request('early'))).toMatchObject({ state: 'running' });
    await runInDurableObject(records, (instance) => {
      instance.clock = { now: () => Date.now() + 60_001 };
    });
    expect(await records.begin(request('next'))).toEqual(first);
  });

  it('accepts the late answer of an attempt that was taken for dead', async () => {
    const records = fresh();
    await records.begin(request('slow', { leaseMs: 0 }));
    expect(await records.begin(request('second'))).toMatchObject({ state: 'new' });
    expect(await records.complete(answer())).toEqual({ kept: true });
    expect(await records.begin(request('third'))).toMatchObject({ state: 'replay' });
  });

  it('refuses the key for another request, whatever became of the first', async () => {
    const records = fresh();
    const other = request('two', { fingerprint: 'other' });
    await records.begin(request('one'));
    expect(await records.begin(other)).toEqual({ state: 'mismatch' });
    await records.complete(answer());
    expect(await records.begin(other)).toEqual({ state: 'mismatch' });
  });

  it('keeps seed and fingerprint of an attempt that may have acted', async () => {
    const records = fresh();
    const first = await records.begin(request('one'));
    await records.abandon({ scope: 'scope', claim: 'one', mayHaveActed: true });
    expect(await records.begin(request('x', { fingerprint: 'other' }))).toEqual({ state: 'mismatch' });
    expect(await records.begin(request('two'))).toEqual(first);
    // Once an attempt may have acted, no later one can make that undone.
    await records.abandon({ scope: 'scope', claim: 'two', mayHaveActed: false });
    expect(await records.begin(request('three'))).toEqual(first);
  });

  it('forgets an attempt that never started, so that the key can be used for a corrected request', async () => {
    const records = fresh();
    const first = await records.begin(request('one'));
    await records.abandon({ scope: 'scope', claim: 'stranger', mayHaveActed: false });
    expect(await records.begin(request('two'))).toMatchObject({ state: 'running' });
    await records.abandon({ scope: 'scope', claim: 'one', mayHaveActed: false });
    const corrected = await records.begin(request('three', { fingerprint: 'corrected' }));
    expect(corrected.state).toBe('new');
    expect(corrected).not.toEqual(first);
  });

  it('forgets requests when their time is over, and removes them by alarm', async () => {
    const records = fresh();
    await records.begin(request('one', { ttlSeconds: 60 }));
    await records.complete(answer());
    await runInDurableObject(records, (instance) => {
      instance.clock = { now: () => Date.now() + 61_000 };
    });
    expect(await records.begin(request('two', { fingerprint: 'other', ttlSeconds: 60 }))).toMatchObject({
      state: 'new',
    });
    await runInDurableObject(records, (instance) => {
      instance.clock = { now: () => Date.now() + 200_000 };
    });
    expect(await runDurableObjectAlarm(records)).toBe(true);
    const left = await runInDurableObject(records, (_, state) => [
      ...state.storage.sql.exec('SELECT 1 FROM requests UNION ALL SELECT 1 FROM body_chunks'),
    ]);
    expect(left).toEqual([]);
  });
});
