import { estimate, mergeSketches, standardError } from '../../../durable-objects/sketch.ts';
import { encodeId } from '../../shared/ids.ts';
import {
  type DayRange,
  type Dimension,
  daysOf,
  type PartRow,
  ratio,
  shownParts,
} from './analytics.policy.ts';
import type { DaySketch, DaySums, Minute, Watched, WatchSums } from './analytics.repository.ts';
import type { AnalyticsView, ChannelAnalyticsView } from './analytics.schemas.ts';

const none: WatchSums = {
  views: 0,
  plays: 0,
  watchMs: 0,
  completions: 0,
  startups: 0,
  startupMs: 0,
  rebufferMs: 0,
  errors: 0,
};

const presentSums = (sums: WatchSums) => ({
  views: sums.views,
  plays: sums.plays,
  watch_seconds: sums.watchMs / 1_000,
  average_view_seconds: ratio(sums.watchMs / 1_000, sums.plays),
  completion_rate: ratio(sums.completions, sums.plays),
  average_startup_ms: ratio(sums.startupMs, sums.startups),
  rebuffer_ratio: ratio(sums.rebufferMs, sums.watchMs),
  errors: sums.errors,
});

/** Counted where that is known, else estimated; null where nothing was added up yet. */
const presentViewers = (counted: number | null, sketches: readonly DaySketch[] = []) => {
  if (counted !== null) return { unique_viewers: counted, unique_viewers_error: 0 };
  if (sketches.length === 0) return { unique_viewers: null, unique_viewers_error: null };
  const unique = estimate(mergeSketches(sketches.map(({ sketch }) => sketch)));
  return { unique_viewers: unique, unique_viewers_error: unique === 0 ? 0 : standardError };
};

const total = (days: readonly DaySums[]): WatchSums =>
  days.reduce<WatchSums>(
    (sum, day) => ({
      views: sum.views + day.views,
      plays: sum.plays + day.plays,
      watchMs: sum.watchMs + day.watchMs,
      completions: sum.completions + day.completions,
      startups: sum.startups + day.startups,
      startupMs: sum.startupMs + day.startupMs,
      rebufferMs: sum.rebufferMs + day.rebufferMs,
      errors: sum.errors + day.errors,
    }),
    none,
  );

/** Everything about a range. Days on which nothing was watched are there, with zeros. */
export function presentAnalytics(watched: Watched, range: DayRange): AnalyticsView {
  const { days, parts } = watched;
  const known = new Map(days.map((day) => [day.day, day]));
  const sketches = Map.groupBy(watched.sketches, ({ day }) => day);
  const of = (dimension: Dimension) => shownParts(parts, dimension).map(presentPart);
  const viewersOf = (day: string) => {
    const sums = known.get(day);
    return sums === undefined ? presentViewers(0) : presentViewers(sums.viewers, sketches.get(day));
  };
  const [only] = days;
  return {
    ...range,
    totals: {
      ...presentSums(total(days)),
      ...(days.length === 1 && only !== undefined
        ? viewersOf(only.day)
        : presentViewers(days.length === 0 ? 0 : null, watched.sketches)),
    },
    previous: presentSums(watched.previous),
    days: daysOf(range).map((day) => ({ day, ...presentSums(known.get(day) ?? none), ...viewersOf(day) })),
    sources: of('source'),
    referrers: of('referrer'),
    countries: of('country'),
    devices: of('device'),
    errors: of('error'),
  };
}

const presentPart = ({ watchMs, ...part }: Omit<PartRow, 'dimension'>) => ({
  ...part,
  watch_seconds: watchMs / 1_000,
});

/** Everything about a channel and a range. */
export const presentChannel = (watched: Watched, range: DayRange): ChannelAnalyticsView => ({
  ...presentAnalytics(watched, range),
  as_of: watched.addedUpAt,
  top_videos: presentTopVideos(watched.topVideos),
});

const presentTopVideos = (videos: Watched['topVideos']) =>
  videos.map(({ id, title, views, watchMs }) => ({
    video_id: encodeId('video', id),
    title,
    views,
    watch_seconds: watchMs / 1_000,
  }));

/** The share of plays that watched each hundredth. */
export const presentRetention = (
  {
    durationMs,
    plays,
    millionths,
  }: { readonly durationMs: number | null; readonly plays: number; readonly millionths: readonly number[] },
  range: DayRange,
) => ({
  ...range,
  plays,
  points: Array.from({ length: 100 }, (_, percent) => ({
    percent,
    seconds: durationMs === null ? null : (durationMs * percent) / 100_000,
    share: ratio((millionths[percent] ?? 0) / 1_000_000, plays) ?? 0,
  })),
});

const minuteMs = 60_000;

/** Each of the last sixty minutes, the running one last. */
export function presentRealtime(minutes: readonly Minute[], nowMs: number) {
  const known = new Map(minutes.map((minute) => [Date.parse(minute.minute), minute]));
  const last = Math.floor(nowMs / minuteMs) * minuteMs;
  const shown = Array.from({ length: 60 }, (_, index) => {
    const atMs = last - (59 - index) * minuteMs;
    const minute = known.get(atMs);
    return {
      minute: new Date(atMs).toISOString(),
      views: minute?.views ?? 0,
      watch_seconds: (minute?.watchMs ?? 0) / 1_000,
    };
  });
  return {
    views: shown.reduce((sum, { views }) => sum + views, 0),
    watch_seconds: shown.reduce((sum, { watch_seconds }) => sum + watch_seconds, 0),
    minutes: shown,
  };
}

/** The days of a range as rows of a table, with a line of titles. */
export const presentTable = (view: AnalyticsView): (string | number | null)[][] => {
  const titles = [
    'day',
    'views',
    'unique_viewers',
    'plays',
    'watch_seconds',
    'average_view_seconds',
    'completion_rate',
    'average_startup_ms',
    'rebuffer_ratio',
    'errors',
  ] as const;
  return [[...titles], ...view.days.map((day) => titles.map((title) => day[title]))];
};
