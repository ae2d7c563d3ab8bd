import { DurableObject } from 'cloudflare:workers';
import { systemClock } from '../../src/shared/clock.ts';
import { migrate } from '../sqlite-migrations.ts';
import { lockMigrations } from './schema.ts';
import { createLockStore, type LockState, type LockStore } from './store.ts';
import { assertTtl, grant, isHeld, release, renew } from './transitions.ts';

export interface AcquireRequest {
  /** Names this attempt to hold the lock; unique for each, so that a repeated call is recognised. */
  readonly owner: string;
  readonly ttlMs: number;
  /** How long to stand in line when somebody else holds it. At most 30 s; default 0. */
  readonly waitMs?: number;
}

export type AcquireResult =
  | { readonly acquired: true; readonly fencingToken: number; readonly expiresAt: number }
  | { readonly acquired: false; readonly expiresAt: number };

interface Waiter {
  readonly request: AcquireRequest;
  readonly settle: (result: AcquireResult) => void;
}

const maxWaitMs = 30_000;
const maxWaiters = 1_000;

/**
 * One lock. Grants end by release or by time, and each carries a fencing token greater than all before it: what the lock
 * protects must refuse a smaller token than the greatest it saw, because a holder can outlive its grant.
 */
export class Lock extends DurableObject {
  clock = systemClock;
  readonly #store: LockStore;
  // First come, first served. On the heap on purpose: each waiter is a call in flight, which keeps the object awake.
  readonly #waiters: Waiter[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    migrate(ctx.storage, lockMigrations);
    this.#store = createLockStore(ctx.storage.sql);
  }

  /** Tries to take the lock, waiting in line for up to `waitMs`. `expiresAt` is Unix milliseconds. */
  async acquire(request: AcquireRequest): Promise<AcquireResult> {
    assertTtl(request.ttlMs);
    const waitMs = Math.min(maxWaitMs, Math.max(0, request.waitMs ?? 0));
    const result = this.#waiters.length === 0 ? this.#tryGrant(request) : this.#refusal();
    if (result.acquired || waitMs === 0 || this.#waiters.length >= maxWaiters) return result;
    return new Promise((resolve) => {
      const timeout = setTimeout(() => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        resolve(this.#refusal());
      }, waitMs);
      const waiter: Waiter = {
        request,
        settle: (settled) => {
          clearTimeout(timeout);
          resolve(settled);
        },
      };
      this.#waiters.push(waiter);
      this.#serveWaiters();
    });
  }

  /** Extends a grant still held; `renewed: false` means it is lost and the work must stop. */
  renew(request: { owner: string; fencingToken: number; ttlMs: number }): {
    renewed: boolean;
    expiresAt: number;
  } {
    assertTtl(request.ttlMs);
    const state = this.#store.read();
    const renewed = renew(state, request, this.clock.now());
    if (renewed === undefined) return { renewed: false, expiresAt: state.expiresAtMs };
    this.#store.write(renewed);
    return { renewed: true, expiresAt: renewed.expiresAtMs };
  }

  /** Frees the lock if this very grant holds it. */
  release(request: { owner: string; fencingToken: number }): { released: boolean } {
    const released = release(this.#store.read(), request);
    if (released === undefined) return { released: false };
    this.#store.write(released);
    this.#serveWaiters();
    return { released: true };
  }

  #tryGrant(request: AcquireRequest): AcquireResult {
    const granted = grant(this.#store.read(), request, this.clock.now());
    if (granted === undefined) return this.#refusal();
    this.#store.write(granted);
    return { acquired: true, fencingToken: granted.fencingToken, expiresAt: granted.expiresAtMs };
  }

  #refusal(): AcquireResult {
    return { acquired: false, expiresAt: this.#store.read().expiresAtMs };
  }

  #serveWaiters(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    const [first] = this.#waiters;
    if (first === undefined) return;
    const state: LockState = this.#store.read();
    const now = this.clock.now();
    if (isHeld(state, now) && state.owner !== first.request.owner) {
      this.#timer = setTimeout(() => this.#serveWaiters(), Math.min(maxWaitMs, state.expiresAtMs - now + 1));
      return;
    }
    this.#waiters.shift();
    first.settle(this.#tryGrant(first.request));
    this.#serveWaiters();
  }
}
