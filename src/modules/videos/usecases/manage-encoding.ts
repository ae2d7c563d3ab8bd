import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { alreadyEncoded } from '../encoding.errors.ts';
import {
  changeEncoding as changeEncodingRow,
  type EncodingChange,
  type EncodingRow,
  findEncoding,
  findEncodingForStaff,
} from '../encoding.repository.ts';
import { videoNotFound } from '../videos.errors.ts';
import { forgetVideoPage } from './view-video.ts';

/**
 * How the caller's video was and is converted, and what that costs.
 * @throws videos.not_found
 */
export async function viewEncoding(ctx: RequestContext, videoId: string): Promise<EncodingRow> {
  const found = await findEncoding(ctx.readDb, videoId, requireViewerId(ctx));
  if (found === undefined) throw videoNotFound();
  return found;
}

/**
 * The same of anybody's video, for administrators.
 * @throws videos.not_found
 */
export async function lookAtEncoding(ctx: RequestContext, videoId: string): Promise<EncodingRow> {
  const found = await findEncodingForStaff(ctx, videoId);
  if (found === undefined) throw videoNotFound();
  return found;
}

/**
 * Changes how the caller's video is converted: a download that is allowed is made if it is missing.
 * @throws videos.not_found, videos.already_encoded
 */
export async function changeEncoding(
  ctx: RequestContext,
  videoId: string,
  change: EncodingChange,
): Promise<EncodingRow> {
  const ownerId = requireViewerId(ctx);
  const wanted = newEvent(ctx, 'video.extras_requested', { video_id: videoId });
  const { primary } = ctx.databases;
  const outcome = await changeEncodingRow(primary, { id: videoId, ownerId }, change, wanted);
  if (outcome === undefined) throw videoNotFound();
  if (outcome === 'too_late') throw alreadyEncoded();
  await forgetVideoPage(ctx, videoId);
  publishAfterResponse(ctx, [wanted.id]);
  const found = await findEncoding(primary, videoId, ownerId);
  if (found === undefined) throw videoNotFound();
  return found;
}
