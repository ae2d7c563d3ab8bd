import { decodeCursor, nextCursor, page } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { viewerIdOf } from '../../http/viewer.ts';
import {
  deliveriesQuery,
  deliveryDetailSchema,
  deliveryPageSchema,
  deliveryParams,
  deliveryPositionSchema,
  deliverySchema,
  replayedSchema,
  replayFailedBody,
} from './deliveries.schemas.ts';
import { getMyDelivery, listMyDeliveries, replayMyDelivery, replayMyFailed } from './usecases/read-log.ts';
import { endpointParams } from './webhook-endpoints.schemas.ts';
import { presentDelivery, presentDeliveryDetail } from './webhook-endpoints.views.ts';

const tags = ['Webhooks to you'];

/** Mounted at `/v1/me/webhook-endpoints`. */
export const webhookDeliveriesRoutes = createRouter();

webhookDeliveriesRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{endpoint_id}/deliveries',
    request: { params: endpointParams, query: deliveriesQuery },
    responses: {
      200: jsonResponse(deliveryPageSchema, 'What was sent to the endpoint, newest first'),
      ...problems(400, 401, 403, 404),
    },
    summary: 'List the deliveries of one of my webhook endpoints',
    operationId: 'listWebhookDeliveries',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { endpoint_id } = c.req.valid('param');
    const { limit, cursor, state, type } = c.req.valid('query');
    const secret = ctx.config.http.cursorSecret;
    const scope = {
      list: 'webhooks:deliveries',
      filters: { endpoint_id, state, type },
      userId: viewerIdOf(ctx),
    };
    const beforeId = await decodeCursor(secret, cursor, scope, deliveryPositionSchema);
    const rows = await listMyDeliveries(ctx, endpoint_id, { state, type, beforeId, limit: limit + 1 });
    const { items, nextPosition } = page(rows, limit, ({ id }) => id);
    return c.json(
      { data: items.map(presentDelivery), next_cursor: await nextCursor(secret, scope, nextPosition) },
      200,
    );
  },
);

webhookDeliveriesRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{endpoint_id}/deliveries/{delivery_id}',
    request: { params: deliveryParams },
    responses: {
      200: jsonResponse(deliveryDetailSchema, 'The delivery with its attempts'),
      ...problems(401, 403, 404),
    },
    summary: 'Get a delivery with its attempts',
    operationId: 'getWebhookDelivery',
    tags,
  }),
  async (c) => {
    const { endpoint_id, delivery_id } = c.req.valid('param');
    const row = await getMyDelivery(c.var.ctx, { endpointId: endpoint_id, id: delivery_id });
    return c.json(presentDeliveryDetail(row), 200);
  },
);

webhookDeliveriesRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{endpoint_id}/deliveries/{delivery_id}/replay',
    request: { params: deliveryParams },
    responses: {
      202: jsonResponse(deliverySchema, 'The delivery, on its way again'),
      ...problems(401, 403, 404, 409),
    },
    summary: 'Send an event again',
    description: 'Under the same `webhook-id`. One that still waits is tried at once.',
    operationId: 'replayWebhookDelivery',
    tags,
  }),
  async (c) => {
    const { endpoint_id, delivery_id } = c.req.valid('param');
    const row = await replayMyDelivery(c.var.ctx, { endpointId: endpoint_id, id: delivery_id });
    return c.json(presentDelivery(row), 202);
  },
);

webhookDeliveriesRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{endpoint_id}/replay-failed',
    request: { params: endpointParams, ...jsonBody(replayFailedBody) },
    responses: {
      202: jsonResponse(replayedSchema, 'They are on their way again'),
      ...problems(400, 401, 403, 404, 409, 422),
    },
    summary: 'Send everything that failed since a moment again',
    description: 'Up to a thousand events, the oldest first.',
    operationId: 'replayFailedWebhooks',
    tags,
  }),
  async (c) => {
    const { endpoint_id } = c.req.valid('param');
    const since = new Date(c.req.valid('json').since).toISOString();
    return c.json(await replayMyFailed(c.var.ctx, endpoint_id, since), 202);
  },
);
