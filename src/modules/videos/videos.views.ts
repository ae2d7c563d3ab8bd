import { encodeId } from '../../shared/ids.ts';
import { presentUserSummary, type UserSummaryRow } from '../users/index.ts';
import type { AccessRow } from './access.repository.ts';
import { type DetailsRow, presentDetails } from './details.views.ts';
import type { ExtrasRow } from './encoding.repository.ts';
import { presentExtras } from './encoding.views.ts';
import { isEmbeddable } from './policy/embed-domains.ts';
import { isRetryable } from './policy/failures.ts';
import type { ReplacementRow } from './replacements.repository.ts';
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
  /** Whether anybody may fetch the thumbnail. */
  readonly stillsOpen: boolean;
}

export interface VideoRow extends Omit<VideoSummaryRow, 'stillsOpen'> {
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
  readonly extras: ExtrasRow;
  readonly details: DetailsRow;
  readonly access: AccessRow;
  readonly createdAt: string;
  readonly publishedAt: string | null;
  readonly publishAt: string | null;
  readonly customThumbnailKey: string | null;
  /** Null for everybody but the owner. */
  readonly replacement: ReplacementRow | null;
}

/** `cdnBaseUrl` is `ctx.config.aws.cdnBaseUrl`. Media there wants a signature, copies of stills open to all do not. */
export const presentVideoSummary = (video: VideoSummaryRow, cdnBaseUrl: string): VideoSummary => ({
  id: encodeId('video', video.id),
  title: video.title,
  state: video.state,
  duration_seconds: seconds(video.durationMs),
  view_count: video.viewCount,
  width: video.width,
  height: video.height,
  thumbnail_url:
    video.thumbnailKey === null || !video.stillsOpen
      ? null
      : mediaUrl(openKey(video.thumbnailKey), cdnBaseUrl),
  hls_url: urlOrNull(video.hlsKey, cdnBaseUrl),
  dash_url: urlOrNull(video.dashKey, cdnBaseUrl),
});

/** What the page of a video says to one viewer beside its row. */
export interface VideoShown {
  readonly cdnBaseUrl: string;
  readonly isOwner: boolean;
  /** Addresses of the stills this viewer may fetch, by key. */
  readonly stills: ReadonlyMap<string, string>;
}

export const presentVideo = (video: VideoRow, { cdnBaseUrl, isOwner, stills }: VideoShown): VideoView => ({
  id: encodeId('video', video.id),
  owner: presentUserSummary(video.owner, cdnBaseUrl),
  title: video.title,
  description: video.description,
  visibility: video.visibility,
  state: video.state,
  progress_percent: video.progressPercent,
  phase: video.state === 'transcoding' ? phaseOf(video.phase) : null,
  failure: presentFailure(video),
  replacement:
    video.replacement === null
      ? null
      : {
          upload_id:
            video.replacement.uploadId === null ? null : encodeId('upload', video.replacement.uploadId),
          state: video.replacement.state,
          progress_percent: video.replacement.progressPercent,
          failure: presentFailure(video.replacement),
        },
  duration_seconds: seconds(video.durationMs),
  view_count: video.viewCount,
  width: video.width,
  height: video.height,
  renditions: video.renditions.map(({ maxBitrate, ...rendition }) => ({
    ...rendition,
    max_bitrate: maxBitrate,
  })),
  thumbnail_url: still(video.thumbnailKey, stills),
  custom_thumbnail_url: still(video.customThumbnailKey, stills),
  thumbnails: video.thumbnailKeys.flatMap((key) => stills.get(key) ?? []),
  hls_url: urlOrNull(video.hlsKey, cdnBaseUrl),
  dash_url: urlOrNull(video.dashKey, cdnBaseUrl),
  ...presentExtras(video, cdnBaseUrl),
  ...presentAccess(video.access, isOwner),
  ...presentDetails(video),
  created_at: new Date(video.createdAt).toISOString(),
  publish_at: instant(video.publishAt),
  published_at: instant(video.publishedAt),
});

const still = (key: string | null, stills: VideoShown['stills']): string | null =>
  key === null ? null : (stills.get(key) ?? null);

const presentAccess = (access: AccessRow, isOwner: boolean) => ({
  password_protected: access.passwordProtected,
  age_restricted: access.ageRestricted,
  embeddable: isEmbeddable(access),
  access: isOwner
    ? {
        geo: access.geoMode === null ? null : { mode: access.geoMode, countries: [...access.geoCountries] },
        embed: { mode: access.embedMode, domains: [...access.embedDomains] },
      }
    : null,
});

const presentFailure = ({
  failureCode: code,
  failureMessage: message,
}: Pick<VideoRow, 'failureCode' | 'failureMessage'>): VideoView['failure'] =>
  code === null ? null : presentReason(code, message);

/** Why something came to nothing. */
export const presentReason = (code: string, message: string | null) => ({
  code,
  message: message ?? '',
  retryable: isRetryable(code),
});

const instant = (text: string | null): string | null => (text === null ? null : new Date(text).toISOString());

const seconds = (durationMs: number | null): number | null =>
  durationMs === null ? null : durationMs / 1000;

const phaseOf = (phase: string | null): VideoView['phase'] =>
  phase === 'probing' || phase === 'transcoding' || phase === 'uploading' ? phase : null;

const encodeKey = (key: string): string => key.split('/').map(encodeURIComponent).join('/');

/** The address of an object of the media bucket. */
export const mediaUrl = (key: string, cdnBaseUrl: string): string => `${cdnBaseUrl}/${encodeKey(key)}`;

/** Where the copy of a still lies that anybody may fetch. */
export const openKey = (key: string): string => key.replace(/^media\//, 'open/');

const urlOrNull = (key: string | null, cdnBaseUrl: string): string | null =>
  key === null ? null : mediaUrl(key, cdnBaseUrl);
