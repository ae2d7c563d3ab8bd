import { withEtag } from '../../http/etag.ts';
import { decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { requireViewerId } from '../../http/viewer.ts';
import { presentUserSummary } from '../users/index.ts';
import { categoriesSchema, licencesSchema } from './details.schemas.ts';
import { categories, categoryIds } from './policy/categories.ts';
import { licenceIds, licences } from './policy/licences.ts';
import { likedPositionSchema, likedVideoPageSchema, rateVideoBody, ratingSchema } from './ratings.schemas.ts';
import { listLikedVideos, type RatingState, rateVideo, unrateVideo } from './usecases/rate-video.ts';
import { viewChapters } from './usecases/view-chapters.ts';
import { videoParams } from './videos.schemas.ts';
import { presentVideoSummary } from './videos.views.ts';

const tags = ['Videos'];

/** Mounted at `/v1`, before the routes that take `/videos/{video_id}`. */
export const videoDetailsRoutes = createRouter();

videoDetailsRoutes.use('/videos/:video_id/chapters.vtt', withEtag());

const forADay = 'public, max-age=86400';

videoDetailsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/videos/categories',
    responses: { 200: jsonResponse(categoriesSchema, 'Every category'), ...problems() },
    summary: 'List the categories of videos',
    operationId: 'listVideoCategories',
    tags,
  }),
  async (c) => {
    const data = categoryIds.map((id) => ({ id, title: categories[id] }));
    return c.json({ data }, 200, { 'cache-control': forADay });
  },
);

videoDetailsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/videos/licences',
    responses: { 200: jsonResponse(licencesSchema, 'Every licence'), ...problems() },
    summary: 'List the licences of videos',
    operationId: 'listVideoLicences',
    tags,
  }),
  async (c) => {
    const data = licenceIds.map((id) => ({ id, ...licences[id] }));
    return c.json({ data }, 200, { 'cache-control': forADay });
  },
);

videoDetailsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/videos/{video_id}/chapters.vtt',
    request: { params: videoParams },
    responses: {
      200: {
        description: 'The chapters; a file without cues when there are none',
        content: { 'text/vtt': { schema: { type: 'string' } } },
      },
      304: { description: 'The client has this version already' },
      ...problems(401, 404),
    },
    summary: 'Get the chapters of a video as WebVTT',
    operationId: 'getVideoChapters',
    tags,
  }),
  async (c) => {
    const file = await viewChapters(c.var.ctx, c.req.valid('param').video_id);
    return c.body(file, 200, { 'content-type': 'text/vtt; charset=utf-8' });
  },
);

const presentRating = ({ rating, likes }: RatingState) => ({ rating, like_count: likes });

videoDetailsRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/videos/{video_id}/rating',
    request: { params: videoParams, ...jsonBody(rateVideoBody) },
    responses: { 200: jsonResponse(ratingSchema, 'Your rating'), ...problems(400, 401, 404, 422) },
    summary: 'Like or dislike a video',
    operationId: 'rateVideo',
    tags,
  }),
  async (c) => {
    const { video_id } = c.req.valid('param');
    return c.json(presentRating(await rateVideo(c.var.ctx, video_id, c.req.valid('json').rating)), 200);
  },
);

videoDetailsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/videos/{video_id}/rating',
    request: { params: videoParams },
    responses: { 200: jsonResponse(ratingSchema, 'You have no rating'), ...problems(401, 404) },
    summary: 'Take a like or dislike back',
    operationId: 'unrateVideo',
    tags,
  }),
  async (c) => c.json(presentRating(await unrateVideo(c.var.ctx, c.req.valid('param').video_id)), 200),
);

videoDetailsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/liked-videos',
    request: { query: pageQuery },
    responses: {
      200: jsonResponse(likedVideoPageSchema, 'Videos I like, latest liked first'),
      ...problems(400, 401),
    },
    summary: 'List the videos I like',
    description: 'Videos you may not see any more are left out, and back when you may again.',
    operationId: 'listLikedVideos',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { limit, cursor } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const { cdnBaseUrl } = ctx.config.aws;
    const scope = { list: 'videos:liked', userId: requireViewerId(ctx) };
    const after = await decodeCursor(cursorSecret, cursor, scope, likedPositionSchema);
    const rows = await listLikedVideos(ctx, { after, limit: limit + 1 });
    const { items, nextPosition } = page(rows, limit, ({ likedAt, video }) => ({
      since: likedAt,
      id: video.id,
    }));
    return c.json(
      {
        data: items.map(({ video, owner, likedAt }) => ({
          video: presentVideoSummary(video, cdnBaseUrl),
          owner: presentUserSummary(owner, cdnBaseUrl),
          liked_at: new Date(likedAt).toISOString(),
        })),
        next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
      },
      200,
    );
  },
);
