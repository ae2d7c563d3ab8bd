import type { RequestContext } from '../../../context.ts';
import { startViewerSessionRevocations } from '../../../integrations/aws/index.ts';
import { sleep } from '../../../shared/retry.ts';
import {
  findLostViewers,
  forgetViewers,
  type LostScope,
  noteRevoked,
  strangers,
} from '../viewers.repository.ts';

// IVS takes 20 viewers in a call, and two calls a second from the whole account.
const viewersAtOnce = 20;
const pauseMs = 500;
const maxBatches = 60;
const forgottenAtOnce = 5_000;

/** How IVS is told of a viewer, in at most 40 characters. */
export const ivsViewerId = (viewerId: string): string =>
  viewerId === strangers ? 'strangers' : viewerId.replaceAll('-', '');

/**
 * Ends the playback of those who may not watch any more, of up to 1,200; the next run goes on.
 * @throws AwsError
 */
export async function endLostPlayback(ctx: RequestContext, scope: LostScope): Promise<void> {
  const { primary } = ctx.databases;
  for (let batch = 0; batch < maxBatches; batch += 1) {
    const lost = await findLostViewers(primary, scope, viewersAtOnce);
    if (lost.length === 0) return;
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
    if (lost.length < viewersAtOnce) return;
  }
}

/** Finds those whose membership ran out, and those of whom a message got lost. */
export const endPlaybackOfLost = (ctx: RequestContext): Promise<void> => endLostPlayback(ctx, 'recent');

/** The same for all streams, and forgets who watched what is long over. */
export async function sweepViewers(ctx: RequestContext): Promise<void> {
  await endLostPlayback(ctx, 'all');
  await forgetViewers(ctx.databases.primary, forgottenAtOnce);
}
