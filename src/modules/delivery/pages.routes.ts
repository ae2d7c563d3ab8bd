import type { AppContext } from '../../http/env.ts';
import { notFound } from '../../http/errors.ts';
import { withEtag } from '../../http/etag.ts';
import { createRouter, defineRoute, jsonResponse, problems } from '../../http/route.ts';
import { randomBytes } from '../../shared/crypto.ts';
import { base64 } from '../../shared/encoding.ts';
import { AppError } from '../../shared/errors.ts';
import { frameAncestors, hostOf, mayEmbed } from '../videos/index.ts';
import { oembedFormatUnknown } from './delivery.errors.ts';
import { embedParams, feedParams, oembedQuery, oembedSchema, playerFileParams } from './pages.schemas.ts';
import { embedPage, embedPagePolicy, noticePage, oembedOf, rssOf } from './policy/embed-page.ts';
import { loadChannel, loadEmbeddable, loadShownVideo } from './usecases/show-pages.ts';

const tags = ['Sharing'];

/** Mounted at `/`. */
export const pagesRoutes = createRouter();

pagesRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/embed/{video_id}',
    request: { params: embedParams },
    responses: {
      200: { description: 'The page of a player, for frames in other sites', content: { 'text/html': {} } },
      403: { description: 'The owner does not let it play there', content: { 'text/html': {} } },
      404: { description: 'There is no such video, or none for strangers', content: { 'text/html': {} } },
    },
    summary: 'The player of a video, for other sites',
    description:
      'Sets no cookies and knows nobody. `frame-ancestors` holds what the owner says about embedding.',
    operationId: 'showEmbedPage',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const found = await loadShownVideo(ctx, c.req.valid('param').video_id).catch((error: unknown) => {
      if (error instanceof AppError && error.status === 404) return undefined;
      throw error;
    });
    if (found === undefined) return page(c, 404, noticePage('There is no such video.'));
    const { access } = found.row;
    if (!mayEmbed(access, framingHost(c)))
      return page(c, 403, noticePage('This video does not play in pages of this site.'));
    const nonce = base64(randomBytes(18));
    const cdnOrigin = new URL(ctx.config.aws.cdnBaseUrl).origin;
    c.header(
      'content-security-policy',
      embedPagePolicy({ nonce, cdnOrigin, frameAncestors: frameAncestors(access) }),
    );
    return page(c, 200, embedPage(found.shown, nonce));
  },
);

pagesRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/oembed',
    request: { query: oembedQuery },
    responses: {
      200: jsonResponse(oembedSchema, 'How to show the video'),
      ...problems(400, 403, 404),
    },
    summary: 'oEmbed of a video',
    operationId: 'getOEmbed',
    tags,
  }),
  async (c) => {
    const { url, format, maxwidth, maxheight } = c.req.valid('query');
    if (format !== 'json') throw oembedFormatUnknown();
    const shown = await loadEmbeddable(c.var.ctx, url);
    c.header('cache-control', 'public, max-age=300');
    return c.json(oembedOf(shown, { maxWidth: maxwidth, maxHeight: maxheight }), 200);
  },
);

pagesRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/player/{script}',
    operationId: 'readPlayerFile',
    hide: true,
    request: { params: playerFileParams },
    responses: { 200: { description: 'The scripts of the player page' } },
  }),
  async (c) => {
    const { script } = c.req.valid('param');
    const asset = await c.env.ASSETS?.fetch(new URL(`/player/${script}`, c.req.url));
    if (asset === undefined || asset.status !== 200) throw notFound();
    return new Response(asset.body, {
      headers: { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'public, max-age=3600' },
    });
  },
);

pagesRoutes.use('/v1/users/:user_id/feed.rss', withEtag());

pagesRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/v1/users/{user_id}/feed.rss',
    request: { params: feedParams },
    responses: {
      200: { description: 'Public videos, newest first, as RSS', content: { 'application/rss+xml': {} } },
      304: { description: 'The reader has this version already' },
      ...problems(404),
    },
    summary: 'RSS feed of the videos of a user',
    operationId: 'readChannelFeed',
    tags,
  }),
  async (c) => {
    const channel = await loadChannel(c.var.ctx, c.req.valid('param').user_id);
    return c.body(rssOf(channel), 200, {
      'content-type': 'application/rss+xml; charset=utf-8',
      'cache-control': 'public, max-age=300',
    });
  },
);

/** The host in whose frame a page is loaded, as far as the browser says. */
function framingHost(c: AppContext): string | undefined {
  const framed = /^(iframe|frame|embed|object)$/.test(c.req.header('sec-fetch-dest') ?? '');
  const referer = c.req.header('referer');
  if (!framed || referer === undefined) return undefined;
  return new URL(c.req.url).host === URL.parse(referer)?.host ? undefined : hostOf(referer);
}

function page(c: AppContext, status: 200 | 403 | 404, html: string): Response {
  return c.body(html, status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'private, no-store',
  });
}
