import { DurableObject } from 'cloudflare:workers';
import {
  counterName,
  type Flush,
  type SessionFacts,
} from '../../../durable-objects/view-counter/protocol.ts';
import { ViewCounter as OurViewCounter } from '../../../durable-objects/view-counter/view-counter.ts';
import { type Bindings, servicesOf } from '../../../src/context.ts';
import { openSession, sealSession } from '../../../src/modules/views/policy/session-token.ts';
import { shardOf } from '../../../src/modules/views/policy/viewers.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import type { BeatsOrder, FlushReport, IncrementsOrder } from '../workload.ts';

export { ChatRelay, ChatRoom, Idempotency, RateLimiter, SessionGuard, UserHub } from '../../../src/index.ts';

// The object that counts, and the least an object can do beside it: one row of SQLite, rewritten. It stands where the Lock is bound.

const inFlight = 64;

export class Lock extends DurableObject {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    ctx.storage.sql.exec(
      'CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY, count INTEGER NOT NULL)',
    );
    ctx.storage.sql.exec('INSERT INTO counter (id, count) VALUES (1, 0) ON CONFLICT DO NOTHING');
  }

  increment(): number {
    return this.ctx.storage.sql
      .exec<{ count: number }>('UPDATE counter SET count = count + 1 WHERE id = 1 RETURNING count')
      .one().count;
  }
}

export class ViewCounter extends OurViewCounter {
  /** Does what the alarm would do in a minute, and tells what went out. */
  async flushNow(): Promise<FlushReport> {
    const report = { statements: 0, bytes: 0, rows: 0 };
    const { applyFlush } = this.outside;
    this.outside.applyFlush = (flush: Flush) => {
      report.statements += 1;
      report.bytes += JSON.stringify(flush).length;
      // One row in view_flushes and video_counters each.
      report.rows += 2 + flush.days.length + flush.parts.length + flush.minutes.length;
      return applyFlush(flush);
    };
    const { clock } = this;
    this.clock = { now: () => clock.now() + 60_000 };
    await this.alarm();
    this.clock = clock;
    this.outside.applyFlush = applyFlush;
    return report;
  }
}

async function inTurn(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) await work(at);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

const counterOf = (env: Bindings, videoId: string, shard: number) =>
  env.VIEW_COUNTER.getByName(counterName(videoId, shard)) as unknown as DurableObjectStub<ViewCounter>;

/** Heartbeats of many sessions to the objects of one video, their tokens checked as for every request. */
async function beats(env: Bindings, order: BeatsOrder): Promise<Response> {
  const { cursorSecret } = servicesOf(env).config.http;
  const nowMs = Date.now();
  const tokens = await Promise.all(
    Array.from({ length: order.sessions }, (_, index) => {
      const viewer = crypto.randomUUID().replaceAll('-', '');
      return sealSession(cursorSecret, {
        id: randomIds.next(),
        videoId: order.videoId,
        ownerId: order.ownerId,
        shard: shardOf(viewer, order.shards),
        viewer,
        durationMs: 600_000,
        counted: true,
        source: index % 2 === 0 ? 'search' : 'external',
        ...(index % 2 === 0 ? {} : { referrer: `site-${index % 40}.example` }),
        country: ['DE', 'FR', 'US', 'BR', 'IN'][index % 5] ?? 'XX',
        device: 'mobile',
        startedAtMs: nowMs - 60_000,
        expiresAtMs: nowMs + 3_600_000,
        knownViews: 0,
      });
    }),
  );
  let refused = 0;
  await inTurn(order.beats, async (index) => {
    const facts = (await openSession(cursorSecret, tokens[index % order.sessions] ?? '')) as SessionFacts;
    const seq = 1 + Math.floor(index / order.sessions);
    const result = await counterOf(env, order.videoId, facts.shard).beat(facts, {
      seq,
      spans: [[(seq - 1) * 5_000, seq * 5_000]],
      positionMs: seq * 5_000,
    });
    if (!result.ok) refused += 1;
  });
  return Response.json({ refused });
}

async function increments(env: Bindings, order: IncrementsOrder): Promise<Response> {
  await inTurn(order.count, (index) => {
    const counter = env.LOCK.getByName(
      `bench:${index % order.objects}`,
    ) as unknown as DurableObjectStub<Lock>;
    return counter.increment();
  });
  return Response.json({});
}

export default {
  async fetch(request, env) {
    switch (new URL(request.url).pathname) {
      case '/beats':
        return beats(env, (await request.json()) as BeatsOrder);
      case '/increments':
        return increments(env, (await request.json()) as IncrementsOrder);
      case '/flush':
        return Response.json(await counterOf(env, await request.text(), 0).flushNow());
      default:
        return new Response('ok');
    }
  },
} satisfies ExportedHandler<Bindings>;
