import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { startedUploadSchema, startReplacementBody } from './uploads.schemas.ts';
import { presentPartUrl, presentUpload } from './uploads.views.ts';
import { giveUpReplacement } from './usecases/replace-file.ts';
import { retryReplacement } from './usecases/retry-video.ts';
import { showVideo } from './usecases/show-video.ts';
import { startReplacement } from './usecases/start-upload.ts';
import { videoParams, videoSchema } from './videos.schemas.ts';

const tags = ['Videos'];

/** Mounted at `/v1/videos`. */
export const replacementsRoutes = createRouter();

replacementsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{video_id}/replacement',
    request: { params: videoParams, ...jsonBody(startReplacementBody) },
    responses: {
      201: jsonResponse(startedUploadSchema, 'The upload of the new file, with URLs for its first parts'),
      ...problems(400, 401, 404, 409, 422, 429),
    },
    summary: 'Replace the file of a published video',
    description:
      'The upload goes on like any other. The video keeps its address, comments and counts, and is played from the old file until the new one is ready; if that fails, it stays as it is.',
    operationId: 'startReplacement',
    tags,
  }),
  async (c) => {
    const body = c.req.valid('json');
    const { upload, parts } = await startReplacement(c.var.ctx, c.req.valid('param').video_id, {
      fileName: body.file_name,
      sizeBytes: body.size_bytes,
      contentType: body.content_type,
    });
    return c.json({ ...presentUpload(upload), parts: parts.map(presentPartUrl) }, 201);
  },
);

replacementsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{video_id}/replacement/retry',
    request: { params: videoParams },
    responses: {
      202: jsonResponse(videoSchema, 'The new file is tried again; the video is played from the old one'),
      ...problems(401, 404, 409),
    },
    summary: 'Try a replacement that failed again',
    operationId: 'retryReplacement',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const video = await retryReplacement(ctx, c.req.valid('param').video_id);
    return c.json(await showVideo(ctx, video), 202);
  },
);

replacementsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/{video_id}/replacement',
    request: { params: videoParams },
    responses: { 204: { description: 'The video stays as it is' }, ...problems(401, 404, 409) },
    summary: 'Give the replacement of a file up',
    operationId: 'giveUpReplacement',
    tags,
  }),
  async (c) => {
    await giveUpReplacement(c.var.ctx, c.req.valid('param').video_id);
    return c.body(null, 204);
  },
);
