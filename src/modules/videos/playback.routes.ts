import {
  createRouter,
  defineRoute,
  jsonBody,
  jsonResponse,
  optionalJsonBody,
  problems,
} from '../../http/route.ts';
import { playbackBody, playbackSchema, unlockBody, unlockSchema } from './playback.schemas.ts';
import { requestPlayback } from './usecases/request-playback.ts';
import { unlockVideo } from './usecases/unlock-video.ts';
import { videoParams } from './videos.schemas.ts';

const tags = ['Playback'];

/** Mounted at `/v1/videos`. */
export const playbackRoutes = createRouter();

playbackRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{video_id}/playback',
    request: { params: videoParams, ...optionalJsonBody(playbackBody) },
    responses: {
      200: jsonResponse(playbackSchema, 'Signed addresses of everything that plays'),
      ...problems(400, 401, 403, 404, 409, 422),
    },
    summary: 'Ask to play a video',
    description:
      'The one place where it is decided who may play what: visibility, password, country, age and the page the player stands in. Addresses in video pages answer only with what this gives.',
    operationId: 'requestPlayback',
    tags,
  }),
  async (c) => {
    const { view, cookies } = await requestPlayback(
      c.var.ctx,
      c.req.valid('param').video_id,
      c.req.valid('json'),
      c.req.header('origin'),
    );
    for (const cookie of cookies) c.header('set-cookie', cookie, { append: true });
    return c.json(view, 200);
  },
);

playbackRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{video_id}/unlock',
    request: { params: videoParams, ...jsonBody(unlockBody) },
    responses: {
      200: jsonResponse(unlockSchema, 'A token that stands for the password'),
      ...problems(400, 401, 403, 404, 409, 422),
    },
    summary: 'Give the password of a video',
    operationId: 'unlockVideo',
    tags,
  }),
  async (c) => {
    const { token, expiresAt } = await unlockVideo(
      c.var.ctx,
      c.req.valid('param').video_id,
      c.req.valid('json').password,
    );
    return c.json({ unlock_token: token, expires_at: new Date(expiresAt * 1_000).toISOString() }, 200);
  },
);
