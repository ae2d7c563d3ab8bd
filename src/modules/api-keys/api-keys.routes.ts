import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import {
  apiKeyListSchema,
  apiKeyParams,
  apiKeySchema,
  createApiKeyBody,
  newApiKeySchema,
  renameApiKeyBody,
} from './api-keys.schemas.ts';
import { presentApiKey } from './api-keys.views.ts';
import { createMyKey, listMyKeys, renameMyKey, revokeMyKey } from './usecases/manage-keys.ts';

const tags = ['API keys'];

/** Mounted at `/v1/me/api-keys`. None takes an Idempotency-Key: a kept answer would be a store of keys. */
export const apiKeysRoutes = createRouter();

apiKeysRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/',
    responses: {
      200: jsonResponse(apiKeyListSchema, 'The live API keys of the caller'),
      ...problems(401, 403),
    },
    summary: 'List my API keys',
    operationId: 'listApiKeys',
    tags,
  }),
  async (c) => c.json({ data: (await listMyKeys(c.var.ctx)).map(presentApiKey), next_cursor: null }, 200),
);

apiKeysRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/',
    request: jsonBody(createApiKeyBody),
    responses: {
      201: jsonResponse(newApiKeySchema, 'The key, shown this once'),
      ...problems(400, 401, 403, 409, 422),
    },
    summary: 'Create an API key',
    description:
      'A key acts for the account within its scopes, wherever an operation names one in `x-api-key-scope`.',
    operationId: 'createApiKey',
    tags,
  }),
  async (c) => {
    const body = c.req.valid('json');
    const { row, secret } = await createMyKey(c.var.ctx, {
      name: body.name,
      scopes: body.scopes,
      networks: body.networks,
      lifeDays: body.expires_in_days,
    });
    return c.json({ api_key: presentApiKey(row), secret }, 201);
  },
);

apiKeysRoutes.openapi(
  defineRoute({
    method: 'patch',
    path: '/{key_id}',
    request: { params: apiKeyParams, ...jsonBody(renameApiKeyBody) },
    responses: { 200: jsonResponse(apiKeySchema, 'The renamed key'), ...problems(400, 401, 403, 404, 422) },
    summary: 'Rename one of my API keys',
    operationId: 'renameApiKey',
    tags,
  }),
  async (c) => {
    const { key_id } = c.req.valid('param');
    return c.json(presentApiKey(await renameMyKey(c.var.ctx, key_id, c.req.valid('json').name)), 200);
  },
);

apiKeysRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/{key_id}',
    request: { params: apiKeyParams },
    responses: { 204: { description: 'The key is revoked' }, ...problems(401, 403, 404) },
    summary: 'Revoke one of my API keys',
    description: 'It stops writing at once and reading within ten seconds.',
    operationId: 'revokeApiKey',
    tags,
  }),
  async (c) => {
    await revokeMyKey(c.var.ctx, c.req.valid('param').key_id);
    return c.body(null, 204);
  },
);
