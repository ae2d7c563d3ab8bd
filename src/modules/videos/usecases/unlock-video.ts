import type { RequestContext } from '../../../context.ts';
import { unavailable } from '../../../http/errors.ts';
import { hashedPartition, partitionOf } from '../../../http/rate-limit/partition.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import { withinDeadline } from '../../../shared/deadline.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import { findPlaybackFacts } from '../playback.repository.ts';
import { refusePlayback } from '../policy/playback-policy.ts';
import { playbackRefusals, videoNotFound } from '../videos.errors.ts';
import { isVideoPassword, makeUnlockToken } from './video-password.ts';

const hour = 3_600;
/** Wrong passwords let through: for one viewer or network and video, and for one video by everybody. */
const viewerWindow = { limit: 20, periodSeconds: hour, burst: 5 } as const;
const videoWindow = { limit: 600, periodSeconds: hour, burst: 200 } as const;
const shards = 16;
const deadlineMs = 2_000;

/**
 * Exchanges the password of a video for a token that plays it for some hours. Wrong ones are counted by viewer or network,
 * and by video.
 * @throws videos.not_found, videos.not_locked, videos.wrong_password, videos.too_many_attempts.
 */
export async function unlockVideo(
  ctx: RequestContext,
  videoId: string,
  password: string,
): Promise<{ readonly token: string; readonly expiresAt: number }> {
  const facts = await findPlaybackFacts(ctx.readDb, videoId, viewerIdOf(ctx));
  if (facts === undefined) throw videoNotFound();
  const { video, standing, passwordHash } = facts;
  const nowMs = ctx.clock.now();
  // Only whether they may see it counts here: all else is asked when it is played.
  const open = { unlocked: true, ofAge: true, country: undefined, embedHost: undefined };
  const refusal = refusePlayback({ ...video, geoMode: null }, standing, open, nowMs);
  if (refusal === 'not_found') throw videoNotFound();
  if (refusal !== undefined) throw playbackRefusals.notReady();
  if (passwordHash === null) throw playbackRefusals.notLocked();
  const attempt = await chargeAttempt(ctx, videoId);
  if (!(await isVideoPassword(password, passwordHash))) throw playbackRefusals.wrongPassword();
  attempt.forgive();
  const expiresAt = Math.floor(nowMs / 1_000) + ctx.config.delivery.unlockTtlSeconds;
  const token = await makeUnlockToken(
    { secret: ctx.config.http.cursorSecret, videoId, passwordHash },
    expiresAt,
  );
  return { token, expiresAt };
}

/** Charged before the password is judged, so that many at once cannot outrun the count. */
async function chargeAttempt(
  ctx: RequestContext,
  videoId: string,
): Promise<{ readonly forgive: () => void }> {
  if (!ctx.config.http.rateLimitsEnabled) return { forgive: () => undefined };
  const { cursorSecret } = ctx.config.http;
  const video = await hashedPartition(cursorSecret, `unlock\n${videoId}`);
  const viewer = await hashedPartition(cursorSecret, `unlock\n${videoId}\n${partitionOf(ctx, 'caller')}`);
  const request = {
    key: video,
    windows: [{ ...viewerWindow, key: viewer }, videoWindow],
    cost: 1,
  };
  const object = `rl:unlock:${Number.parseInt(video.slice(0, 8), 16) % shards}`;
  const taken = await withinDeadline(
    callDurableObject(ctx.bindings.RATE_LIMITER, object, (limiter) => limiter.take(request), 2),
    deadlineMs,
  );
  if (taken === undefined) throw unavailable({ headers: { 'retry-after': '5' } });
  if (!taken.allowed)
    throw playbackRefusals.tooManyAttempts({
      headers: { 'retry-after': String(Math.max(1, taken.retryAfterSeconds)) },
    });
  return {
    forgive: () =>
      ctx.background(() =>
        callDurableObject(ctx.bindings.RATE_LIMITER, object, (limiter) => limiter.giveBack(request), 1),
      ),
  };
}
