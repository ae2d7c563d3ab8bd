import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { eventBridgeBody, webhookAnswer, webhookHeaders } from './webhooks.schemas.ts';
import { takeAwsEvent } from './webhooks.usecases.ts';

/** Mounted at `/v1/webhooks`. */
export const webhooksRoutes = createRouter();

webhooksRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/aws',
    request: { headers: webhookHeaders, ...jsonBody(eventBridgeBody) },
    responses: { 202: jsonResponse(webhookAnswer, 'Taken in'), ...problems(400, 401, 422) },
    summary: 'Receive events of AWS services through an EventBridge API destination',
    operationId: 'receiveAwsEvent',
    tags: ['Webhooks'],
  }),
  async (c) => c.json(await takeAwsEvent(c.var.ctx, c.req.header('x-api-key'), () => c.req.json()), 202),
);
