import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { OutboundError, requirePublicUrl } from '../../../integrations/outbound/index.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { seal } from '../../../shared/crypto/envelope.ts';
import { hex, utf8 } from '../../../shared/encoding.ts';
import { fileNameOf } from '../policy/import-answer.ts';
import { addressRefused, videoNotFound } from '../videos.errors.ts';
import { findVideo } from '../videos.repository.ts';
import type { VideoRow } from '../videos.views.ts';
import { type NewVideoDetails, reserve } from './start-upload.ts';

/** Where the address of an import is kept. */
export const addressPlace = (uploadId: string) =>
  ({ table: 'video_imports', column: 'sealed_url', rowId: uploadId }) as const;

/**
 * Begins a video whose file we fetch from an address. The address must be one of the public internet, which is asked again at
 * every step of the way.
 * @throws videos.address_refused, videos.uploads_paused, videos.quota_exceeded
 */
export async function importVideo(
  ctx: RequestContext,
  address: string,
  details: NewVideoDetails,
): Promise<VideoRow> {
  await checkAddress(ctx, address);
  const requests: string[] = [];
  const file = { fileName: fileNameOf(address), sizeBytes: 0, contentType: 'application/octet-stream' };
  const upload = await reserve(
    ctx,
    { ...file, ...details },
    {
      fetched: async ({ uploadId }) => {
        const requested = newEvent(ctx, 'video.import_requested', { upload_id: uploadId });
        requests.push(requested.id);
        const place = addressPlace(uploadId);
        return { sealedUrl: hex(await seal(ctx.config.encryption, utf8(address), place)), requested };
      },
    },
  );
  publishAfterResponse(ctx, requests);
  const video = await findVideo(ctx.databases.primary, upload.videoId, requireViewerId(ctx));
  if (video === undefined) throw videoNotFound();
  return video;
}

async function checkAddress(ctx: RequestContext, address: string): Promise<void> {
  try {
    await requirePublicUrl(ctx.config.outbound, address);
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    // The resolver is away: the import waits for it.
    if (error.retryable) return;
    const code = error.problem ?? error.failure;
    throw addressRefused({
      errors: [{ pointer: '/url', code, message: addressMessages[code] ?? 'not allowed' }],
    });
  }
}

const addressMessages: Readonly<Record<string, string>> = {
  malformed: 'is not an address',
  scheme: 'must begin with https://',
  credentials: 'must not hold a name or password',
  port: 'has a port that is not allowed',
  host: 'names a host that is not on the public internet',
  private_address: 'leads to an address that is not on the public internet',
  unknown_host: 'names a host that does not exist',
};
