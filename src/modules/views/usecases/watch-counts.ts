import {
  counterName,
  liveHeaders,
  liveSubprotocol,
} from '../../../../durable-objects/view-counter/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import { unavailable } from '../../../http/errors.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import { isOriginAllowed, originNotAllowed, upgradeRequired } from '../../realtime/index.ts';
import { videoNotFound } from '../../videos/index.ts';
import { findViewCount } from '../sessions.repository.ts';
import { shardsNow } from './shard-hints.ts';
import { liveSession } from './take-heartbeat.ts';

export interface LiveHandshake {
  readonly upgrade: string | undefined;
  readonly origin: string | undefined;
  readonly protocols: string | undefined;
}

const sessionProtocol = /^watch\.([A-Za-z0-9_.-]{1,2048})$/;

/**
 * Connects a caller who may see a video to its live counts. A watch session's token is proof enough and costs no database trip;
 * without one the video is looked up as its page would be.
 * @returns the 101 answer of the handshake.
 * @throws realtime.upgrade_required, realtime.origin_not_allowed, views.session_invalid, views.session_expired, videos.not_found,
 * service.unavailable.
 */
export async function watchCounts(
  ctx: RequestContext,
  videoId: string,
  handshake: LiveHandshake,
): Promise<Response> {
  if (handshake.upgrade?.toLowerCase() !== 'websocket')
    throw upgradeRequired({ headers: { upgrade: 'websocket', connection: 'upgrade' } });
  if (!isOriginAllowed(handshake.origin, ctx.config.http.corsOrigins)) throw originNotAllowed();
  const offers = (handshake.protocols ?? '').split(',').map((offer) => offer.trim());
  const token = offers.map((offer) => sessionProtocol.exec(offer)?.[1]).find((found) => found !== undefined);
  const { views, shard } = await placeOf(ctx, videoId, token);
  const answer = await callDurableObject(ctx.bindings.VIEW_COUNTER, counterName(videoId, shard), (counter) =>
    counter.fetch('https://views.internal/', {
      headers: {
        upgrade: 'websocket',
        [liveHeaders.videoId]: videoId,
        [liveHeaders.shard]: String(shard),
        [liveHeaders.views]: String(views),
      },
    }),
  );
  const { webSocket } = answer;
  if (answer.status !== 101 || webSocket === null) throw unavailable({ headers: { 'retry-after': '30' } });
  return new Response(null, {
    status: 101,
    webSocket,
    headers: offers.includes(liveSubprotocol) ? { 'sec-websocket-protocol': liveSubprotocol } : {},
  });
}

async function placeOf(ctx: RequestContext, videoId: string, token: string | undefined) {
  if (token !== undefined) {
    const { knownViews, shard } = await liveSession(ctx, videoId, token);
    return { views: knownViews, shard };
  }
  const found = await findViewCount(ctx.readDb, videoId, viewerIdOf(ctx));
  if (found === undefined) throw videoNotFound();
  const shards = shardsNow(videoId, found.shards, ctx.clock.now());
  return { views: found.views, shard: shards <= 1 ? 0 : 1 + Math.floor(Math.random() * shards) };
}
