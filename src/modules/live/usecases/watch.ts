import type { RequestContext } from '../../../context.ts';
import { requireViewerId, viewerIdOf } from '../../../http/viewer.ts';
import { isAwsError, putMetadata } from '../../../integrations/aws/index.ts';
import { streamNotFound, streamNotLive } from '../../streams/index.ts';
import { userNotFound } from '../../users/index.ts';
import { cannotSendSelfAway, sentAway, tooMuchMetadata } from '../live.errors.ts';
import type { LatencyMode } from '../live.schemas.ts';
import { barViewer, findBroadcast, grantPlayback, strangers, unbarViewer } from '../viewers.repository.ts';
import { endLostPlayback, ivsViewerId } from './end-playback.ts';
import { reachIvs } from './reach-ivs.ts';
import { signPlayback } from './sign-playback.ts';

export interface LivePlayback {
  readonly hlsUrl: string;
  /** RFC 3339. */
  readonly expiresAt: string;
  readonly latencyMode: LatencyMode;
}

/**
 * Where the caller can watch a stream that is live, for a player that begins before `expiresAt`.
 * @throws streams.not_found, streams.not_live, live.sent_away, live.playback_not_configured.
 */
export async function requestLivePlayback(ctx: RequestContext, streamId: string): Promise<LivePlayback> {
  const viewerId = viewerIdOf(ctx);
  const grant = await grantPlayback(ctx.databases.primary, streamId, viewerId);
  if (grant === undefined) throw streamNotFound();
  if (grant.isSentAway) throw sentAway();
  const { isLive, channelArn, playbackUrl, latencyMode, version } = grant;
  if (!isLive || channelArn === null || playbackUrl === null || latencyMode === null) throw streamNotLive();
  const { token, expiresAt } = await signPlayback(ctx, {
    channelArn,
    viewerId: ivsViewerId(viewerId ?? strangers),
    version,
  });
  return { hlsUrl: `${playbackUrl}?token=${token}`, expiresAt, latencyMode };
}

/**
 * Ends what somebody watches of a stream of the caller's, and gives them no other token for it.
 * @throws streams.not_found, users.not_found, live.self.
 */
export async function sendViewerAway(ctx: RequestContext, streamId: string, viewerId: string): Promise<void> {
  const ownerId = requireViewerId(ctx);
  const { primary } = ctx.databases;
  if ((await findBroadcast(primary, streamId, ownerId)) === undefined) throw streamNotFound();
  if (viewerId === ownerId) throw cannotSendSelfAway();
  if (!(await barViewer(primary, streamId, ownerId, viewerId))) throw userNotFound();
  await reachIvs(() => endLostPlayback(ctx, { ownerId, viewerId }));
}

/**
 * Lets somebody watch again who was sent away from a stream of the caller's.
 * @throws streams.not_found.
 */
export async function letViewerBack(ctx: RequestContext, streamId: string, viewerId: string): Promise<void> {
  if (!(await unbarViewer(ctx.databases.primary, streamId, requireViewerId(ctx), viewerId)))
    throw streamNotFound();
}

/**
 * Sends text along with the picture of a stream of the caller's, to everybody who watches.
 * @throws streams.not_found, streams.not_live, live.too_much_metadata, live.unavailable.
 */
export async function sendMetadata(ctx: RequestContext, streamId: string, metadata: string): Promise<void> {
  const broadcast = await findBroadcast(ctx.databases.primary, streamId, requireViewerId(ctx));
  if (broadcast === undefined) throw streamNotFound();
  const { isLive, channelArn } = broadcast;
  if (!isLive || channelArn === null) throw streamNotLive();
  await reachIvs(() =>
    putMetadata(ctx.config.aws, channelArn, metadata).catch((error: unknown) => {
      if (isAwsError(error, 'ChannelNotBroadcasting', 'ResourceNotFoundException')) throw streamNotLive();
      if (isAwsError(error, 'ThrottlingException'))
        throw tooMuchMetadata({ cause: error, headers: { 'retry-after': '1' } });
      throw error;
    }),
  );
}
