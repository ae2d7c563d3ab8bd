import { DurableObject } from 'cloudflare:workers';
import { systemClock } from '../../src/shared/clock.ts';
import { wakeBy } from '../alarms.ts';
import { migrate } from '../sqlite-migrations.ts';
import { rateLimiterMigrations } from './schema.ts';
import { createCountStore, type SqlCountStore } from './store.ts';
import { type GiveBackRequest, giveBack, type TakeRequest, type TakeResult, take } from './take.ts';

const pruneEveryMs = 600_000;
const pruneBatch = 5_000;

/** Counts for one shard of one policy: many keys in one object, each exact, all surviving eviction. */
export class RateLimiter extends DurableObject {
  clock = systemClock;
  readonly #store: SqlCountStore;
  #alarmArmed = false;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    migrate(ctx.storage, rateLimiterMigrations);
    this.#store = createCountStore(ctx.storage.sql);
  }

  /** Takes `cost` units of a key's quota, and leases more when asked. */
  async take(request: TakeRequest): Promise<TakeResult> {
    const now = this.clock.now();
    const result = take(this.#store, request, now);
    if (result.allowed && !this.#alarmArmed) {
      await wakeBy(this.ctx.storage, now + pruneEveryMs);
      this.#alarmArmed = true;
    }
    return result;
  }

  /** Takes back what an earlier `take` of the same request charged. */
  async giveBack(request: GiveBackRequest): Promise<void> {
    giveBack(this.#store, request, this.clock.now());
  }

  override async alarm(): Promise<void> {
    const now = this.clock.now();
    this.#alarmArmed = false;
    this.#store.prune(now, pruneBatch);
    const next = this.#store.nextFullAt();
    if (next === undefined) return;
    await this.ctx.storage.setAlarm(next <= now ? now + 1_000 : Math.max(next, now + pruneEveryMs));
    this.#alarmArmed = true;
  }
}
