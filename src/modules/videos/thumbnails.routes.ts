import { z } from '@hono/zod-openapi';
import { idSchema } from '../../http/params.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { encodeId } from '../../shared/ids.ts';
import { imageTypes, maxImageBytes } from './policy/images.ts';
import { showVideo } from './usecases/show-video.ts';
import { chooseThumbnail, removeThumbnail, startThumbnail, useThumbnail } from './usecases/thumbnail.ts';
import { videoParams, videoSchema } from './videos.schemas.ts';

const tags = ['Videos'];

export const startThumbnailBody = z
  .strictObject({
    content_type: z.enum(imageTypes),
    size_bytes: z.int().min(1).max(maxImageBytes).openapi({ description: 'Exact size of the file.' }),
  })
  .openapi('StartThumbnail');

export const setThumbnailBody = z
  .strictObject({
    thumbnail_id: idSchema('thumbnail')
      .optional()
      .openapi({ description: 'A picture that was sent to its URL.' }),
    position: z.int().min(0).max(99).nullable().optional().openapi({
      description: 'A still of the film; null goes back to your picture, or the still we choose.',
    }),
  })
  .refine(
    (body) => (body.thumbnail_id === undefined) !== (body.position === undefined),
    'must name either a picture or a still',
  )
  .openapi('SetThumbnail');

export const thumbnailUploadSchema = z
  .object({
    thumbnail_id: z.string(),
    url: z.url().openapi({ description: 'PUT the picture here.' }),
    headers: z
      .record(z.string(), z.string())
      .openapi({ description: 'Part of the signature: the request must carry exactly these.' }),
    expires_at: z.iso.datetime(),
  })
  .openapi('ThumbnailUpload');

/** Mounted at `/v1/videos`. */
export const thumbnailsRoutes = createRouter();

thumbnailsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{video_id}/thumbnails',
    request: { params: videoParams, ...jsonBody(startThumbnailBody) },
    responses: {
      201: jsonResponse(thumbnailUploadSchema, 'Where to send the picture'),
      ...problems(400, 401, 404, 422),
    },
    summary: 'Send a picture to show a video by',
    description:
      'JPEG, PNG or WebP of at most 2 MiB, 160 by 90 to 4096 pixels. Name it with PUT …/thumbnail afterwards.',
    operationId: 'startThumbnail',
    tags,
  }),
  async (c) => {
    const body = c.req.valid('json');
    const upload = await startThumbnail(c.var.ctx, c.req.valid('param').video_id, {
      contentType: body.content_type,
      sizeBytes: body.size_bytes,
    });
    return c.json(
      {
        thumbnail_id: encodeId('thumbnail', upload.thumbnailId),
        url: upload.url,
        headers: { ...upload.headers },
        expires_at: new Date(upload.expiresAtMs).toISOString(),
      },
      201,
    );
  },
);

thumbnailsRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/{video_id}/thumbnail',
    request: { params: videoParams, ...jsonBody(setThumbnailBody) },
    responses: {
      200: jsonResponse(videoSchema, 'The video, shown by that picture'),
      ...problems(400, 401, 404, 409, 422),
    },
    summary: 'Choose the picture a video is shown by',
    operationId: 'setThumbnail',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { video_id: videoId } = c.req.valid('param');
    const { thumbnail_id: thumbnailId, position = null } = c.req.valid('json');
    const video = await (thumbnailId === undefined
      ? chooseThumbnail(ctx, videoId, position)
      : useThumbnail(ctx, videoId, thumbnailId));
    return c.json(await showVideo(ctx, video), 200);
  },
);

thumbnailsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/{video_id}/thumbnail',
    request: { params: videoParams },
    responses: { 204: { description: 'The picture you gave is gone' }, ...problems(401, 404) },
    summary: 'Remove the picture you gave',
    operationId: 'removeThumbnail',
    tags,
  }),
  async (c) => {
    await removeThumbnail(c.var.ctx, c.req.valid('param').video_id);
    return c.body(null, 204);
  },
);
