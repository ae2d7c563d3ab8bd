import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { importVideoBody } from './uploads.schemas.ts';
import { importVideo } from './usecases/import-video.ts';
import { checkSchedule } from './usecases/schedule-video.ts';
import { showVideo } from './usecases/show-video.ts';
import { videoSchema } from './videos.schemas.ts';

/** Mounted at `/v1/videos/imports`. */
export const importsRoutes = createRouter();

importsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/',
    request: jsonBody(importVideoBody),
    responses: {
      202: jsonResponse(videoSchema, 'The video, whose file is being fetched'),
      ...problems(400, 401, 422, 429, 503),
    },
    summary: 'Import a video from an address',
    description:
      'We fetch the file: over https, from the public internet, following up to five redirects. `progress_percent` of the video tells how far that has got, where the server told its size. A transfer that breaks off goes on where it stopped if the server can. Deleting the video ends the import.',
    operationId: 'importVideo',
    tags: ['Uploads'],
  }),
  async (c) => {
    const { ctx } = c.var;
    const { url, title, description, visibility, publish_at, ...details } = c.req.valid('json');
    const video = await importVideo(ctx, url, {
      title,
      description,
      visibility,
      publishAtMs: checkSchedule(ctx, publish_at),
      details,
    });
    return c.json(await showVideo(ctx, video), 202);
  },
);
