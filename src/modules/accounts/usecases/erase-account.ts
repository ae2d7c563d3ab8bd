import type { RequestContext } from '../../../context.ts';
import { deleteObjects } from '../../../integrations/aws/index.ts';
import { traceparentOf } from '../../../observability/trace.ts';
import { randomBytes } from '../../../shared/crypto.ts';
import { hex } from '../../../shared/encoding.ts';
import { endAllAccess } from '../../auth/index.ts';
import { eraseChat, eraseRooms } from '../../chat/index.ts';
import { eraseCommentLikes, eraseComments } from '../../comments/index.ts';
import { eraseEmotes } from '../../emotes/index.ts';
import { eraseFollows } from '../../graph/index.ts';
import { revokeProviderTokens } from '../../identities/index.ts';
import { retireLiveChannel } from '../../live/index.ts';
import { eraseLikes, erasePosts } from '../../posts/index.ts';
import { eraseRatings, eraseVideos } from '../../videos/index.ts';
import { hasStraySessions } from '../accounts.repository.ts';
import {
  anonymiseUser,
  deleteLeftovers,
  eraseAuditAddresses,
  findAvatarKey,
} from '../deletions.repository.ts';
import { type ErasureStep, erasedRows } from '../personal-data.policy.ts';
import { deleteUserRows } from '../personal-data.repository.ts';
import { eraseExports } from './sweep-exports.ts';

const rowsAtOnce = 500;
const roomRowsAtOnce = 5_000;
const videosAtOnce = 5;
const dayMs = 86_400_000;

type Step = (ctx: RequestContext, userId: string) => Promise<'done' | 'more'>;

const whenNoneIsLeft = (count: number): 'done' | 'more' => (count < rowsAtOnce ? 'done' : 'more');

const batchOf = (ctx: RequestContext) => ({ limit: rowsAtOnce, traceparent: traceparentOf(ctx.trace) });

/**
 * What each step of an erasure does, a bounded piece at a time. Every one works from the state it finds, so that it may be cut
 * off and run again at any point, also by two at once.
 */
export const eraseStep: Readonly<Record<ErasureStep, Step>> = {
  access: async (ctx, userId) => {
    if (await hasStraySessions(ctx.databases.primary, userId))
      await endAllAccess(ctx, { userId, reason: 'deleted' });
    return 'done';
  },
  providers: async (ctx, userId) => {
    await revokeProviderTokens(ctx, userId);
    return 'done';
  },
  posts: async (ctx, userId) => whenNoneIsLeft(await erasePosts(ctx.databases.primary, userId, batchOf(ctx))),
  likes: async (ctx, userId) => whenNoneIsLeft(await eraseLikes(ctx.databases.primary, userId, batchOf(ctx))),
  ratings: async (ctx, userId) =>
    whenNoneIsLeft(await eraseRatings(ctx.databases.primary, userId, batchOf(ctx))),
  comments: async (ctx, userId) =>
    whenNoneIsLeft(await eraseComments(ctx.databases.primary, userId, batchOf(ctx))),
  comment_likes: async (ctx, userId) =>
    whenNoneIsLeft(await eraseCommentLikes(ctx.databases.primary, userId, batchOf(ctx))),
  chat: async (ctx, userId) => {
    const isSaid = (await eraseChat(ctx.databases.primary, userId, rowsAtOnce)) === rowsAtOnce;
    // Before the streams go, each with all that was said in its room at once.
    const isKept = (await eraseRooms(ctx.databases.primary, userId, roomRowsAtOnce)) === roomRowsAtOnce;
    return isSaid || isKept ? 'more' : 'done';
  },
  follows: async (ctx, userId) =>
    whenNoneIsLeft(await eraseFollows(ctx.databases.primary, userId, batchOf(ctx))),
  // Emotes are pictures as well; their rows, by which these are found, go with them.
  videos: async (ctx, userId) =>
    (await eraseVideos(ctx, userId, videosAtOnce)) && (await eraseEmotes(ctx, userId)) ? 'done' : 'more',
  live_channel: async (ctx, userId) => {
    await retireLiveChannel(ctx.databases.primary, userId);
    return 'done';
  },
  exports: async (ctx, userId) => {
    await eraseExports(ctx, userId);
    return 'done';
  },
  rows: async (ctx, userId) => {
    for (const { table, column, database } of erasedRows) {
      const db = database === 'primary' ? ctx.databases.primary : ctx.databases.shardOf(userId);
      if ((await deleteUserRows(db, { table, column }, userId, rowsAtOnce)) === rowsAtOnce) return 'more';
    }
    return 'done';
  },
  leftovers: async (ctx, userId) =>
    whenNoneIsLeft(await deleteLeftovers(ctx.databases.primary, userId, rowsAtOnce)),
  audit: async (ctx, userId) => {
    await eraseAuditAddresses(ctx.databases.primary, userId);
    return 'done';
  },
  identity: async (ctx, userId) => {
    const { aws, accounts } = ctx.config;
    const avatarKey = await findAvatarKey(ctx.databases.primary, userId);
    if (avatarKey !== undefined) await deleteObjects(aws, aws.mediaBucket, [avatarKey]);
    const nowMs = ctx.clock.now();
    await anonymiseUser(ctx, {
      id: userId,
      tombstone: `deleted_${hex(randomBytes(10))}`,
      now: new Date(nowMs).toISOString(),
      reservedUntil: new Date(nowMs + accounts.usernameReservationDays * dayMs).toISOString(),
    });
    return 'done';
  },
};
