import type { UploadedPart } from '../../integrations/aws/index.ts';
import { encodeId } from '../../shared/ids.ts';
import type { UploadRow } from './uploads.repository.ts';
import type { HeldPartView, PartUrlView, UploadView } from './uploads.schemas.ts';
import type { SignedPart } from './usecases/part-urls.ts';

export const presentUpload = (upload: UploadRow): UploadView => ({
  id: encodeId('upload', upload.id),
  video_id: encodeId('video', upload.videoId),
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

export const presentHeldPart = (part: UploadedPart): HeldPartView => ({
  part_number: part.partNumber,
  size_bytes: part.sizeBytes,
  etag: part.etag,
});
