import type { RequestContext } from '../../../context.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import { signedCookies, signedQuery, signedUrl } from '../../../integrations/aws/index.ts';
import type { AppError, AppErrorOptions } from '../../../shared/errors.ts';
import { encodeId } from '../../../shared/ids.ts';
import { isOfAge } from '../../users/index.ts';
import { findPlaybackFacts, type PlaybackFacts } from '../playback.repository.ts';
import type { PlaybackInput, PlaybackView } from '../playback.schemas.ts';
import { hostOf } from '../policy/embed-domains.ts';
import { isRestricted, type PlaybackRefusal, refusePlayback } from '../policy/playback-policy.ts';
import { playbackRefusals, videoNotFound } from '../videos.errors.ts';
import { mediaUrl } from '../videos.views.ts';
import { type FolderGrant, signFolder } from './sign-media.ts';
import { isUnlockToken } from './video-password.ts';

/** Where a player stands. */
export interface PlayerPlace {
  /** The `Origin` a browser sent. */
  readonly origin: string | undefined;
}

export interface Playback {
  readonly view: PlaybackView;
  /** `Set-Cookie` values. */
  readonly cookies: readonly string[];
}

/**
 * Decides whether the caller may play a video now, and signs for all of its files if so: one trip to the database.
 * @throws videos.not_found, videos.not_ready, videos.embed_refused, videos.country_refused, videos.age_unknown,
 * videos.under_age, videos.locked.
 */
export async function requestPlayback(
  ctx: RequestContext,
  videoId: string,
  input: PlaybackInput,
  place: PlayerPlace,
): Promise<Playback> {
  const facts = await findPlaybackFacts(ctx.readDb, videoId, viewerIdOf(ctx));
  if (facts === undefined) throw videoNotFound();
  const refusal = await refusalOf(ctx, videoId, facts, input, place);
  if (refusal !== undefined) throw refusalErrors[refusal]();
  const { hlsKey, dashKey } = facts;
  if (hlsKey === null || dashKey === null) throw playbackRefusals.notReady();
  const grant = await grantFor(ctx, facts);
  const cookies = input.cookies && grant !== undefined ? cookiesFor(ctx, facts, grant) : [];
  return {
    view: presentPlayback(ctx, videoId, { ...facts, hlsKey, dashKey }, grant, cookies.length > 0),
    cookies,
  };
}

async function refusalOf(
  ctx: RequestContext,
  videoId: string,
  facts: PlaybackFacts,
  input: PlaybackInput,
  place: PlayerPlace,
): Promise<PlaybackRefusal | undefined> {
  const { video, standing, passwordHash, sealedBirthDate } = facts;
  const nowMs = ctx.clock.now();
  const viewerId = viewerIdOf(ctx);
  const { unlock_token: token } = input;
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
  const here = { unlocked, ofAge, country: ctx.country, embedHost: embedHostOf(ctx, input, place) };
  return refusePlayback(video, standing, here, nowMs);
}

/**
 * The site in whose page the player stands: what the player says, else where a browser says the request comes from. Our own
 * pages and those of our clients are none. Somebody who makes requests without a browser can say anything; what stands
 * in a browser is also held by `frame-ancestors`.
 */
function embedHostOf(ctx: RequestContext, input: PlaybackInput, place: PlayerPlace): string | undefined {
  const stated = input.embed_origin ?? place.origin;
  if (stated === undefined) return undefined;
  const own = [ctx.config.auth.issuer, ctx.config.email.appBaseUrl, ...ctx.config.http.corsOrigins];
  const origin = URL.parse(stated)?.origin;
  if (own.some((address) => address !== '*' && URL.parse(address)?.origin === origin)) return undefined;
  return hostOf(stated) ?? 'unknown.invalid';
}

function grantFor(ctx: RequestContext, { video }: PlaybackFacts): Promise<FolderGrant | undefined> {
  const { playbackTtlSeconds, restrictedPlaybackTtlSeconds, bindToAddress } = ctx.config.delivery;
  const restricted = isRestricted(video);
  const bound = restricted && bindToAddress && ctx.ip !== undefined && /^[\d.]+$/.test(ctx.ip);
  return signFolder(ctx, {
    prefix: video.mediaPrefix,
    ttlSeconds: restricted ? restrictedPlaybackTtlSeconds : playbackTtlSeconds,
    ...(bound && ctx.ip !== undefined ? { ip: ctx.ip } : {}),
  });
}

function cookiesFor(ctx: RequestContext, { video }: PlaybackFacts, grant: FolderGrant): string[] {
  const { cookieDomain } = ctx.config.delivery;
  if (cookieDomain === '') return [];
  const base = new URL(ctx.config.aws.cdnBaseUrl).pathname.replace(/\/$/, '');
  const maxAge = Math.max(0, grant.expiresAt - Math.floor(ctx.clock.now() / 1_000));
  // The path keeps the cookies of one video from those of another.
  const rest = `Domain=${cookieDomain}; Path=${base}/${video.mediaPrefix}; Max-Age=${maxAge}; Secure; HttpOnly; SameSite=Lax`;
  return signedCookies(grant).map(([name, value]) => `${name}=${value}; ${rest}`);
}

function presentPlayback(
  ctx: RequestContext,
  videoId: string,
  files: PlaybackFacts & { readonly hlsKey: string; readonly dashKey: string },
  grant: FolderGrant | undefined,
  cookies: boolean,
): PlaybackView {
  const sign = (key: string): string => {
    const url = mediaUrl(key, ctx.config.aws.cdnBaseUrl);
    return grant === undefined || !key.startsWith(files.video.mediaPrefix) ? url : signedUrl(url, grant);
  };
  const signOrNull = (key: string | null): string | null => (key === null ? null : sign(key));
  return {
    video_id: encodeId('video', videoId),
    hls_url: sign(files.hlsKey),
    dash_url: sign(files.dashKey),
    storyboard_url: signOrNull(files.storyboardKey),
    preview_url: signOrNull(files.previewKey),
    download_url: files.downloadsEnabled ? signOrNull(files.downloadKey) : null,
    thumbnails: files.thumbnailKeys.map(sign),
    captions: files.captions.map(({ key, ...track }) => ({ ...track, url: sign(key) })),
    query: grant === undefined ? '' : signedQuery(grant),
    cookies,
    expires_at: grant === undefined ? null : new Date(grant.expiresAt * 1_000).toISOString(),
  };
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
