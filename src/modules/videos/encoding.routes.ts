import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { encodeId } from '../../shared/ids.ts';
import {
  captionsListSchema,
  captionsParams,
  captionsSchema,
  changeEncodingBody,
  createClipBody,
  encodingSchema,
  putCaptionsBody,
  putWatermarkBody,
  sideFileSchema,
  startSideFileBody,
  watermarkSchema,
} from './encoding.schemas.ts';
import { presentCaptions, presentEncoding, presentWatermark } from './encoding.views.ts';
import { clipVideo } from './usecases/clip-video.ts';
import { getCaptions, listCaptions, putCaptions, removeCaptions } from './usecases/manage-captions.ts';
import { changeEncoding, lookAtEncoding, viewEncoding } from './usecases/manage-encoding.ts';
import { getWatermark, putWatermark, removeWatermark } from './usecases/manage-watermark.ts';
import { showVideo } from './usecases/show-video.ts';
import { startSideFile } from './usecases/side-files.ts';
import { videoParams, videoSchema } from './videos.schemas.ts';

const tags = ['Encoding'];

/** Mounted at `/v1`. */
export const encodingRoutes = createRouter();

encodingRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/videos/{video_id}/captions',
    request: { params: videoParams },
    responses: {
      200: jsonResponse(captionsListSchema, 'The caption tracks, by language'),
      ...problems(401, 404),
    },
    summary: "List a video's captions",
    operationId: 'listCaptions',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { captions, ...shown } = await listCaptions(ctx, c.req.valid('param').video_id);
    const { cdnBaseUrl } = ctx.config.aws;
    return c.json(
      { data: captions.map((track) => presentCaptions(track, { ...shown, cdnBaseUrl, text: null })) },
      200,
    );
  },
);

encodingRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/videos/{video_id}/captions/{language}',
    request: { params: captionsParams },
    responses: { 200: jsonResponse(captionsSchema, 'The track'), ...problems(401, 404, 503) },
    summary: 'Get captions in a language',
    description: 'The owner gets their words, as WebVTT; others play them with the video.',
    operationId: 'getCaptions',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { video_id, language } = c.req.valid('param');
    const { tracks, track, text } = await getCaptions(ctx, video_id, language);
    const { cdnBaseUrl } = ctx.config.aws;
    return c.json(presentCaptions(track, { ...tracks, cdnBaseUrl, text }), 200);
  },
);

encodingRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/videos/{video_id}/captions/{language}',
    request: { params: captionsParams, ...jsonBody(putCaptionsBody) },
    responses: {
      200: jsonResponse(captionsSchema, 'The track as it is kept'),
      ...problems(400, 401, 404, 409, 422, 503),
    },
    summary: 'Set captions in a language, for a video of your own',
    description:
      'WebVTT or SubRip, normalised to WebVTT. Works at any time: the manifests of a published video name the track moments later, under new addresses; the old ones keep playing.',
    operationId: 'putCaptions',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { video_id: videoId, language } = c.req.valid('param');
    const { label, kind, text, file_id: fileId } = c.req.valid('json');
    const source = fileId === undefined ? { text: text ?? '' } : { fileId };
    const track = await putCaptions(ctx, { videoId, language, label, kind, source });
    const shown = { hlsKey: null, isBuilt: false, cdnBaseUrl: ctx.config.aws.cdnBaseUrl, text: null };
    return c.json(presentCaptions(track, shown), 200);
  },
);

encodingRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/videos/{video_id}/captions/{language}',
    request: { params: captionsParams },
    responses: { 204: { description: 'The captions are gone' }, ...problems(401, 404) },
    summary: 'Remove captions in a language from a video of your own',
    operationId: 'deleteCaptions',
    tags,
  }),
  async (c) => {
    const { video_id, language } = c.req.valid('param');
    await removeCaptions(c.var.ctx, video_id, language);
    return c.body(null, 204);
  },
);

encodingRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/videos/{video_id}/clips',
    request: { params: videoParams, ...jsonBody(createClipBody) },
    responses: {
      201: jsonResponse(videoSchema, 'The clip, which is being converted'),
      ...problems(400, 401, 404, 409, 422, 503),
    },
    summary: 'Make a video of a part of a video of your own',
    description:
      'It has its part of the captions there are now, a moment after the answer. What is changed at either video later, changes there alone.',
    operationId: 'createClip',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { start_ms: startMs, end_ms: endMs, title, description, visibility } = c.req.valid('json');
    const request = { startMs, endMs, title, description, visibility };
    const clip = await clipVideo(ctx, c.req.valid('param').video_id, request);
    return c.json(await showVideo(ctx, clip), 201);
  },
);

encodingRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/videos/{video_id}/encoding',
    request: { params: videoParams },
    responses: {
      200: jsonResponse(encodingSchema, 'Jobs, the newest first, and costs'),
      ...problems(401, 404),
    },
    summary: 'Get how a video of your own is converted, and what that costs',
    operationId: 'getEncoding',
    tags,
  }),
  async (c) => c.json(presentEncoding(await viewEncoding(c.var.ctx, c.req.valid('param').video_id)), 200),
);

encodingRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/admin/videos/{video_id}/encoding',
    request: { params: videoParams },
    responses: {
      200: jsonResponse(encodingSchema, 'Jobs, the newest first, and costs'),
      ...problems(401, 403, 404),
    },
    summary: "Get how anybody's video is converted, and what that costs",
    operationId: 'viewVideoEncoding',
    tags: ['Administration'],
  }),
  async (c) => c.json(presentEncoding(await lookAtEncoding(c.var.ctx, c.req.valid('param').video_id)), 200),
);

encodingRoutes.openapi(
  defineRoute({
    method: 'patch',
    path: '/videos/{video_id}/encoding',
    request: { params: videoParams, ...jsonBody(changeEncodingBody) },
    responses: {
      200: jsonResponse(encodingSchema, 'How it is converted now'),
      ...problems(400, 401, 404, 409, 422),
    },
    summary: 'Change how a video of your own is converted',
    operationId: 'changeEncoding',
    tags,
  }),
  async (c) => {
    const { downloads_enabled: downloadsEnabled, burn_in_captions: burnInCaptions } = c.req.valid('json');
    const change = { downloadsEnabled, burnInCaptions };
    return c.json(
      presentEncoding(await changeEncoding(c.var.ctx, c.req.valid('param').video_id, change)),
      200,
    );
  },
);

encodingRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/me/side-files',
    request: jsonBody(startSideFileBody),
    responses: { 201: jsonResponse(sideFileSchema, 'Where to send the file'), ...problems(400, 401, 422) },
    summary: 'Send a small file, of captions, a watermark or an emote',
    description: 'Then name its id where it is to be used. It is gone once it was used, or after a day.',
    operationId: 'startSideFile',
    tags,
  }),
  async (c) => {
    const { purpose, size_bytes: sizeBytes } = c.req.valid('json');
    const file = await startSideFile(c.var.ctx, { purpose, sizeBytes });
    return c.json(
      {
        id: encodeId('sideFile', file.id),
        url: file.url,
        headers: { ...file.headers },
        expires_at: new Date(file.expiresAtMs).toISOString(),
      },
      201,
    );
  },
);

encodingRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/watermark',
    responses: { 200: jsonResponse(watermarkSchema, 'The watermark'), ...problems(401, 404) },
    summary: 'Get my watermark',
    operationId: 'getWatermark',
    tags,
  }),
  async (c) => c.json(presentWatermark(await getWatermark(c.var.ctx)), 200),
);

encodingRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/me/watermark',
    request: jsonBody(putWatermarkBody),
    responses: { 200: jsonResponse(watermarkSchema, 'The watermark'), ...problems(400, 401, 404, 422, 503) },
    summary: 'Set the watermark of what I have encoded from now on',
    operationId: 'putWatermark',
    tags,
  }),
  async (c) => {
    const { file_id: fileId, corner, opacity_percent, width_percent } = c.req.valid('json');
    const wanted = { fileId, corner, opacityPercent: opacity_percent, widthPercent: width_percent };
    return c.json(presentWatermark(await putWatermark(c.var.ctx, wanted)), 200);
  },
);

encodingRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/me/watermark',
    responses: { 204: { description: 'There is none any more' }, ...problems(401, 404) },
    summary: 'Remove my watermark',
    operationId: 'deleteWatermark',
    tags,
  }),
  async (c) => {
    await removeWatermark(c.var.ctx);
    return c.body(null, 204);
  },
);
