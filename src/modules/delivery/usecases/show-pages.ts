import type { RequestContext } from '../../../context.ts';
import { decodeId, encodeId } from '../../../shared/ids.ts';
import { userNotFound } from '../../users/index.ts';
import {
  findVideo,
  listVideoRows,
  mediaUrl,
  openKey,
  playbackRefusals,
  type VideoRow,
  videoNotFound,
} from '../../videos/index.ts';
import type { ShownVideo, Thumbnail } from '../policy/embed-page.ts';

const videosInFeed = 30;
// Stills are made in the largest size of this short side at most (`job-outputs.ts` of the videos).
const stillShortSide = 720;

/** A video as any stranger sees it, with who may show it. @throws videos.not_found. */
export async function loadShownVideo(
  ctx: RequestContext,
  videoId: string,
): Promise<{ readonly shown: ShownVideo; readonly row: VideoRow }> {
  const row = await findVideo(ctx.readDb, videoId, undefined);
  if (row === undefined) throw videoNotFound();
  return { row, shown: shownVideo(ctx, row) };
}

/**
 * The video an address of ours names, for sites that show it.
 * @throws videos.not_found, videos.embed_refused when its owner lets no other site show it.
 */
export async function loadEmbeddable(ctx: RequestContext, address: string): Promise<ShownVideo> {
  const videoId = videoIdIn(ctx, address);
  if (videoId === undefined) throw videoNotFound();
  const { row, shown } = await loadShownVideo(ctx, videoId);
  if (row.access.embedMode === 'nowhere') throw playbackRefusals.embed();
  return shown;
}

/** The newest videos of a user that any stranger sees in lists. @throws users.not_found. */
export async function loadChannel(ctx: RequestContext, userId: string) {
  const rows = await listVideoRows(ctx.readDb, {
    ownerId: userId,
    viewerId: undefined,
    beforeId: undefined,
    limit: videosInFeed,
  });
  if (rows === undefined) throw userNotFound();
  const [first] = rows;
  const id = encodeId('user', userId);
  return {
    title: first?.owner.displayName ?? id,
    link: userUrl(ctx, first?.owner.username ?? id),
    feedUrl: `${ctx.config.auth.issuer}/v1/users/${id}/feed.rss`,
    videos: rows.map((row) => shownVideo(ctx, row)),
  };
}

const userUrl = (ctx: RequestContext, name: string): string => `${ctx.config.email.appBaseUrl}/users/${name}`;

function shownVideo(ctx: RequestContext, row: VideoRow): ShownVideo {
  const id = encodeId('video', row.id);
  const embedUrl = `${ctx.config.auth.issuer}/embed/${id}`;
  return {
    id,
    title: row.title,
    description: row.description,
    width: row.width,
    height: row.height,
    durationSeconds: row.durationMs === null ? null : row.durationMs / 1_000,
    publishedAt: row.publishedAt,
    ownerName: row.owner.displayName,
    ownerUrl: userUrl(ctx, row.owner.username),
    watchUrl: `${ctx.config.email.appBaseUrl}/videos/${id}`,
    embedUrl,
    oembedUrl: `${ctx.config.auth.issuer}/oembed?url=${encodeURIComponent(embedUrl)}&format=json`,
    thumbnail: thumbnailOf(ctx, row),
  };
}

function thumbnailOf(ctx: RequestContext, { access, thumbnailKeys, renditions }: VideoRow): Thumbnail | null {
  // The second, since films often open in black.
  const key = thumbnailKeys[1] ?? thumbnailKeys[0];
  const size =
    renditions.findLast(({ width, height }) => Math.min(width, height) <= stillShortSide) ?? renditions[0];
  if (!access.stillsOpen || key === undefined || size === undefined) return null;
  const { width, height } = size;
  return { url: mediaUrl(openKey(key), ctx.config.aws.cdnBaseUrl), width, height };
}

/** The id in an address of the player or of the page of a video. */
function videoIdIn(ctx: RequestContext, address: string): string | undefined {
  for (const page of [`${ctx.config.auth.issuer}/embed/`, `${ctx.config.email.appBaseUrl}/videos/`])
    if (address.startsWith(page))
      return decodeId('video', address.slice(page.length).replace(/[/?#].*$/, ''));
  return undefined;
}
