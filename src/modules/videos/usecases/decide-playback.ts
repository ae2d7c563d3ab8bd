import type { RequestContext } from '../../../context.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import type { AppError, AppErrorOptions } from '../../../shared/errors.ts';
import { isOfAge } from '../../users/index.ts';
import type { DecisionFacts } from '../playback.repository.ts';
import { hostOf } from '../policy/embed-domains.ts';
import { type PlaybackRefusal, refusePlayback } from '../policy/playback-policy.ts';
import { playbackRefusals, videoNotFound } from '../videos.errors.ts';
import { isUnlockToken } from './video-password.ts';

/** What a player says of itself, and what its request tells. */
export interface PlayerClaims {
  readonly unlock_token?: string | undefined;
  readonly embed_origin?: string | undefined;
  /** The `Origin` a browser sent. */
  readonly origin: string | undefined;
}

/**
 * Lets pass whoever may play a video now and here.
 * @throws videos.not_found, videos.not_ready, videos.embed_refused, videos.country_refused, videos.age_unknown,
 * videos.under_age, videos.locked.
 */
export async function assertMayPlay(
  ctx: RequestContext,
  videoId: string,
  facts: DecisionFacts,
  claims: PlayerClaims,
): Promise<void> {
  const { video, standing, passwordHash, sealedBirthDate } = facts;
  const nowMs = ctx.clock.now();
  const viewerId = viewerIdOf(ctx);
  const { unlock_token: token } = claims;
  const unlocked =
    passwordHash !== null &&
    token !== undefined &&
    (await isUnlockToken(
      { secret: ctx.config.http.cursorSecret, videoId, passwordHash },
      token,
      Math.floor(nowMs / 1_000),
    ));
  const ofAge =
    video.ageRestricted && viewerId !== undefined ? await isOfAge(ctx, viewerId, sealedBirthDate) : undefined;
  const here = { unlocked, ofAge, country: ctx.country, embedHost: embedHostOf(ctx, claims) };
  const refusal = refusePlayback(video, standing, here, nowMs);
  if (refusal !== undefined) throw refusalErrors[refusal]();
}

/**
 * The site in whose page the player stands: what the player says, else where a browser says the request comes from. Our own
 * pages and those of our clients are none. Somebody who makes requests without a browser can say anything; what stands
 * in a browser is also held by `frame-ancestors`.
 */
function embedHostOf(ctx: RequestContext, claims: PlayerClaims): string | undefined {
  const stated = claims.embed_origin ?? claims.origin;
  if (stated === undefined) return undefined;
  const own = [ctx.config.auth.issuer, ctx.config.email.appBaseUrl, ...ctx.config.http.corsOrigins];
  const origin = URL.parse(stated)?.origin;
  if (own.some((address) => address !== '*' && URL.parse(address)?.origin === origin)) return undefined;
  return hostOf(stated) ?? 'unknown.invalid';
}

const refusalErrors: Readonly<Record<PlaybackRefusal, (options?: AppErrorOptions) => AppError>> = {
  not_found: videoNotFound,
  not_ready: playbackRefusals.notReady,
  embed_refused: playbackRefusals.embed,
  country_refused: playbackRefusals.country,
  age_unknown: playbackRefusals.ageUnknown,
  under_age: playbackRefusals.underAge,
  locked: playbackRefusals.locked,
};
