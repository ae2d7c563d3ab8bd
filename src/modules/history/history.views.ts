import { encodeId } from '../../shared/ids.ts';
import { presentUserSummary, type UserSummaryRow } from '../users/index.ts';
import { presentVideoSummary, type VideoSummaryRow } from '../videos/index.ts';
import { resumeAtMs } from './history.policy.ts';

export interface ProgressRow {
  readonly videoId: string;
  readonly positionMs: number;
  readonly durationMs: number | null;
  readonly completed: boolean;
  /** RFC 3339 with microseconds. */
  readonly watchedAt: string;
}

/** What is known of a watched video, for a viewer who may see it. */
export interface WatchedVideo {
  readonly video: VideoSummaryRow;
  readonly channel: UserSummaryRow;
}

export const presentProgress = (entry: ProgressRow) => ({
  video_id: encodeId('video', entry.videoId),
  position_ms: entry.positionMs,
  resume_ms: resumeAtMs(entry),
  duration_ms: entry.durationMs,
  completed: entry.completed,
  watched_at: new Date(entry.watchedAt).toISOString(),
});

/** `cdnBaseUrl` is `ctx.config.aws.cdnBaseUrl`. */
export const presentEntry = (entry: ProgressRow, watched: WatchedVideo | undefined, cdnBaseUrl: string) => ({
  ...presentProgress(entry),
  video: watched === undefined ? null : presentVideoSummary(watched.video, cdnBaseUrl),
  channel: watched === undefined ? null : presentUserSummary(watched.channel, cdnBaseUrl),
});
