import { encodeId } from '../../shared/ids.ts';
import { presentUserSummary, type UserSummaryRow } from '../users/index.ts';
import type { StreamView, StreamVisibility } from './streams.schemas.ts';

export interface StreamRow {
  readonly id: string;
  readonly owner: UserSummaryRow;
  readonly title: string;
  readonly description: string;
  readonly visibility: StreamVisibility;
  readonly state: StreamView['state'];
  readonly scheduledAt: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly reconnecting: boolean;
  readonly viewers: number;
  readonly health: StreamView['health'];
  readonly videoId: string | null;
  readonly clipsEnabled: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** `cdnBaseUrl` is `ctx.config.aws.cdnBaseUrl`. */
export const presentStream = (stream: StreamRow, cdnBaseUrl: string): StreamView => ({
  id: encodeId('stream', stream.id),
  owner: presentUserSummary(stream.owner, cdnBaseUrl),
  title: stream.title,
  description: stream.description,
  visibility: stream.visibility,
  state: stream.state,
  scheduled_at: stream.scheduledAt,
  started_at: stream.startedAt,
  ended_at: stream.endedAt,
  reconnecting: stream.reconnecting,
  viewers: stream.viewers,
  health: stream.state === 'live' ? stream.health : null,
  video_id: stream.videoId === null ? null : encodeId('video', stream.videoId),
  clips_enabled: stream.clipsEnabled,
  created_at: stream.createdAt,
  updated_at: stream.updatedAt,
});
