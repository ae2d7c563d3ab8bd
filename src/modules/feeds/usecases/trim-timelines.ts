import type { RequestContext } from '../../../context.ts';
import { trimOwners } from '../timelines.repository.ts';

const ownerBatch = 500;
const deleteBatch = 5_000;

/**
 * Deletes what timelines hold beyond their newest `FEED_TIMELINE_MAX_ENTRIES`, shard by shard in bounded steps.
 * @returns how many entries were deleted.
 */
export async function trimTimelines(ctx: RequestContext): Promise<number> {
  const keep = ctx.config.feeds.timelineMaxEntries;
  let total = 0;
  for (const { role, db } of ctx.databases.all) {
    if (!role.startsWith('shard_')) continue;
    let afterOwnerId: string | null = null;
    for (;;) {
      const { deleted, lastOwnerId } = await trimOwners(db, { afterOwnerId, ownerBatch, deleteBatch, keep });
      total += deleted;
      if (lastOwnerId === null) break;
      // A step that deleted all it may has more to do among the same owners.
      if (deleted < deleteBatch) afterOwnerId = lastOwnerId;
    }
  }
  ctx.log.log('info', 'timelines.trimmed', { entries: total });
  return total;
}
