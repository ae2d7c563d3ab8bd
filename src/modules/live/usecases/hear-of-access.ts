import type { RequestContext } from '../../../context.ts';
import type { Handlers } from '../../../jobs/handlers.ts';
import { sendDirectly } from '../../../jobs/publish.ts';
import { findLostViewers } from '../viewers.repository.ts';
import { endBroadcastOfInactive } from './end-broadcasts.ts';
import { endLostPlayback } from './end-playback.ts';

interface Change {
  readonly owner_id: string | null;
  readonly viewer_id: string | null;
}

// Calls of IVS wait on others, which the queue of events does not.
const handOn = (ctx: RequestContext, ...changes: readonly Change[]): Promise<void> =>
  sendDirectly(ctx, 'stream.access_changed', changes, { delaySeconds: 0 });

async function handOnIfWatching(ctx: RequestContext, change: Change): Promise<void> {
  const { owner_id: ownerId, viewer_id: viewerId } = change;
  const lost = await findLostViewers(ctx.databases.primary, { ownerId, viewerId }, 1);
  if (lost.length > 0) await handOn(ctx, change);
}

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
    if ((await endLostPlayback(ctx, { ownerId, viewerId })) === 'more') await handOn(ctx, data);
  },
  // Neither sees what the other streams.
  'user.blocked': async (ctx, { data: { blocker_id, blocked_id } }) => {
    await handOnIfWatching(ctx, { owner_id: blocker_id, viewer_id: blocked_id });
    await handOnIfWatching(ctx, { owner_id: blocked_id, viewer_id: blocker_id });
  },
  'user.unfollowed': (ctx, { data }) =>
    handOnIfWatching(ctx, { owner_id: data.followee_id, viewer_id: data.follower_id }),
  // It may be for others than the stream before it, whose viewers are still there.
  'stream.started': (ctx, { data }) => handOnIfWatching(ctx, { owner_id: data.owner_id, viewer_id: null }),
  'account.closed': (ctx, { data }) => handOn(ctx, ...accountChanges(data.user_id)),
  'user.access_ended': async (ctx, { data }) => {
    if (accountEnds.has(data.reason)) await handOn(ctx, ...accountChanges(data.user_id));
  },
};
