import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { getStream, isAwsError, stopStream } from '../../../integrations/aws/index.ts';
import { streamNotFound, streamNotLive } from '../../streams/index.ts';
import { streamNotStopped } from '../broadcasts.errors.ts';
import { askToStop } from '../stop.repository.ts';
import { followSession } from './follow-broadcast.ts';

/**
 * Ends a stream of the caller's for good: its encoder is disconnected, also when it comes back within the reconnect window. Again is
 * the same.
 * @throws streams.not_found, streams.not_live before it has begun, streams.not_stopped when IVS does not answer.
 */
export const stopOwnStream = (ctx: RequestContext, streamId: string): Promise<void> =>
  stop(ctx, streamId, requireViewerId(ctx));

/** The same for staff, of anybody's stream. */
export const stopAnyStream = (ctx: RequestContext, streamId: string): Promise<void> =>
  stop(ctx, streamId, undefined);

async function stop(ctx: RequestContext, streamId: string, ownerId: string | undefined): Promise<void> {
  const stream = await askToStop(ctx, streamId, ownerId);
  if (stream === undefined) throw streamNotFound();
  const { state, channelArn, sessionId } = stream;
  if (state === 'scheduled' || state === 'canceled') throw streamNotLive();
  if (state !== 'live' || channelArn === null || sessionId === null) return;
  try {
    const onAir = await getStream(ctx.config.aws, channelArn);
    if (onAir !== undefined) await stopStream(ctx.config.aws, channelArn);
  } catch (error) {
    if (!isAwsError(error)) throw error;
    throw streamNotStopped({ cause: error, headers: { 'retry-after': '5' } });
  }
  // Whoever hears the end from IVS first: an earlier time that comes later replaces this one.
  await followSession(ctx, { channelArn, sessionId, endedAt: new Date(ctx.clock.now()).toISOString() });
}
