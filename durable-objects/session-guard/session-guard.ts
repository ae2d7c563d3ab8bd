import { DurableObject } from 'cloudflare:workers';
import { systemClock } from '../../src/shared/clock.ts';
import { wakeBy } from '../alarms.ts';
import { type AccessEnd, createGuardStore, type GuardState, type GuardStore } from './store.ts';

export type { AccessEnd, GuardState } from './store.ts';

/**
 * Which sessions of one user have ended while access tokens of theirs still live. Isolates lease its answers for seconds;
 * sensitive requests ask every time.
 */
export class SessionGuard extends DurableObject {
  clock = systemClock;
  readonly #store: GuardStore;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#store = createGuardStore(ctx.storage);
  }

  read(): GuardState {
    return this.#store.read(this.clock.now());
  }

  /** Refuses sessions, or all tokens below an epoch, from now on. Safe to repeat and in any order. */
  async end(end: AccessEnd): Promise<GuardState> {
    const now = this.clock.now();
    if (end.untilMs > now) {
      this.#store.add(end);
      await wakeBy(this.ctx.storage, end.untilMs);
    }
    return this.#store.read(now);
  }

  override async alarm(): Promise<void> {
    const next = this.#store.prune(this.clock.now());
    if (next === undefined) await this.ctx.storage.deleteAll();
    else await this.ctx.storage.setAlarm(next);
  }
}
