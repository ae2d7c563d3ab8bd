import type { Config } from '../../config/index.ts';
import { encodeId } from '../../shared/ids.ts';
import type { HeldPart } from './policy/upload-progress.ts';
import type { UploadRow } from './uploads.repository.ts';
import type { HeldPartView, PartUrlView, UploadLimitsView, UploadView } from './uploads.schemas.ts';
import type { SignedPart } from './usecases/part-urls.ts';
import type { UploadLimits } from './usecases/upload-limits.ts';

export const presentUpload = (upload: UploadRow): UploadView => ({
  id: encodeId('upload', upload.id),
  video_id: encodeId('video', upload.replacesId ?? upload.videoId),
  state: upload.state,
  file_name: upload.fileName,
  content_type: upload.contentType,
  size_bytes: upload.sizeBytes,
  part_size_bytes: upload.partSizeBytes,
  part_count: upload.partCount,
  expires_at: new Date(upload.expiresAtMs).toISOString(),
});

export const presentPartUrl = (part: SignedPart): PartUrlView => ({
  part_number: part.partNumber,
  url: part.url,
  headers: { ...part.headers },
  size_bytes: part.sizeBytes,
  expires_at: new Date(part.expiresAtMs).toISOString(),
});

export const presentHeldPart = (part: HeldPart): HeldPartView => ({
  part_number: part.partNumber,
  size_bytes: part.sizeBytes,
  etag: part.etag,
});

const quota = (limit: number, used: number) => ({ limit, used, remaining: Math.max(0, limit - used) });

export const presentUploadLimits = (
  { usage, reason }: UploadLimits,
  limits: Config['videos'],
  nowMs: number,
): UploadLimitsView => ({
  can_upload: reason === undefined,
  reason: reason ?? null,
  max_file_bytes: limits.maxFileBytes,
  max_duration_seconds: limits.maxDurationSeconds,
  open_uploads: quota(limits.maxOpenUploads, usage.openUploads),
  daily_uploads: quota(limits.dailyUploads, usage.dailyUploads),
  daily_bytes: quota(limits.dailyBytes, usage.dailyBytes),
  stored_bytes: quota(limits.maxStoredBytes, usage.storedBytes),
  daily_resets_at:
    usage.secondsToReset === null ? null : new Date(nowMs + usage.secondsToReset * 1_000).toISOString(),
});
