import type { RequestContext } from '../../../context.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import { signedCookies, signedQuery, signedUrl } from '../../../integrations/aws/index.ts';
import { encodeId } from '../../../shared/ids.ts';
import { findPlaybackFacts, type PlaybackFacts } from '../playback.repository.ts';
import type { PlaybackInput, PlaybackView } from '../playback.schemas.ts';
import { isRestricted } from '../policy/playback-policy.ts';
import { playbackRefusals, videoNotFound } from '../videos.errors.ts';
import { mediaUrl } from '../videos.views.ts';
import { assertMayPlay } from './decide-playback.ts';
import { type FolderGrant, signFolder } from './sign-media.ts';

export interface Playback {
  readonly view: PlaybackView;
  /** `Set-Cookie` values. */
  readonly cookies: readonly string[];
}

/**
 * Decides whether the caller may play a video now, and signs for all of its files if so: one trip to the database.
 * @param origin the `Origin` a browser sent.
 * @throws videos.not_found, videos.not_ready, videos.embed_refused, videos.country_refused, videos.age_unknown,
 * videos.under_age, videos.locked.
 */
export async function requestPlayback(
  ctx: RequestContext,
  videoId: string,
  input: PlaybackInput,
  origin: string | undefined,
): Promise<Playback> {
  const facts = await findPlaybackFacts(ctx.readDb, videoId, viewerIdOf(ctx));
  if (facts === undefined) throw videoNotFound();
  await assertMayPlay(ctx, videoId, facts, { ...input, origin });
  const { hlsKey, dashKey } = facts;
  if (hlsKey === null || dashKey === null) throw playbackRefusals.notReady();
  const grant = await grantFor(ctx, facts);
  const cookies = input.cookies && grant !== undefined ? cookiesFor(ctx, facts, grant) : [];
  return {
    view: presentPlayback(ctx, videoId, { ...facts, hlsKey, dashKey }, grant, cookies.length > 0),
    cookies,
  };
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
