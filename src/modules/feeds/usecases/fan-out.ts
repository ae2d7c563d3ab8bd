import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { beginFanOut, listFollowersAfter, queueNextPage } from '../feeds.repository.ts';
import { insertPostEntries } from '../timelines.repository.ts';

/** A new post: queues its way into the timelines of followers, unless its author is so large that followers pull. */
export async function startFanOut(
  ctx: RequestContext,
  { id: messageId, data }: MessageOf<'post.created'>,
): Promise<void> {
  const firstPage = newEvent(ctx, 'feed.fan_out', { ...data, after_follower_id: null });
  const { pullThreshold } = ctx.config.feeds;
  const post = { id: data.post_id, authorId: data.author_id };
  const pushed = await beginFanOut(ctx.databases.primary, post, messageId, pullThreshold, firstPage);
  if (pushed) await publishEvents(ctx, { ids: [firstPage.id], limit: 1 });
}

/**
 * One page of followers: writes the post into their timelines, one insert for each shard, then queues the next page.
 */
export async function fanOutPage(
  ctx: RequestContext,
  { id: messageId, data }: MessageOf<'feed.fan_out'>,
): Promise<void> {
  const { primary } = ctx.databases;
  const { fanOutBatchSize } = ctx.config.feeds;
  const post = { id: data.post_id, authorId: data.author_id };
  const followers = await listFollowersAfter(primary, post, data.after_follower_id, fanOutBatchSize);
  for (const { db, ownerIds } of ctx.databases.groupByShard(followers))
    await insertPostEntries(db, ownerIds, post);
  if (followers.length < fanOutBatchSize) return;
  const nextPage = newEvent(ctx, 'feed.fan_out', { ...data, after_follower_id: followers.at(-1) ?? null });
  if (await queueNextPage(primary, messageId, nextPage))
    await publishEvents(ctx, { ids: [nextPage.id], limit: 1 });
}
