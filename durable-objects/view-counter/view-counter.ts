import { DurableObject } from 'cloudflare:workers';
import { type Bindings, servicesOf } from '../../src/context.ts';
import { applyFlush } from '../../src/modules/views/flushes.repository.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { callDurableObject } from '../../src/shared/durable-object-call.ts';
import { encodeId, randomIds } from '../../src/shared/ids.ts';
import { migrate } from '../sqlite-migrations.ts';
import { closeCodes, hubName } from '../user-hub/protocol.ts';
import { closeQuietly, sendQuietly } from '../user-hub/sockets.ts';
import { createAudience } from './audience.ts';
import {
  type Counter,
  deliverIfDue,
  flushDueOf,
  handoverAfterMs,
  type Outside,
  periodOf,
  type Sender,
  setFlushDue,
  shardsOf,
  tellProgress,
  tellWhenIdleMs,
} from './deliveries.ts';
import { createLedger, watchingMs } from './ledger.ts';
import {
  type Beat,
  type BeatResult,
  counterName,
  dayOf,
  encodeCounts,
  type Handover,
  type HandoverResult,
  type LiveCounts,
  type Load,
  liveHeaders,
  livePushMs,
  liveSeconds,
  liveSubprotocol,
  maxLiveSockets,
  type SessionFacts,
} from './protocol.ts';
import { createPulse, nextBeatSeconds, shardsFor } from './pulse.ts';
import { viewCounterMigrations } from './schema.ts';
import { createCountStore } from './store.ts';

const sweepMs = 3_600_000;
const dayMs = 86_400_000;

/**
 * Counts how one video is watched. Each heartbeat is in SQLite before it is answered; the first object of a video flushes to
 * the database, the others (where many watch) hand over to it, and both repeat a batch unchanged until it has arrived.
 */
export class ViewCounter extends DurableObject {
  clock = systemClock;
  /** Replaced in tests, to make parts of it fail. */
  outside: Outside;
  #counter: Counter | undefined;
  #armedAtMs: number | undefined;
  #sent: LiveCounts | undefined;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.outside = outsideOf(env as unknown as Bindings, ctx.storage);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
  }

  /** Takes one heartbeat of a session whose token the Worker has checked. Once it is answered, it is not lost. */
  async beat(facts: SessionFacts, beat: Beat): Promise<BeatResult> {
    const now = this.clock.now();
    const counter = this.#open(facts.videoId, facts.shard, facts.ownerId, facts.knownViews);
    const entry = this.outside.transaction(() => counter.ledger.beat(facts, beat, now));
    if (entry.kind === 'stale') return { ok: false, code: 'stale' };
    if (entry.kind === 'too_fast')
      return { ok: false, code: 'too_fast', retryAfterSeconds: Math.ceil(entry.retryAfterMs / 1_000) };
    counter.pulse.note(facts.id, now);
    await this.#wakeForFlush(counter, now);
    const rate = counter.pulse.beatsPerSecond(now);
    const known = shardsOf(counter.store);
    const shards = counter.audience === undefined ? known : Math.max(known, shardsFor(rate, known));
    return { ok: true, watchedMs: entry.watchedMs, nextSeconds: nextBeatSeconds(rate), shards };
  }

  /** Takes over a batch of another object of the video, and tells it how the whole video stands. For the first object. */
  async handOver(sender: Sender, handover: Handover | undefined, load: Load): Promise<HandoverResult> {
    const now = this.clock.now();
    const counter = this.#open(sender.videoId, 0, sender.ownerId, sender.knownViews);
    this.outside.transaction(() => {
      if (handover !== undefined) counter.ledger.absorb(handover);
      counter.audience?.noteOther(sender.counterId, handover?.seq ?? 0, load, now);
    });
    await this.#wakeForFlush(counter, now);
    return { ...this.#countsOf(counter), shards: shardsOf(counter.store) };
  }

  /** Takes over a WebSocket upgrade of somebody who may see the video. */
  override async fetch(request: Request): Promise<Response> {
    const videoId = request.headers.get(liveHeaders.videoId);
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket' || videoId === null)
      return new Response(null, { status: 400 });
    if (this.ctx.getWebSockets().length >= maxLiveSockets) return new Response(null, { status: 503 });
    const now = this.clock.now();
    const shard = Number(request.headers.get(liveHeaders.shard));
    const knownViews = Number(request.headers.get(liveHeaders.views));
    const counter = this.#open(videoId, shard, undefined, knownViews);
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    server.serializeAttachment({ endsAtMs: now + liveSeconds * 1_000 } satisfies SocketAttachment);
    const counts = this.#countsOf(counter);
    sendQuietly(server, encodeCounts(counts));
    this.#sent ??= counts;
    await this.#wakeForFlush(counter, now);
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { 'sec-websocket-protocol': liveSubprotocol },
    });
  }

  override webSocketMessage(socket: WebSocket): void {
    closeQuietly(socket, closeCodes.policyViolation, 'the only client message is ping');
  }

  // The hibernation API does not answer a Close frame by itself; without this the client sees 1006.
  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    closeQuietly(socket, code, reason);
  }

  override webSocketError(socket: WebSocket): void {
    closeQuietly(socket, closeCodes.internalError);
  }

  /** Does what is due, then arms the next. What failed is done again in time. */
  override async alarm(): Promise<void> {
    this.#armedAtMs = undefined;
    const counter = this.#reopen();
    if (counter === undefined) return;
    const now = () => this.clock.now();
    if (!(await deliverIfDue(counter, this.outside, now))) return this.#end('the video is gone');
    await tellProgress(counter, this.outside, now);
    this.#pushCounts(counter);
    this.#sweep(counter);
    if (counter.store.isEmpty() && this.ctx.getWebSockets().length === 0) return this.#end('nobody watches');
    await this.#arm(counter);
  }

  #pushCounts(counter: Counter): void {
    const now = this.clock.now();
    const sockets = this.ctx.getWebSockets().filter((socket) => {
      const { endsAtMs } = socket.deserializeAttachment() as SocketAttachment;
      if (endsAtMs <= now) closeQuietly(socket, closeCodes.tokenExpired, 'connect again');
      return endsAtMs > now;
    });
    if (sockets.length === 0) return;
    const counts = this.#countsOf(counter);
    if (counts.views === this.#sent?.views && counts.watching === this.#sent.watching) return;
    this.#sent = counts;
    const text = encodeCounts(counts);
    for (const socket of sockets) sendQuietly(socket, text);
  }

  #countsOf({ store, ledger, pulse, audience }: Counter): LiveCounts {
    const now = this.clock.now();
    const known = Number(store.fact('views') ?? store.fact('known_views') ?? 0);
    if (audience === undefined) return { views: known, watching: Number(store.fact('watching') ?? 0) };
    return {
      views: known + ledger.unflushedViews(),
      watching: pulse.watching(now) + audience.otherLoad(now - watchingMs).watching,
    };
  }

  #sweep({ store, audience }: Counter): void {
    const now = this.clock.now();
    if (now - Number(store.fact('swept_at') ?? 0) < sweepMs) return;
    store.setFact('swept_at', String(now));
    // Their tokens are no good any more, so no heartbeat of theirs can come.
    store.dropSessions(now - sweepMs);
    audience?.forget({
      viewedBeforeMs: now - this.#config.dedupeHours * 3_600_000,
      day: dayOf(now - dayMs),
      seenBeforeMs: now - 7 * dayMs,
    });
  }

  async #arm(counter: Counter): Promise<void> {
    const now = this.clock.now();
    const { store, pulse, audience } = counter;
    const live = this.ctx.getWebSockets().length > 0;
    // Other objects than the first hear of the whole video when they hand over.
    if (live && audience === undefined && flushDueOf(store) === undefined)
      setFlushDue(store, now + handoverAfterMs);
    const leaving = live && audience !== undefined && pulse.watching(now) + (this.#sent?.watching ?? 0) > 0;
    const due = [flushDueOf(store), store.hasUntold() ? now + tellWhenIdleMs : undefined, now + sweepMs];
    if (leaving) due.push(now + 5 * livePushMs);
    await this.#wake(Math.max(now, Math.min(...due.filter((atMs) => atMs !== undefined))));
  }

  async #wakeForFlush(counter: Counter, now: number): Promise<void> {
    let dueAtMs = flushDueOf(counter.store);
    if (dueAtMs === undefined) {
      dueAtMs = now + periodOf(counter);
      setFlushDue(counter.store, dueAtMs);
    }
    // Whether anybody looks is asked only where it could matter: the list of sockets is long when it does.
    if (this.#armedAtMs !== undefined && this.#armedAtMs <= Math.min(dueAtMs, now + livePushMs)) return;
    const live = counter.audience !== undefined && this.ctx.getWebSockets().length > 0;
    await this.#wake(live ? Math.min(dueAtMs, now + livePushMs) : dueAtMs);
  }

  // An alarm set earlier stays; asking storage for it on every heartbeat would be a wait for nothing.
  async #wake(atMs: number): Promise<void> {
    if (this.#armedAtMs !== undefined && this.#armedAtMs <= atMs) return;
    const pending = await this.ctx.storage.getAlarm();
    const armedAtMs = pending === null || pending > atMs ? atMs : pending;
    if (armedAtMs !== pending) await this.ctx.storage.setAlarm(armedAtMs);
    this.#armedAtMs = armedAtMs;
  }

  /** Forgets everything: the video is gone, or nobody has watched it for days. */
  async #end(reason: string): Promise<void> {
    for (const socket of this.ctx.getWebSockets()) closeQuietly(socket, closeCodes.normal, reason);
    this.#counter = undefined;
    this.#sent = undefined;
    this.#armedAtMs = undefined;
    await this.ctx.storage.deleteAll();
  }

  #open(videoId: string, shard: number, ownerId: string | undefined, knownViews: number): Counter {
    if (this.#counter === undefined) this.#counter = this.#opened(videoId, shard, knownViews);
    const { store } = this.#counter;
    if (ownerId !== undefined && store.fact('owner_id') === undefined) store.setFact('owner_id', ownerId);
    return this.#counter;
  }

  #opened(videoId: string, shard: number, knownViews: number): Counter {
    const { sql } = this.ctx.storage;
    migrate(this.ctx.storage, viewCounterMigrations);
    const store = createCountStore(sql);
    if (store.fact('video_id') === undefined)
      this.outside.transaction(() => {
        store.setFact('video_id', videoId);
        store.setFact('shard', String(shard));
        store.setFact('counter_id', randomIds.next());
        store.setFact('known_views', String(knownViews));
      });
    const audience = shard === 0 ? createAudience(sql) : undefined;
    const { dedupeHours, parallelSessions } = this.#config;
    return {
      store,
      audience,
      ledger: createLedger(store, audience, {
        viewWindowMs: dedupeHours * 3_600_000,
        maxParallel: parallelSessions,
      }),
      pulse: createPulse(store.recentSessions(this.clock.now() - watchingMs)),
      videoId,
      shard,
      counterId: store.fact('counter_id') ?? '',
    };
  }

  /** What is open, or was before the object slept; undefined when there is nothing. */
  #reopen(): Counter | undefined {
    if (this.#counter !== undefined) return this.#counter;
    migrate(this.ctx.storage, viewCounterMigrations);
    const store = createCountStore(this.ctx.storage.sql);
    const videoId = store.fact('video_id');
    if (videoId === undefined) return undefined;
    return this.#open(videoId, Number(store.fact('shard')), undefined, 0);
  }

  get #config() {
    return servicesOf(this.env as unknown as Bindings).config.views;
  }
}

interface SocketAttachment {
  readonly endsAtMs: number;
}

const outsideOf = (bindings: Bindings, storage: DurableObjectStorage): Outside => ({
  applyFlush: (flush) => applyFlush(servicesOf(bindings).databases.primary, flush),
  handOver: (sender, handover, load) =>
    callDurableObject(bindings.VIEW_COUNTER, counterName(sender.videoId, 0), (first) =>
      first.handOver(sender, handover, load),
    ),
  async announce(ownerId, videoId, views) {
    const data = { video_id: encodeId('video', videoId), view_count: views };
    await callDurableObject(bindings.USER_HUB, hubName(ownerId), (hub) =>
      hub.announce({ type: 'video.views', data }),
    );
  },
  async tell(videoId, told) {
    const messages = told.map(({ userId, positionMs, durationMs, watchedAtMs }) => {
      const watchedAt = new Date(watchedAtMs).toISOString();
      const data = {
        user_id: userId,
        video_id: videoId,
        position_ms: positionMs,
        duration_ms: durationMs,
        watched_at: watchedAt,
      };
      const body = { id: randomIds.next(), type: 'watch.progressed', occurred_at: watchedAt, data };
      return { contentType: 'json' as const, body };
    });
    if (messages.length > 0) await bindings.EVENTS_QUEUE.sendBatch(messages);
  },
  transaction: (work) => storage.transactionSync(work),
  log: (event, error) =>
    servicesOf(bindings).log.log('warn', event, {
      error_name: error instanceof Error ? error.name : 'unknown',
    }),
});
