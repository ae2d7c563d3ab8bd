import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { deliveryDetailSchema } from './deliveries.schemas.ts';
import {
  createMyEndpoint,
  deleteMyEndpoint,
  getMyEndpoint,
  listMyEndpoints,
  rotateMySecret,
  updateMyEndpoint,
} from './usecases/manage-endpoints.ts';
import { testMyEndpoint } from './usecases/test-endpoint.ts';
import {
  createEndpointBody,
  endpointListSchema,
  endpointParams,
  endpointSchema,
  endpointWithSecretSchema,
  rotateSecretBody,
  updateEndpointBody,
} from './webhook-endpoints.schemas.ts';
import { presentDeliveryDetail, presentEndpoint } from './webhook-endpoints.views.ts';

const tags = ['Webhooks to you'];

/** Mounted at `/v1/me/webhook-endpoints`. What shows a secret takes no Idempotency-Key: a kept answer would be a store of them. */
export const webhookEndpointsRoutes = createRouter();

webhookEndpointsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/',
    responses: {
      200: jsonResponse(endpointListSchema, 'The webhook endpoints of the caller'),
      ...problems(401, 403),
    },
    summary: 'List my webhook endpoints',
    operationId: 'listWebhookEndpoints',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const nowMs = ctx.clock.now();
    const data = (await listMyEndpoints(ctx)).map((row) => presentEndpoint(row, nowMs));
    return c.json({ data, next_cursor: null }, 200);
  },
);

webhookEndpointsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/',
    request: jsonBody(createEndpointBody),
    responses: {
      201: jsonResponse(endpointWithSecretSchema, 'The endpoint, and its secret, shown this once'),
      ...problems(400, 401, 403, 409, 422),
    },
    summary: 'Create a webhook endpoint',
    description:
      'Events are posted to it as the Standard Webhooks specification says, signed with its secret, at least once each.',
    operationId: 'createWebhookEndpoint',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { url, event_types, description } = c.req.valid('json');
    const { row, secret } = await createMyEndpoint(ctx, { url, eventTypes: event_types ?? [], description });
    return c.json({ endpoint: presentEndpoint(row, ctx.clock.now()), secret }, 201);
  },
);

webhookEndpointsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{endpoint_id}',
    request: { params: endpointParams },
    responses: { 200: jsonResponse(endpointSchema, 'The endpoint'), ...problems(401, 403, 404) },
    summary: 'Get one of my webhook endpoints',
    operationId: 'getWebhookEndpoint',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const row = await getMyEndpoint(ctx, c.req.valid('param').endpoint_id);
    return c.json(presentEndpoint(row, ctx.clock.now()), 200);
  },
);

webhookEndpointsRoutes.openapi(
  defineRoute({
    method: 'patch',
    path: '/{endpoint_id}',
    request: { params: endpointParams, ...jsonBody(updateEndpointBody) },
    responses: {
      200: jsonResponse(endpointSchema, 'The changed endpoint'),
      ...problems(400, 401, 403, 404, 422),
    },
    summary: 'Change, disable or enable one of my webhook endpoints',
    description:
      'Disabling it gives up the deliveries that wait for it, and events that happen meanwhile are not kept for it.',
    operationId: 'updateWebhookEndpoint',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { url, event_types, description, enabled } = c.req.valid('json');
    const eventTypes = event_types === null ? [] : event_types;
    const change = { url, eventTypes, description, enabled };
    const row = await updateMyEndpoint(ctx, c.req.valid('param').endpoint_id, change);
    return c.json(presentEndpoint(row, ctx.clock.now()), 200);
  },
);

webhookEndpointsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/{endpoint_id}',
    request: { params: endpointParams },
    responses: { 204: { description: 'The endpoint is deleted' }, ...problems(401, 403, 404) },
    summary: 'Delete one of my webhook endpoints',
    description: 'With its deliveries. A request already on its way may still arrive.',
    operationId: 'deleteWebhookEndpoint',
    tags,
  }),
  async (c) => {
    await deleteMyEndpoint(c.var.ctx, c.req.valid('param').endpoint_id);
    return c.body(null, 204);
  },
);

webhookEndpointsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{endpoint_id}/rotate-secret',
    request: { params: endpointParams, ...jsonBody(rotateSecretBody) },
    responses: {
      200: jsonResponse(endpointWithSecretSchema, 'The endpoint, and its new secret, shown this once'),
      ...problems(400, 401, 403, 404, 422),
    },
    summary: 'Give one of my webhook endpoints a new secret',
    description: 'Until the overlap is over each request carries a signature by either secret.',
    operationId: 'rotateWebhookSecret',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { overlap_seconds } = c.req.valid('json');
    const { row, secret } = await rotateMySecret(ctx, c.req.valid('param').endpoint_id, overlap_seconds);
    return c.json({ endpoint: presentEndpoint(row, ctx.clock.now()), secret }, 200);
  },
);

webhookEndpointsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{endpoint_id}/test',
    request: { params: endpointParams },
    responses: {
      200: jsonResponse(deliveryDetailSchema, 'What came of it'),
      ...problems(401, 403, 404),
    },
    summary: 'Send a test event to one of my webhook endpoints',
    description: 'One `endpoint.test`, now, even if the endpoint is disabled. It is not tried again.',
    operationId: 'testWebhookEndpoint',
    tags,
  }),
  async (c) => {
    const row = await testMyEndpoint(c.var.ctx, c.req.valid('param').endpoint_id);
    return c.json(presentDeliveryDetail(row), 200);
  },
);
