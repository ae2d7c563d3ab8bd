import { randomUUID } from 'node:crypto';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

// By address, since the Worker's sources are type-checked against workerd's types and this against Node's.
const load = (path: string): Promise<unknown> => import(new URL(`../../../${path}`, import.meta.url).href);

interface Checked {
  readonly success: boolean;
  readonly data?: never;
  readonly error?: unknown;
}
interface Facts {
  readonly id: string;
  readonly startedAtMs: number;
}
/** What the Worker would write to the database. */
export interface Flushed {
  readonly views: number;
  readonly days: readonly {
    plays: number;
    watchMs: number;
    startups: number;
    startupMs: number;
    errors: number;
  }[];
  readonly parts: readonly { dimension: string; value: string; views: number; errors: number }[];
}
interface Store {
  dropOutgoing(seq: number): void;
}
interface Ledger {
  beat(facts: Facts, beat: unknown, nowMs: number): { kind: string; watchedMs: number };
  collect(): boolean;
  freezeFlush(facts: object): (Flushed & { readonly seq: number }) | undefined;
}
interface Sources {
  startSessionBody: { safeParse(value: unknown): Checked };
  heartbeatBody: { safeParse(value: unknown): Checked };
  isBot(userAgent: string | undefined, signs: undefined): boolean;
  deviceOf(userAgent: string | undefined): string;
  strangerViewer(secret: string, salt: string, from: object): Promise<string>;
  sealSession(secret: string, facts: object): Promise<string>;
  openSession(secret: string, token: string): Promise<Facts | undefined>;
  viewCounterMigrations: readonly string[];
  createCountStore(sql: unknown): Store;
  createAudience(sql: unknown): unknown;
  createLedger(store: Store, audience: unknown, options: object): Ledger;
}

export type BooksAnswer = readonly [status: number, body: Readonly<Record<string, unknown>>];

export interface ViewBooks {
  /** `POST .../watch-sessions` of a stranger. */
  start(body: unknown, userAgent: string | undefined): Promise<BooksAnswer>;
  /** `POST .../watch`. */
  beat(body: unknown): Promise<BooksAnswer>;
  /** When the last session began. */
  lastStartMs(): number;
  /** What was counted since it was asked last; undefined for nothing. */
  flush(): Flushed | undefined;
}

/** The books of one video as the Worker keeps them, with its own checks, tokens and ledger, over SQLite in this process. */
export async function openViewBooks(durationMs: number): Promise<ViewBooks> {
  const modules = await Promise.all(
    [
      'src/modules/views/views.schemas.ts',
      'src/modules/views/policy/clients.ts',
      'src/modules/views/policy/viewers.ts',
      'src/modules/views/policy/session-token.ts',
      'durable-objects/view-counter/schema.ts',
      'durable-objects/view-counter/store.ts',
      'durable-objects/view-counter/audience.ts',
      'durable-objects/view-counter/ledger.ts',
    ].map(load),
  );
  const worker = Object.assign({}, ...modules) as Sources;
  const database = new DatabaseSync(':memory:');
  for (const statements of worker.viewCounterMigrations) database.exec(statements);
  const sql = {
    exec(query: string, ...values: SQLInputValue[]) {
      const rows = database.prepare(query).all(...values);
      return { toArray: () => rows, one: () => rows[0] };
    },
  };
  const store = worker.createCountStore(sql);
  const ledger = worker.createLedger(store, worker.createAudience(sql), {
    viewWindowMs: 24 * 3_600_000,
    maxParallel: 10,
  });
  const secret = randomUUID();
  const videoId = randomUUID();
  const ownerId = randomUUID();
  let lastStartMs = 0;

  return {
    async start(body, userAgent) {
      const checked = worker.startSessionBody.safeParse(body);
      if (!checked.success) return [422, { code: 'request.invalid', title: String(checked.error) }];
      const { source } = checked.data as unknown as { source?: { kind: string; referrer?: string } };
      lastStartMs = Date.now();
      const token = await worker.sealSession(secret, {
        id: randomUUID(),
        videoId,
        ownerId,
        shard: 0,
        viewer: await worker.strangerViewer(secret, 'salt', { ip: '203.0.113.7', userAgent }),
        durationMs,
        counted: !worker.isBot(userAgent, undefined),
        source: source?.kind ?? 'direct',
        ...(source?.referrer === undefined ? {} : { referrer: source.referrer }),
        country: 'XX',
        device: worker.deviceOf(userAgent),
        startedAtMs: lastStartMs,
        expiresAtMs: lastStartMs + 3_600_000,
        knownViews: 0,
      });
      return [201, { session_token: token, heartbeat_seconds: 5 }];
    },
    async beat(body) {
      const checked = worker.heartbeatBody.safeParse(body);
      if (!checked.success) return [422, { code: 'request.invalid', title: String(checked.error) }];
      const beat = checked.data as unknown as {
        session_token: string;
        seq: number;
        position_ms: number;
        intervals: { from_ms: number; to_ms: number }[];
        player?: { startup_ms?: number; rebuffer_ms?: number; errors?: string[] };
      };
      const facts = await worker.openSession(secret, beat.session_token);
      if (facts === undefined) return [403, { code: 'views.session_invalid' }];
      const entry = ledger.beat(
        facts,
        {
          seq: beat.seq,
          spans: beat.intervals.map(({ from_ms, to_ms }) => [from_ms, to_ms]),
          positionMs: beat.position_ms,
          startupMs: beat.player?.startup_ms,
          rebufferMs: beat.player?.rebuffer_ms,
          errors: beat.player?.errors,
        },
        Date.now(),
      );
      if (entry.kind === 'stale') return [409, { code: 'views.heartbeat_stale' }];
      if (entry.kind === 'too_fast') return [429, { code: 'views.heartbeat_too_fast' }];
      return [200, { watched_ms: entry.watchedMs, next_heartbeat_seconds: 5 }];
    },
    lastStartMs: () => lastStartMs,
    flush() {
      ledger.collect();
      const flushed = ledger.freezeFlush({ videoId, counterId: 'test', shards: 1 });
      if (flushed !== undefined) store.dropOutgoing(flushed.seq);
      return flushed;
    },
  };
}
