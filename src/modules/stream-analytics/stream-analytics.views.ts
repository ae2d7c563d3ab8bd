import type { TallyReport } from '../../../durable-objects/chat-room/tally-protocol.ts';
import { standardError } from '../../../durable-objects/sketch.ts';
import { encodeId } from '../../shared/ids.ts';
import { ratio } from '../analytics/index.ts';
import { presentUserSummary } from '../users/index.ts';
import type {
  AudienceRow,
  FullAnalyticsRow,
  StreamAnalyticsRow,
  SumsRow,
  TallyRow,
} from './stream-analytics.repository.ts';
import type { StreamAnalyticsView, StreamSummaryView } from './stream-analytics.schemas.ts';

const none: SumsRow = {
  peakViewers: 0,
  viewerMs: 0,
  watchedMs: 0,
  messages: 0,
  chatters: 0,
  positive: 0,
  negative: 0,
  score: 0,
};

const instant = (atMs: number | null): string | null => (atMs === null ? null : new Date(atMs).toISOString());

const presentAudience = ({ joins, leaves, strangers, strangersMs, people, peopleMs }: AudienceRow) => {
  const watchSeconds = (strangersMs + peopleMs) / 1_000;
  return {
    unique_viewers: people + strangers,
    signed_in_viewers: people,
    joins,
    leaves,
    watch_seconds: watchSeconds,
    average_watch_seconds: ratio(watchSeconds, people + strangers),
  };
};

/** How a stream went, in numbers. */
export function presentSummary(row: StreamAnalyticsRow): StreamSummaryView {
  const { tally } = row;
  const sums = tally ?? none;
  return {
    stream_id: encodeId('stream', row.id),
    title: row.title,
    peak_viewers: sums.peakViewers,
    peak_at: instant(tally?.peakAtMs ?? null),
    average_viewers: ratio(sums.viewerMs, sums.watchedMs),
    ...presentAudience(row.audience),
    new_followers: row.newFollowers,
    messages: sums.messages,
    chatters: sums.chatters,
    chatters_error: sums.chatters === 0 ? 0 : standardError,
    positive: sums.positive,
    neutral: sums.messages - sums.positive - sums.negative,
    negative: sums.negative,
    mood: ratio(sums.score, sums.messages),
    summarised_at: instant(tally?.summarisedAtMs ?? null),
  };
}

/** What the room says in place of what it last told the database. */
function brought(row: FullAnalyticsRow, live: TallyReport | undefined, nowMs: number): FullAnalyticsRow {
  if (live === undefined) return row;
  const minutes = new Map(row.minutes.map((minute) => [minute.minuteMs, minute]));
  for (const { minute, ...sums } of live.minutes) minutes.set(minute, { ...sums, minuteMs: minute });
  const tally: TallyRow = {
    ...live.totals,
    viewers: live.viewers,
    emotes: live.emotes,
    flushedAtMs: nowMs,
    summarisedAtMs: row.tally?.summarisedAtMs ?? null,
  };
  return { ...row, tally, minutes: [...minutes.values()].toSorted((a, b) => a.minuteMs - b.minuteMs) };
}

/** Everything about a stream. `live` is what its room says, where it was asked and answered. */
export function presentStreamAnalytics(
  found: FullAnalyticsRow,
  live: TallyReport | undefined,
  { nowMs, cdnBaseUrl }: { readonly nowMs: number; readonly cdnBaseUrl: string },
): StreamAnalyticsView {
  const row = brought(found, live, nowMs);
  const shown = row.minutes.filter(({ messages, watchedMs }) => messages > 0 || watchedMs > 0);
  return {
    ...presentSummary(row),
    as_of: instant(row.tally?.flushedAtMs ?? null),
    viewers: row.tally?.viewers ?? 0,
    messages_per_minute: ratio(row.tally?.messages ?? 0, shown.length),
    top_emotes: (row.tally?.emotes ?? []).map(({ key, count, over }) => ({ name: key, count, over })),
    top_chatters: row.topChatters.map(({ user, messages, over }) => ({
      user: presentUserSummary(user, cdnBaseUrl),
      messages,
      over,
    })),
    minutes: shown.map((minute) => ({
      minute: new Date(minute.minuteMs).toISOString(),
      average_viewers: ratio(minute.viewerMs, minute.watchedMs) ?? 0,
      peak_viewers: minute.peakViewers,
      messages: minute.messages,
      chatters: minute.chatters,
      positive: minute.positive,
      negative: minute.negative,
      mood: ratio(minute.score, minute.messages),
    })),
  };
}

/** The minutes as rows of a table, with a line of titles. */
export function presentMinutes({ minutes }: StreamAnalyticsView): (string | number | null)[][] {
  const titles = [
    'minute',
    'average_viewers',
    'peak_viewers',
    'messages',
    'chatters',
    'positive',
    'negative',
    'mood',
  ] as const;
  return [[...titles], ...minutes.map((minute) => titles.map((title) => minute[title]))];
}
