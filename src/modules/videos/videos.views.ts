import { encodeId } from '../../shared/ids.ts';
import { presentUserSummary, type UserSummaryRow } from '../users/index.ts';
import { type DetailsRow, presentDetails } from './details.views.ts';
import { isRetryable } from './policy/failures.ts';
import type { VideoState, VideoSummary, VideoView, Visibility } from './videos.schemas.ts';

/** What a repository must select of a video to show it beside a post; `videoSummaryJson` selects exactly this. */
export interface VideoSummaryRow {
  readonly id: string;
  readonly title: string;
  readonly state: VideoState;
  readonly durationMs: number | null;
  readonly viewCount: number;
  readonly width: number | null;
  readonly height: number | null;
  readonly hlsKey: string | null;
  readonly dashKey: string | null;
  readonly thumbnailKey: string | null;
}

export interface VideoRow extends Omit<VideoSummaryRow, 'thumbnailKey'> {
  readonly owner: UserSummaryRow;
  readonly description: string;
  readonly visibility: Visibility;
  readonly progressPercent: number;
  readonly phase: string | null;
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
  readonly renditions: readonly {
    readonly name: string;
    readonly width: number;
    readonly height: number;
    readonly maxBitrate: number;
  }[];
  readonly thumbnailKeys: readonly string[];
  readonly details: DetailsRow;
  readonly createdAt: string;
  readonly publishedAt: string | null;
}

/** `cdnBaseUrl` is `ctx.config.aws.cdnBaseUrl`, under which the media bucket is public. */
export const presentVideoSummary = (video: VideoSummaryRow, cdnBaseUrl: string): VideoSummary => ({
  id: encodeId('video', video.id),
  title: video.title,
  state: video.state,
  duration_seconds: seconds(video.durationMs),
  view_count: video.viewCount,
  width: video.width,
  height: video.height,
  thumbnail_url: mediaUrl(video.thumbnailKey, cdnBaseUrl),
  hls_url: mediaUrl(video.hlsKey, cdnBaseUrl),
  dash_url: mediaUrl(video.dashKey, cdnBaseUrl),
});

export const presentVideo = (video: VideoRow, cdnBaseUrl: string): VideoView => ({
  id: encodeId('video', video.id),
  owner: presentUserSummary(video.owner, cdnBaseUrl),
  title: video.title,
  description: video.description,
  visibility: video.visibility,
  state: video.state,
  progress_percent: video.progressPercent,
  phase: video.state === 'transcoding' ? phaseOf(video.phase) : null,
  failure:
    video.failureCode === null
      ? null
      : {
          code: video.failureCode,
          message: video.failureMessage ?? '',
          retryable: isRetryable(video.failureCode),
        },
  duration_seconds: seconds(video.durationMs),
  view_count: video.viewCount,
  width: video.width,
  height: video.height,
  renditions: video.renditions.map(({ maxBitrate, ...rendition }) => ({
    ...rendition,
    max_bitrate: maxBitrate,
  })),
  thumbnails: video.thumbnailKeys.map((key) => `${cdnBaseUrl}/${encodeKey(key)}`),
  hls_url: mediaUrl(video.hlsKey, cdnBaseUrl),
  dash_url: mediaUrl(video.dashKey, cdnBaseUrl),
  ...presentDetails(video),
  created_at: new Date(video.createdAt).toISOString(),
  published_at: video.publishedAt === null ? null : new Date(video.publishedAt).toISOString(),
});

const seconds = (durationMs: number | null): number | null =>
  durationMs === null ? null : durationMs / 1000;

const phaseOf = (phase: string | null): VideoView['phase'] =>
  phase === 'probing' || phase === 'transcoding' || phase === 'uploading' ? phase : null;

const encodeKey = (key: string): string => key.split('/').map(encodeURIComponent).join('/');

const mediaUrl = (key: string | null, cdnBaseUrl: string): string | null =>
  key === null ? null : `${cdnBaseUrl}/${encodeKey(key)}`;
