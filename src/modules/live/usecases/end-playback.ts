import type { RequestContext } from '../../../context.ts';
import { startViewerSessionRevocations } from '../../../integrations/aws/index.ts';
import { sleep } from '../../../shared/retry.ts';
import {
  findLostViewers,
  forgetViewers,
  type LostScope,
  listLiveOwners,
  noteRevoked,
  strangers,
} from '../viewers.repository.ts';

// IVS takes 20 viewers in a call, and two calls a second from the whole account.
const viewersAtOnce = 20;
const pauseMs = 500;
const maxBatches = 60;
const forgottenAtOnce = 5_000;
const ownersAtOnce = 500;

/** How IVS is told of a viewer, in at most 40 characters. */
export const ivsViewerId = (viewerId: string): string =>
  viewerId === strangers ? 'strangers' : viewerId.replaceAll('-', '');

/**
 * Ends the playback of those who may not watch any more, of up to 1,200.
 * @throws AwsError
 */
export async function endLostPlayback(ctx: RequestContext, scope: LostScope): Promise<'done' | 'more'> {
  const { primary } = ctx.databases;
  for (let batch = 0; batch < maxBatches; batch += 1) {
    const lost = await findLostViewers(primary, scope, viewersAtOnce);
    if (lost.length === 0) return 'done';
    if (batch > 0) await sleep(pauseMs);
    await startViewerSessionRevocations(
      ctx.config.aws,
      lost.map(({ channelArn, viewerId, version }) => ({
        channelArn,
        viewerId: ivsViewerId(viewerId),
        version,
      })),
    );
    await noteRevoked(primary, lost);
    if (lost.length < viewersAtOnce) return 'done';
  }
  return 'more';
}

/** Finds those whose membership ran out, and most of those of whom a message got lost. */
export const endPlaybackOfLost = (ctx: RequestContext): Promise<unknown> => endLostPlayback(ctx, 'likely');

/** Finds all of them, one channel at a time, and forgets who watched what is long over. */
export async function sweepViewers(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  await forgetViewers(primary, forgottenAtOnce);
  // No id comes before that of strangers.
  let after = strangers;
  for (;;) {
    const owners = await listLiveOwners(primary, after, ownersAtOnce);
    for (const ownerId of owners) await endLostPlayback(ctx, { ownerId, viewerId: null });
    const last = owners.at(-1);
    if (last === undefined || owners.length < ownersAtOnce) return;
    after = last;
  }
}
