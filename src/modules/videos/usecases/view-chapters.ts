import type { RequestContext } from '../../../context.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import { findChapters } from '../details.repository.ts';
import { chaptersOf, webVttChapters } from '../policy/chapters.ts';
import { videoNotFound } from '../videos.errors.ts';

/**
 * The chapters of a video the caller may see, as a WebVTT file.
 * @throws videos.not_found
 */
export async function viewChapters(ctx: RequestContext, videoId: string): Promise<string> {
  const video = await findChapters(ctx.readDb, videoId, viewerIdOf(ctx));
  if (video === undefined) throw videoNotFound();
  return webVttChapters(chaptersOf(video), video.durationMs);
}
