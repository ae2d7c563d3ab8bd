import type { Span } from './spans.ts';
import type { Totals } from './totals.ts';

/** The objects that count a video: 0 flushes to the database and knows all viewers, the others hand over to it. */
export const counterName = (videoId: string, shard: number): string => `views:${videoId}:${shard}`;

export const maxShards = 64;
/** An unloaded counter takes this many heartbeats a second; beyond, new sessions are spread over more objects. */
export const beatsPerShard = 250;

export const heartbeatSeconds = 5;
export const maxHeartbeatSeconds = 30;

/** What a signed session token says. */
export interface SessionFacts {
  readonly id: string;
  readonly videoId: string;
  readonly ownerId: string;
  readonly shard: number;
  /** A keyed hash that names the viewer, 32 hex digits. */
  readonly viewer: string;
  /** The signed-in viewer. */
  readonly userId?: string;
  readonly durationMs: number;
  /** Whether what is watched counts: not for the owner and for bots. */
  readonly counted: boolean;
  readonly source: string;
  /** Host of the page that linked or embedded. */
  readonly referrer?: string;
  readonly country: string;
  readonly device: string;
  readonly startedAtMs: number;
  readonly expiresAtMs: number;
  /** Views of the video when the session began, for a counter that has not flushed yet. */
  readonly knownViews: number;
}

/** One heartbeat, checked. */
export interface Beat {
  readonly seq: number;
  readonly spans: readonly Span[];
  readonly positionMs: number;
  readonly startupMs?: number;
  readonly rebufferMs?: number;
  readonly errors?: readonly string[];
}

export type BeatResult =
  | {
      readonly ok: true;
      readonly watchedMs: number;
      readonly nextSeconds: number;
      /** Over how many objects new sessions of the video should be spread. */
      readonly shards: number;
    }
  | { readonly ok: false; readonly code: 'stale' }
  | { readonly ok: false; readonly code: 'too_fast'; readonly retryAfterSeconds: number };

/** A session that watched long enough to be a view, if its viewer has none yet. */
export interface Claim {
  readonly viewer: string;
  readonly atMs: number;
  readonly parts: readonly string[];
}

/** What an object hands to the first of its video. Taken once for each `seq`. */
export interface Handover {
  readonly counterId: string;
  readonly seq: number;
  readonly days: Readonly<Record<string, Totals>>;
  /** Watch time by Unix minute. */
  readonly minutes: Readonly<Record<string, { readonly views: number; readonly watchMs: number }>>;
  readonly claims: readonly Claim[];
}

/** How busy an object is. */
export interface Load {
  readonly watching: number;
  readonly beatsPerSecond: number;
}

export interface LiveCounts {
  readonly views: number;
  readonly watching: number;
}

export interface HandoverResult extends LiveCounts {
  readonly shards: number;
}

export interface FlushDay extends Omit<Totals, 'parts'> {
  readonly day: string;
  /** Different viewers of the whole day, and their sketch in hex. */
  readonly viewers: number;
  readonly sketch: string | null;
}

export interface FlushPart {
  readonly day: string;
  readonly dimension: string;
  readonly value: string;
  readonly views: number;
  readonly plays: number;
  readonly watchMs: number;
  readonly errors: number;
}

/** What goes to the database in one statement. Applied once for each `seq`. */
export interface Flush {
  readonly videoId: string;
  readonly counterId: string;
  readonly seq: number;
  readonly views: number;
  readonly shards: number;
  readonly days: readonly FlushDay[];
  readonly parts: readonly FlushPart[];
  readonly minutes: readonly { readonly minute: string; readonly views: number; readonly watchMs: number }[];
}

/** `known` is false for a video that is deleted; `views` are all its views after the flush. */
export type FlushResult = { readonly known: false } | { readonly known: true; readonly views: number };

/** The newest position of a signed-in viewer. */
export interface Told {
  readonly userId: string;
  readonly positionMs: number;
  readonly durationMs: number;
  readonly watchedAtMs: number;
}

export const liveSubprotocol = 'social-flow.v1';
export const maxLiveSockets = 10_000;
export const livePushMs = 2_000;
/** Who may see the video is asked again after this long. */
export const liveSeconds = 3_600;

export const encodeCounts = ({ views, watching }: LiveCounts): string =>
  JSON.stringify({ type: 'views', views, watching });

/** Headers the Worker sets on the upgrade it forwards. */
export const liveHeaders = {
  videoId: 'x-views-video',
  shard: 'x-views-shard',
  views: 'x-views-known',
} as const;

export const dayOf = (unixMs: number): string => new Date(unixMs).toISOString().slice(0, 10);
