import type { RequestContext } from '../../../context.ts';
import type { Handlers } from '../../../jobs/handlers.ts';
import { sendDirectly } from '../../../jobs/publish.ts';
import { endBroadcastOfInactive } from './end-broadcasts.ts';
import { endLostPlayback } from './end-playback.ts';

interface Change {
  readonly owner_id: string | null;
  readonly viewer_id: string | null;
}

// Calls of IVS wait on others, which this queue does not.
const handOn = (ctx: RequestContext, ...changes: readonly Change[]): Promise<void> =>
  sendDirectly(ctx, 'stream.access_changed', changes, { delaySeconds: 0 });

const accountChanges = (userId: string): readonly Change[] => [
  { owner_id: userId, viewer_id: null },
  { owner_id: null, viewer_id: userId },
];

const accountEnds: ReadonlySet<string> = new Set(['admin', 'disabled', 'deleted']);

/** Ends what those broadcast and watch who may not any more. */
export const liveHandlers: Handlers = {
  'stream.access_changed': async (ctx, { data }) => {
    const { owner_id: ownerId, viewer_id: viewerId } = data;
    if (ownerId !== null && viewerId === null) await endBroadcastOfInactive(ctx, ownerId);
    await endLostPlayback(ctx, { ownerId, viewerId });
  },
  // Neither sees what the other streams.
  'user.blocked': (ctx, { data: { blocker_id, blocked_id } }) =>
    handOn(
      ctx,
      { owner_id: blocker_id, viewer_id: blocked_id },
      { owner_id: blocked_id, viewer_id: blocker_id },
    ),
  'user.unfollowed': (ctx, { data }) =>
    handOn(ctx, { owner_id: data.followee_id, viewer_id: data.follower_id }),
  'account.closed': (ctx, { data }) => handOn(ctx, ...accountChanges(data.user_id)),
  'user.access_ended': async (ctx, { data }) => {
    if (accountEnds.has(data.reason)) await handOn(ctx, ...accountChanges(data.user_id));
  },
};
