import { dayOf, heartbeatSeconds } from '../../../../durable-objects/view-counter/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import { assertMayPlay, playbackRefusals, videoNotFound } from '../../videos/index.ts';
import { type BotSigns, deviceOf, isBot } from '../policy/clients.ts';
import { sealSession } from '../policy/session-token.ts';
import { shardOf, strangerViewer, userViewer } from '../policy/viewers.ts';
import { findWatchedVideo } from '../sessions.repository.ts';
import type { StartSessionInput } from '../views.schemas.ts';
import { saltOf } from './rotate-salts.ts';
import { shardsNow } from './shard-hints.ts';

/**
 * Starts a watch session of a video the caller may play now: who may not cannot count a view either. Everything a heartbeat needs to know stands in the token, so
 * heartbeats ask no database. What the owner and programs watch is not counted.
 * @param origin the `Origin` a browser sent.
 * @throws what `assertMayPlay` throws.
 */
export async function startSession(
  ctx: RequestContext,
  videoId: string,
  input: StartSessionInput,
  signs: BotSigns | undefined,
  origin: string | undefined,
) {
  const userId = viewerIdOf(ctx);
  const nowMs = ctx.clock.now();
  const secret = ctx.config.http.cursorSecret;
  const day = dayOf(nowMs);
  const video = await findWatchedVideo(ctx.readDb, { videoId, viewerId: userId, day });
  if (video === undefined) throw videoNotFound();
  await assertMayPlay(ctx, videoId, video, { ...input, origin });
  const { durationMs } = video;
  if (durationMs === null) throw playbackRefusals.notReady();
  const viewer =
    userId === undefined
      ? await strangerViewer(secret, video.salt ?? (await saltOf(ctx, day)), ctx)
      : await userViewer(secret, userId);
  const expiresAtMs = nowMs + ctx.config.views.sessionSeconds * 1_000;
  const referrer = input.source?.referrer;
  const token = await sealSession(secret, {
    id: ctx.ids.next(),
    videoId,
    ownerId: video.ownerId,
    shard: shardOf(viewer, shardsNow(videoId, video.shards, nowMs)),
    viewer,
    ...(userId === undefined ? {} : { userId }),
    durationMs,
    counted: userId !== video.ownerId && !isBot(ctx.userAgent, signs),
    source: input.source?.kind ?? 'direct',
    ...(referrer === undefined ? {} : { referrer }),
    country: ctx.country ?? 'XX',
    device: deviceOf(ctx.userAgent),
    startedAtMs: nowMs,
    expiresAtMs,
    knownViews: video.views,
  });
  return {
    session_token: token,
    heartbeat_seconds: heartbeatSeconds,
    expires_at: new Date(expiresAtMs).toISOString(),
    view_count: video.views,
  };
}
