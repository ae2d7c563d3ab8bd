import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import type { PostRow } from '../../posts/index.ts';
import { listHomePosts } from '../feeds.repository.ts';
import { listEntries } from '../timelines.repository.ts';

export interface HomeFeedPage {
  readonly posts: readonly PostRow[];
  /** Read on before this post; undefined at the end of the feed. */
  readonly nextBefore: string | undefined;
}

/** Entries read beyond the page, so that a few that are gone, unfollowed or blocked cost no second look. */
const spareEntries = 30;
/**
 * A timeline full of holes is looked into this many times for one page, each time twice as deep; then the reader gets
 * what there is, and a cursor.
 */
const maxRounds = 4;
/** How long a new follow is read straight from the author's posts, until its backfill has surely run. */
const freshFollowMs = 600_000;

/**
 * A page of the caller's home feed, newest first, before the given post. Two round trips: the ids in the timeline,
 * then the posts. More only when what the timeline holds is gone to such an extent that the page would be short.
 */
export async function readHomeFeed(
  ctx: RequestContext,
  { before, limit }: { readonly before: string | undefined; readonly limit: number },
): Promise<HomeFeedPage> {
  const viewerId = requireViewerId(ctx);
  const shard = ctx.databases.shardOf(viewerId);
  const { pullThreshold } = ctx.config.feeds;
  const wanted = limit + 1;
  const freshSince = new Date(ctx.clock.now() - freshFollowMs).toISOString();
  const posts: PostRow[] = [];
  let position = before;

  for (let round = 1; ; round += 1) {
    const entries = (wanted + spareEntries) * 2 ** (round - 1);
    const skeleton = await listEntries(shard, viewerId, { before: position, limit: entries });
    // A full skeleton goes on below its last id, so posts of other sources below it must wait for the next look.
    const floor = skeleton.length === entries ? skeleton.at(-1) : undefined;
    const missing = wanted - posts.length;
    const found = await listHomePosts(ctx.readDb, {
      viewerId,
      skeleton,
      before: position,
      floor,
      limit: missing,
      pullThreshold,
      freshSince,
    });
    posts.push(...found);
    if (posts.length >= wanted) return { posts: posts.slice(0, limit), nextBefore: posts[limit - 1]?.id };
    if (floor === undefined) return { posts, nextBefore: undefined };
    if (round === maxRounds) return { posts, nextBefore: floor };
    position = floor;
  }
}
