import { counterName, type SessionFacts } from '../../../../durable-objects/view-counter/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import { unavailable } from '../../../http/errors.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import { withinDeadline } from '../../../shared/deadline.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import { openSession } from '../policy/session-token.ts';
import { heartbeatStale, heartbeatTooFast, sessionExpired, sessionInvalid } from '../views.errors.ts';
import type { HeartbeatInput } from '../views.schemas.ts';
import { noteShards } from './shard-hints.ts';

const deadlineMs = 5_000;

/**
 * The live session of a token for this video. A signed-in caller must be the one who started it; a caller without a token
 * may be anybody who holds it, since a closing page cannot send its access token along.
 * @throws views.session_invalid, views.session_expired.
 */
export async function liveSession(
  ctx: RequestContext,
  videoId: string,
  token: string,
): Promise<SessionFacts> {
  const facts = await openSession(ctx.config.http.cursorSecret, token);
  const callerId = viewerIdOf(ctx);
  if (facts === undefined || facts.videoId !== videoId) throw sessionInvalid();
  if (callerId !== undefined && callerId !== facts.userId) throw sessionInvalid();
  if (facts.expiresAtMs <= ctx.clock.now()) throw sessionExpired();
  return facts;
}

/**
 * Counts what a player reports. No database trip: one hop to the counter of the video, which has it in storage before it
 * answers. Sending it again changes nothing.
 * @throws views.session_invalid, views.session_expired, views.heartbeat_stale, views.heartbeat_too_fast, service.unavailable.
 */
export async function takeHeartbeat(ctx: RequestContext, videoId: string, input: HeartbeatInput) {
  const facts = await liveSession(ctx, videoId, input.session_token);
  const { startup_ms: startupMs, rebuffer_ms: rebufferMs, errors } = input.player ?? {};
  const beat = {
    seq: input.seq,
    spans: input.intervals.map(({ from_ms, to_ms }) => [from_ms, to_ms] as const),
    positionMs: input.position_ms,
    ...(startupMs === undefined ? {} : { startupMs }),
    ...(rebufferMs === undefined ? {} : { rebufferMs }),
    ...(errors === undefined ? {} : { errors }),
  };
  const result = await withinDeadline(
    callDurableObject(ctx.bindings.VIEW_COUNTER, counterName(videoId, facts.shard), (counter) =>
      counter.beat(facts, beat),
    ),
    deadlineMs,
  );
  if (result === undefined) throw unavailable({ headers: { 'retry-after': '5' } });
  if (!result.ok && result.code === 'stale') throw heartbeatStale();
  if (!result.ok) throw heartbeatTooFast({ headers: { 'retry-after': String(result.retryAfterSeconds) } });
  noteShards(videoId, result.shards, ctx.clock.now());
  return { watched_ms: result.watchedMs, next_heartbeat_seconds: result.nextSeconds };
}
