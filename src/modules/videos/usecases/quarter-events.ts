import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { quarters } from '../policy/upload-progress.ts';
import type { QuarterEvent } from '../quarter-events.repository.ts';
import type { UploadRow } from '../uploads.repository.ts';

/** `upload.progressed` for each quarter of an upload; those that are reached get written. */
export const quarterEvents = (
  ctx: Pick<RequestContext, 'ids' | 'trace'>,
  upload: Pick<UploadRow, 'id' | 'videoId' | 'replacesId' | 'ownerId'>,
): QuarterEvent[] =>
  quarters.map((percent) => ({
    percent,
    ...newEvent(ctx, 'upload.progressed', {
      upload_id: upload.id,
      video_id: upload.replacesId ?? upload.videoId,
      owner_id: upload.ownerId,
      percent,
    }),
  }));
