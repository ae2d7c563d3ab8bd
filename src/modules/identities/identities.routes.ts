import { notFound } from '../../http/errors.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import {
  deletionAnswer,
  deletionParams,
  deletionStatus,
  handoffBody,
  identityListSchema,
  identityParams,
  identitySchema,
  providerParams,
  startBody,
  startedSchema,
} from './identities.schemas.ts';
import { presentIdentity } from './identities.views.ts';
import { formOf, handoffOf, started, startOf } from './oauth.routes.ts';
import {
  completeLink,
  deleteFacebookData,
  isDeletionCode,
  listMyIdentities,
  startOwnFlow,
  unlinkMyIdentity,
} from './usecases/manage-identities.ts';

const tags = ['Social login'];

/** Mounted at `/v1/me/identities`. */
export const identitiesRoutes = createRouter();

identitiesRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/',
    responses: { 200: jsonResponse(identityListSchema, 'The linked logins'), ...problems(401) },
    summary: 'List the logins of providers linked to my account',
    operationId: 'listMyIdentities',
    tags,
  }),
  async (c) =>
    c.json({ data: (await listMyIdentities(c.var.ctx)).map(presentIdentity), next_cursor: null }, 200),
);

identitiesRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{provider}/start',
    request: { params: providerParams, ...jsonBody(startBody) },
    responses: {
      200: jsonResponse(startedSchema, 'Where to send the browser'),
      ...problems(400, 401, 404, 422),
    },
    summary: 'Begin to link a login of a provider',
    operationId: 'startLink',
    tags,
  }),
  async (c) =>
    c.json(
      await started(
        startOwnFlow(c.var.ctx, c.req.valid('param').provider, 'link', startOf(c.req.valid('json'))),
      ),
      200,
    ),
);

identitiesRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/',
    request: jsonBody(handoffBody),
    responses: { 200: jsonResponse(identitySchema, 'Linked'), ...problems(400, 401, 409, 422, 502) },
    summary: 'Link a login of a provider',
    description: 'Takes the handoff of a trip this session began. Repeating a link changes nothing.',
    operationId: 'completeLink',
    tags,
  }),
  async (c) => c.json(presentIdentity(await completeLink(c.var.ctx, handoffOf(c.req.valid('json')))), 200),
);

identitiesRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/{identity_id}',
    request: { params: identityParams },
    responses: { 204: { description: 'Unlinked' }, ...problems(401, 404, 409) },
    summary: 'Unlink a login of a provider',
    description: 'Refused when it is the only way to log in.',
    operationId: 'unlinkIdentity',
    tags,
  }),
  async (c) => {
    await unlinkMyIdentity(c.var.ctx, c.req.valid('param').identity_id);
    return c.body(null, 204);
  },
);

/** Mounted at `/v1/webhooks/facebook`. */
export const facebookRoutes = createRouter();

facebookRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/data-deletion',
    responses: { 200: jsonResponse(deletionAnswer, 'Deleted'), ...problems(400, 401, 404, 415) },
    summary: 'Delete what is known of a person of Facebook',
    description: 'Called by Facebook with a form whose `signed_request` the app secret signs.',
    operationId: 'deleteFacebookData',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const code = await deleteFacebookData(ctx, formOf(await c.req.arrayBuffer()).signed_request ?? '');
    const url = `${ctx.config.auth.issuer.replace(/\/+$/, '')}/v1/webhooks/facebook/data-deletion/${code}`;
    return c.json({ url, confirmation_code: code }, 200);
  },
);

facebookRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/data-deletion/{code}',
    request: { params: deletionParams },
    responses: { 200: jsonResponse(deletionStatus, 'The data is deleted'), ...problems(404) },
    summary: 'Ask whether data of Facebook was deleted',
    operationId: 'getFacebookDeletion',
    tags,
  }),
  async (c) => {
    if (!(await isDeletionCode(c.var.ctx, c.req.valid('param').code))) throw notFound();
    return c.json({ status: 'completed' as const }, 200);
  },
);
