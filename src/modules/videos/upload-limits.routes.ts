import { createRouter, defineRoute, jsonResponse, problems } from '../../http/route.ts';
import { uploadLimitsSchema } from './uploads.schemas.ts';
import { presentUploadLimits } from './uploads.views.ts';
import { uploadLimits } from './usecases/upload-limits.ts';

/** Mounted at `/v1`. */
export const uploadLimitsRoutes = createRouter();

uploadLimitsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/videos/limits',
    responses: { 200: jsonResponse(uploadLimitsSchema, 'My limits'), ...problems(401) },
    summary: 'See what I may still upload',
    operationId: 'getUploadLimits',
    tags: ['Uploads'],
  }),
  async (c) => {
    const { ctx } = c.var;
    return c.json(presentUploadLimits(await uploadLimits(ctx), ctx.config.videos, ctx.clock.now()), 200);
  },
);
