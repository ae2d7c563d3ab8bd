import { DurableObject } from 'cloudflare:workers';
import { systemClock } from '../../src/shared/clock.ts';
import { randomBytes } from '../../src/shared/crypto.ts';
import { hex } from '../../src/shared/encoding.ts';
import { wakeBy } from '../alarms.ts';
import { migrate } from '../sqlite-migrations.ts';
import { type BeginRequest, type BeginResult, judge } from './protocol.ts';
import { idempotencyMigrations } from './schema.ts';
import { createRequestStore, type RequestStore, type StoredAnswer } from './store.ts';

const pruneEveryMs = 600_000;
const pruneBatch = 1_000;
/** Longest answer that is kept. */
export const maxAnswerBytes = 1_048_576;

/**
 * Requests made under an Idempotency-Key, for one shard of clients. All methods may be called twice with the same
 * arguments. An answer is final: whoever stores one first wins, and later attempts replay it.
 */
export class Idempotency extends DurableObject {
  clock = systemClock;
  readonly #store: RequestStore;
  #alarmArmed = false;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    migrate(ctx.storage, idempotencyMigrations);
    this.#store = createRequestStore(ctx.storage);
  }

  /** Claims a request for running, or says why it must not run. */
  async begin(request: BeginRequest): Promise<BeginResult> {
    const now = this.clock.now();
    const record = this.#live(request.scope, now);
    const leaseEndsAtMs = now + request.leaseMs;
    switch (judge(record, request, now)) {
      case 'mismatch':
        return { state: 'mismatch' };
      case 'running':
        return {
          state: 'running',
          retryAfterSeconds: Math.max(
            1,
            Math.min(5, Math.ceil(((record?.leaseEndsAtMs ?? now) - now) / 1_000)),
          ),
        };
      case 'replay': {
        const answer = this.#store.readAnswer(request.scope);
        if (answer === undefined) throw new Error('an answered request has no answer');
        return { state: 'replay', ...answer };
      }
      case 'repeated':
        return { state: 'new', seed: record?.seed ?? '' };
      case 'rerun':
        this.#store.claim(request.scope, request.claim, leaseEndsAtMs);
        return { state: 'new', seed: record?.seed ?? '' };
      case 'insert': {
        const seed = `${now}.${hex(randomBytes(16))}`;
        const expiresAtMs = now + request.ttlSeconds * 1_000;
        this.#store.insert(request.scope, { ...request, seed, leaseEndsAtMs, expiresAtMs });
        await this.#armPruning(now);
        return { state: 'new', seed };
      }
    }
  }

  /** Keeps the answer for replay. `kept: false` when another attempt answered first, the request is unknown, or the answer too long. */
  complete(request: { scope: string } & StoredAnswer): { kept: boolean } {
    const { scope, ...answer } = request;
    const now = this.clock.now();
    const record = this.#live(scope, now);
    if (record === undefined || record.answered) return { kept: false };
    if (answer.body.length > maxAnswerBytes) {
      // Nothing to replay, but the attempt is over: a repetition runs at once, with the same ids.
      this.#store.unclaim(scope);
      return { kept: false };
    }
    this.#store.answer(scope, answer, now);
    return { kept: true };
  }

  /**
   * Ends an attempt without an answer worth keeping. When it or one before may have acted, the seed and the fingerprint
   * stay, so that the next attempt makes the same ids; otherwise the key is as good as new.
   */
  abandon(request: { scope: string; claim: string; mayHaveActed: boolean }): void {
    const record = this.#store.read(request.scope);
    if (record === undefined || record.answered || record.claim !== request.claim) return;
    if (request.mayHaveActed || record.attempts > 1) this.#store.unclaim(request.scope);
    else this.#store.remove(request.scope);
  }

  override async alarm(): Promise<void> {
    const now = this.clock.now();
    this.#alarmArmed = false;
    this.#store.prune(now, pruneBatch);
    const next = this.#store.nextExpiry();
    if (next === undefined) return;
    await this.ctx.storage.setAlarm(next <= now ? now + 1_000 : Math.max(next, now + pruneEveryMs));
    this.#alarmArmed = true;
  }

  #live(scope: string, nowMs: number) {
    const record = this.#store.read(scope);
    if (record === undefined || record.expiresAtMs > nowMs) return record;
    this.#store.remove(scope);
    return undefined;
  }

  async #armPruning(nowMs: number): Promise<void> {
    if (this.#alarmArmed) return;
    await wakeBy(this.ctx.storage, nowMs + pruneEveryMs);
    this.#alarmArmed = true;
  }
}
