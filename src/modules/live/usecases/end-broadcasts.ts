import type { RequestContext } from '../../../context.ts';
import {
  deleteChannel,
  deleteStreamKey,
  isAwsError,
  listStreamKeys,
  stopStream,
} from '../../../integrations/aws/index.ts';
import { AppError } from '../../../shared/errors.ts';
import { revokeKeysOfInactive } from '../channels.repository.ts';
import { findRetired, findStopsDue, forgetChannel, isStopDue, noteStopped } from '../pool.repository.ts';
import { alone } from './reach-ivs.ts';

const endedAtOnce = 25;
const deletedAtOnce = 10;
const budgetMs = 25_000;
// An encoder that was just connecting when its key was deleted shows up within this time.
const settleSeconds = 30;

/**
 * Ends broadcasts whose keys were revoked or whose owners may not stream any more, and deletes channels nobody has any more.
 * Works from the state it finds, for half a minute at most.
 */
export async function cleanUpChannels(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  const startedMs = ctx.clock.now();
  const inTime = () => ctx.clock.now() - startedMs < budgetMs;
  await revokeKeysOfInactive(primary);
  for (const arn of await findStopsDue(primary, endedAtOnce)) if (inTime()) await endBroadcast(ctx, arn);
  for (const arn of await findRetired(primary, deletedAtOnce)) if (inTime()) await deleteRetired(ctx, arn);
}

/** Ends what somebody broadcasts whose account is closed or suspended; does nothing for others. */
export async function endBroadcastOfInactive(ctx: RequestContext, ownerId: string): Promise<void> {
  for (const arn of await revokeKeysOfInactive(ctx.databases.primary, ownerId)) await endBroadcast(ctx, arn);
}

/**
 * Deletes the keys of a channel and disconnects its encoder, if that is due. What fails is tried again by `cleanUpChannels`; so is
 * what has succeeded at once, in case an encoder was about to begin.
 */
export async function endBroadcast(ctx: RequestContext, arn: string): Promise<void> {
  const { primary } = ctx.databases;
  try {
    await alone(ctx, arn, async () => {
      if (!(await isStopDue(primary, arn))) return;
      await cutOff(ctx, arn);
      await noteStopped(primary, arn, settleSeconds);
    });
  } catch (error) {
    leaveForLater(ctx, 'live.broadcast_not_ended', error);
  }
}

async function deleteRetired(ctx: RequestContext, arn: string): Promise<void> {
  try {
    await alone(ctx, arn, async () => {
      await cutOff(ctx, arn);
      await deleteChannel(ctx.config.aws, arn);
      await forgetChannel(ctx.databases.primary, arn);
    });
  } catch (error) {
    leaveForLater(ctx, 'live.channel_not_deleted', error);
  }
}

// The key first: an encoder that is only disconnected comes back.
async function cutOff(ctx: RequestContext, arn: string): Promise<void> {
  const { aws } = ctx.config;
  for (const keyArn of await listStreamKeys(aws, arn)) await deleteStreamKey(aws, keyArn);
  await stopStream(aws, arn);
}

function leaveForLater(ctx: RequestContext, event: string, error: unknown): void {
  const code = isAwsError(error) || error instanceof AppError ? error.code : undefined;
  if (code === undefined) throw error;
  ctx.log.log('warn', event, { error_code: code });
}
