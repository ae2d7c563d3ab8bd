import { addToSketch, emptySketch } from '../../../durable-objects/sketch.ts';
import type { Flush } from '../../../durable-objects/view-counter/protocol.ts';
import { applyFlush } from '../../../src/modules/views/flushes.repository.ts';
import { hex } from '../../../src/shared/encoding.ts';
import { contextAt } from '../../jobs/accounts/lives.ts';
import { callJson, type TestUser } from '../../support/worker/client.ts';
import type { TestVideo } from '../views/watching.ts';

export interface Sums {
  readonly views: number;
  readonly plays: number;
  readonly watch_seconds: number;
  readonly unique_viewers: number | null;
  readonly unique_viewers_error: number | null;
  readonly average_view_seconds: number | null;
  readonly completion_rate: number | null;
  readonly average_startup_ms: number | null;
  readonly rebuffer_ratio: number | null;
  readonly errors: number;
}

export interface Analytics {
  readonly from: string;
  readonly to: string;
  readonly totals: Sums;
  readonly previous: Sums;
  readonly days: readonly (Sums & { readonly day: string })[];
  readonly countries: readonly { readonly value: string; readonly views: number }[];
  readonly sources: readonly { readonly value: string; readonly views: number }[];
  readonly errors: readonly { readonly value: string; readonly errors: number }[];
  readonly as_of?: string | null;
  readonly top_videos?: readonly { readonly video_id: string; readonly views: number }[];
}

export const analyticsOf = (user: TestUser, video: TestVideo, query = '') =>
  callJson<Analytics>(200, 'GET', `/v1/videos/${video.id}/analytics${query}`, { token: user.token });
export const channelOf = (user: TestUser, query = '') =>
  callJson<Analytics>(200, 'GET', `/v1/me/analytics${query}`, { token: user.token });

export const today = () => new Date().toISOString().slice(0, 10);

/** A flush as a counter object would send it, for any day. */
export async function watchedOn(
  video: TestVideo,
  day: string,
  numbers: { readonly viewers: readonly string[]; readonly watchMs: number; readonly country?: string },
): Promise<void> {
  const sketch = emptySketch();
  for (const viewer of numbers.viewers) addToSketch(sketch, viewer);
  const plays = numbers.viewers.length;
  const retention = Array.from({ length: 100 }, (_, at) => (at < 50 ? plays * 1_000_000 : 0));
  const flushed: Flush = {
    videoId: video.uuid,
    counterId: crypto.randomUUID(),
    seq: 1,
    views: plays,
    shards: 1,
    days: [
      {
        day,
        views: plays,
        viewers: plays,
        sketch: hex(sketch),
        plays,
        watchMs: numbers.watchMs,
        completions: 1,
        retention,
        startups: plays,
        startupMs: 300 * plays,
        rebufferMs: 0,
        errors: 0,
      } as unknown as Flush['days'][number],
    ],
    parts: [
      {
        day,
        dimension: 'country',
        value: numbers.country ?? 'PT',
        views: plays,
        plays,
        watchMs: numbers.watchMs,
        errors: 0,
      },
    ],
    minutes: [],
  };
  await applyFlush(contextAt(Date.now()).databases.primary, flushed);
}

/** A viewer's key. */
export const viewer = () => crypto.randomUUID().replaceAll('-', '');
