import type { RequestContext } from '../../../context.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import { createCache } from '../../../shared/cache/index.ts';
import { listPublishedIds } from '../owned-videos.repository.ts';
import { videoNotFound } from '../videos.errors.ts';
import { findVideo } from '../videos.repository.ts';
import { type VideoView, videoSchema } from '../videos.schemas.ts';
import { showVideo } from './show-video.ts';

// The page a film that goes round is opened on, again and again, by people nobody knows: the same for all of them, and
// allowed to be a few seconds old. A change made through this data centre shows at once.
const publicPages = createCache<VideoView>({
  name: 'video-page.v2',
  schema: videoSchema,
  ttlSeconds: 5,
  negativeTtlSeconds: 2,
  maxEntries: 2_000,
});

/**
 * The page of a video as the caller may see it: everyone the published ones that are not private, the owner all of
 * theirs. Signed-out callers share a copy of at most 5 s; a caller who is signed in, or just wrote, reads the database.
 * @throws videos.not_found
 */
export async function viewVideo(ctx: RequestContext, videoId: string): Promise<VideoView> {
  const shared = ctx.actor.kind === 'anonymous' && ctx.readDb === ctx.databases.replica;
  const load = () => loadPage(ctx, videoId);
  const page = await (shared ? publicPages.get(ctx, videoId, load) : load());
  if (page === undefined) throw videoNotFound();
  return page;
}

/** Forgets the shared copy of a page, after a change of what signed-out callers may see. */
export const forgetVideoPage = (ctx: RequestContext, videoId: string): Promise<void> =>
  publicPages.invalidate(ctx, videoId);

// Beyond these, the shared copies run out by themselves within seconds.
const maxForgotten = 200;

/** Forgets the shared copies of an owner's newest pages, after the account was closed or erased. */
export async function forgetVideoPages(ctx: RequestContext, ownerId: string): Promise<void> {
  const ids = await listPublishedIds(ctx.databases.primary, ownerId, maxForgotten);
  await Promise.all(ids.map((id) => forgetVideoPage(ctx, id)));
}

async function loadPage(ctx: RequestContext, videoId: string): Promise<VideoView | undefined> {
  const video = await findVideo(ctx.readDb, videoId, viewerIdOf(ctx));
  return video === undefined ? undefined : showVideo(ctx, video);
}
