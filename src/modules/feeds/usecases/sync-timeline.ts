import type { RequestContext } from '../../../context.ts';
import { isEnabled, loadFlags } from '../../../shared/flags/index.ts';
import { readFollowState } from '../feeds.repository.ts';
import { deleteAuthorEntries, insertAuthorEntries } from '../timelines.repository.ts';

/**
 * Brings one author's posts in one timeline in line with whether the owner follows them now: the newest posts are in
 * it, or none. It looks at the state and not at what the message said, so follows and unfollows may come late, twice
 * and swapped.
 */
export async function syncTimeline(ctx: RequestContext, ownerId: string, authorId: string): Promise<void> {
  const { primary } = ctx.databases;
  const shard = ctx.databases.shardOf(ownerId);
  const backfills = isEnabled(await loadFlags(ctx), 'followBackfill', ownerId);
  const followBackfillPosts = backfills ? ctx.config.feeds.followBackfillPosts : 0;
  const before = await readFollowState(primary, ownerId, authorId, followBackfillPosts);
  if (!before.following) await deleteAuthorEntries(shard, ownerId, authorId);
  // Followed again while entries were being deleted: that follow's own backfill may be among what went.
  const now = before.following
    ? before
    : await readFollowState(primary, ownerId, authorId, followBackfillPosts);
  if (now.postIds.length > 0) await insertAuthorEntries(shard, ownerId, authorId, now.postIds);
}
