import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import {
  acknowledgePartsBody,
  completeUploadBody,
  partUrlsSchema,
  resumableUploadSchema,
  signPartsBody,
  startedUploadSchema,
  startUploadBody,
  uploadParams,
  uploadProgressSchema,
  uploadSchema,
} from './uploads.schemas.ts';
import { presentHeldPart, presentPartUrl, presentUpload } from './uploads.views.ts';
import { abortUpload, completeUpload } from './usecases/complete-upload.ts';
import { getUpload, signParts } from './usecases/follow-upload.ts';
import { checkSchedule } from './usecases/schedule-video.ts';
import { startUpload } from './usecases/start-upload.ts';
import { acknowledgeParts } from './usecases/upload-progress.ts';

const tags = ['Uploads'];

/** Mounted at `/v1/videos/uploads`. */
export const uploadsRoutes = createRouter();

uploadsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/',
    request: jsonBody(startUploadBody),
    responses: {
      201: jsonResponse(startedUploadSchema, 'The upload, with URLs for its first parts'),
      ...problems(400, 401, 409, 422),
    },
    summary: 'Start uploading a video',
    description:
      'Cut the file into parts of `part_size_bytes` (the last is what remains), PUT each to its URL, keep the ETag of each answer, then complete the upload. Parts may be sent in any order, several at a time, and again.',
    operationId: 'startUpload',
    tags,
  }),
  async (c) => {
    const body = c.req.valid('json');
    const { file_name, size_bytes, content_type, title, description, visibility, publish_at, ...details } =
      body;
    const { upload, parts } = await startUpload(c.var.ctx, {
      fileName: file_name,
      sizeBytes: size_bytes,
      contentType: content_type,
      title,
      description,
      visibility,
      publishAtMs: checkSchedule(c.var.ctx, publish_at),
      details,
    });
    return c.json({ ...presentUpload(upload), parts: parts.map(presentPartUrl) }, 201);
  },
);

uploadsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{upload_id}',
    request: { params: uploadParams },
    responses: {
      200: jsonResponse(resumableUploadSchema, 'The upload and the parts it holds'),
      ...problems(401, 404),
    },
    summary: 'See which parts of an upload have arrived',
    operationId: 'getUpload',
    tags,
  }),
  async (c) => {
    const { upload, heldParts } = await getUpload(c.var.ctx, c.req.valid('param').upload_id);
    const held_parts = heldParts.map(presentHeldPart);
    const held_bytes = heldParts.reduce((sum, part) => sum + part.sizeBytes, 0);
    return c.json({ ...presentUpload(upload), held_parts, held_bytes }, 200);
  },
);

uploadsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{upload_id}/parts',
    request: { params: uploadParams, ...jsonBody(signPartsBody) },
    responses: {
      200: jsonResponse(partUrlsSchema, 'A fresh URL for each part'),
      ...problems(400, 401, 404, 409, 422),
    },
    summary: 'Get URLs for parts',
    operationId: 'signParts',
    tags,
  }),
  async (c) => {
    const { part_numbers } = c.req.valid('json');
    const parts = await signParts(c.var.ctx, c.req.valid('param').upload_id, part_numbers);
    return c.json({ parts: parts.map(presentPartUrl) }, 200);
  },
);

uploadsRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/{upload_id}/parts',
    request: { params: uploadParams, ...jsonBody(acknowledgePartsBody) },
    responses: {
      200: jsonResponse(uploadProgressSchema, 'How far the upload has got'),
      ...problems(400, 401, 404, 409, 422),
    },
    summary: 'Tell which parts have been sent',
    description:
      'Optional. Lets `upload.progressed` be told at 25, 50, 75 and 100 % while parts are sent, once the storage confirms it, and lets a client that resumes be answered at once.',
    operationId: 'acknowledgeParts',
    tags,
  }),
  async (c) => {
    const { parts } = c.req.valid('json');
    const progress = await acknowledgeParts(
      c.var.ctx,
      c.req.valid('param').upload_id,
      parts.map(({ part_number, etag }) => ({ partNumber: part_number, etag })),
    );
    return c.json(
      {
        held_bytes: progress.heldBytes,
        percent: progress.percent,
        confirmed_percent: progress.confirmedPercent,
      },
      200,
    );
  },
);

uploadsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{upload_id}/complete',
    request: { params: uploadParams, ...jsonBody(completeUploadBody) },
    responses: {
      200: jsonResponse(uploadSchema, 'The upload is complete and its video is being processed'),
      ...problems(400, 401, 404, 409, 422),
    },
    summary: 'Complete an upload',
    description: 'May be repeated: the answer stays the same.',
    operationId: 'completeUpload',
    tags,
  }),
  async (c) => {
    const { parts } = c.req.valid('json');
    const upload = await completeUpload(
      c.var.ctx,
      c.req.valid('param').upload_id,
      parts?.map(({ part_number, etag }) => ({ partNumber: part_number, etag })),
    );
    return c.json(presentUpload(upload), 200);
  },
);

uploadsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/{upload_id}',
    request: { params: uploadParams },
    responses: { 204: { description: 'The upload and its video are gone' }, ...problems(401, 404, 409) },
    summary: 'Give an upload up',
    operationId: 'abortUpload',
    tags,
  }),
  async (c) => {
    await abortUpload(c.var.ctx, c.req.valid('param').upload_id);
    return c.body(null, 204);
  },
);
