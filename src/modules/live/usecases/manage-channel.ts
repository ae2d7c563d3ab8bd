import type { RequestContext } from '../../../context.ts';
import { requireSession } from '../../../http/viewer.ts';
import { isAwsError, updateChannel as updateAtIvs } from '../../../integrations/aws/index.ts';
import {
  type ChannelRow,
  claimChannel,
  findChannel,
  updateChannel as updateRow,
} from '../channels.repository.ts';
import {
  channelIsLive,
  emailNotVerified,
  noChannelReady,
  noLiveChannel,
  typeNotOffered,
} from '../live.errors.ts';
import type { ChannelChanges } from '../live.schemas.ts';
import { madeChannelOf, makeChannel } from './fill-pool.ts';
import { alone, reachIvs } from './reach-ivs.ts';

// Others may take what is made for one's own claim; whoever loses twice waits.
const attempts = 2;

/**
 * Gives the caller a channel out of the pool, or the one they have. An empty pool makes one at once, if IVS lets it.
 * @throws live.email_not_verified, live.no_channel_ready.
 */
export async function createMyChannel(
  ctx: RequestContext,
): Promise<{ readonly channel: ChannelRow; readonly isNew: boolean }> {
  const { userId } = requireSession(ctx);
  for (let attempt = 0; ; attempt += 1) {
    const claim = await claimChannel(ctx, userId);
    if (claim.kind === 'channel') return claim;
    if (claim.kind === 'not_verified') throw emailNotVerified();
    if (attempt === attempts) throw notReady();
    try {
      await makeChannel(ctx);
    } catch (error) {
      if (isAwsError(error)) throw notReady(error);
      throw error;
    }
  }
}

const notReady = (cause?: unknown) => noChannelReady({ cause, headers: { 'retry-after': '10' } });

/** @throws live.no_channel. */
export async function getMyChannel(ctx: RequestContext): Promise<ChannelRow> {
  const channel = await findChannel(ctx.readDb, requireSession(ctx).userId);
  if (channel === undefined) throw noLiveChannel();
  return channel;
}

/**
 * Changes what is given of the caller's channel, which must not be live.
 * @throws live.no_channel, live.type_not_offered, live.channel_is_live, live.channel_is_busy, live.unavailable.
 */
export async function updateMyChannel(ctx: RequestContext, changes: ChannelChanges): Promise<ChannelRow> {
  const { userId } = requireSession(ctx);
  const { latency_mode: latencyMode, type, insecure_ingest: insecureIngest } = changes;
  if (type !== undefined && !ctx.config.live.channelTypes.includes(type)) throw typeNotOffered();
  const channel = await findChannel(ctx.databases.primary, userId);
  if (channel === undefined) throw noLiveChannel();
  const { arn } = channel;
  return await alone(ctx, arn, async () => {
    // What IVS has is written down whole, so that the next change heals one that was cut off here.
    const made = await reachIvs(() =>
      updateAtIvs(ctx.config.aws, {
        arn,
        ...(latencyMode === undefined ? {} : { latencyMode }),
        ...(type === undefined ? {} : { type }),
        ...(insecureIngest === undefined ? {} : { insecureIngest }),
      }).catch((error: unknown) => {
        throw isAwsError(error, 'ConflictException') ? channelIsLive() : error;
      }),
    );
    const updated = await updateRow(ctx, madeChannelOf(made));
    if (updated === undefined) throw noLiveChannel();
    return updated;
  });
}
