import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import {
  passkeyListSchema,
  passkeyParams,
  passkeySchema,
  registeredPasskeySchema,
  registerPasskeyBody,
  registrationOptionsSchema,
  renamePasskeyBody,
} from './passkeys.schemas.ts';
import { presentPasskey, presentRegistrationOptions } from './passkeys.views.ts';
import {
  listMyPasskeys,
  registerPasskey,
  removeMyPasskey,
  renameMyPasskey,
  startRegistration,
} from './usecases/manage-passkeys.ts';

const tags = ['Passkeys'];

/** Mounted at `/v1/me/passkeys`. None takes an Idempotency-Key: a challenge is answered once anyway. */
export const passkeysRoutes = createRouter();

passkeysRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/',
    responses: { 200: jsonResponse(passkeyListSchema, 'The passkeys of the caller'), ...problems(401) },
    summary: 'List my passkeys',
    description: 'The newest first.',
    operationId: 'listPasskeys',
    tags,
  }),
  async (c) => {
    const passkeys = await listMyPasskeys(c.var.ctx);
    return c.json({ data: passkeys.map(presentPasskey), next_cursor: null }, 200);
  },
);

passkeysRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/options',
    responses: {
      200: jsonResponse(registrationOptionsSchema, 'Options for `navigator.credentials.create()`'),
      ...problems(401, 409),
    },
    summary: 'Start registering a passkey',
    operationId: 'startPasskeyRegistration',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    return c.json(presentRegistrationOptions(await startRegistration(ctx), ctx.config.passkeys), 200);
  },
);

passkeysRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/',
    request: jsonBody(registerPasskeyBody),
    responses: {
      201: jsonResponse(registeredPasskeySchema, 'The passkey is registered'),
      ...problems(400, 401, 409, 422),
    },
    summary: 'Register a passkey',
    description:
      'From now on logins by password ask for a second factor. The first second factor of an account comes with backup codes.',
    operationId: 'registerPasskey',
    tags,
  }),
  async (c) => {
    const { challenge_token, credential, name } = c.req.valid('json');
    const registered = await registerPasskey(c.var.ctx, {
      challengeToken: challenge_token,
      credential,
      name,
    });
    return c.json(
      {
        passkey: presentPasskey(registered.passkey),
        backup_codes: registered.backupCodes === undefined ? null : [...registered.backupCodes],
      },
      201,
    );
  },
);

passkeysRoutes.openapi(
  defineRoute({
    method: 'patch',
    path: '/{passkey_id}',
    request: { params: passkeyParams, ...jsonBody(renamePasskeyBody) },
    responses: {
      200: jsonResponse(passkeySchema, 'The passkey with its new name'),
      ...problems(400, 401, 404, 422),
    },
    summary: 'Rename one of my passkeys',
    operationId: 'renamePasskey',
    tags,
  }),
  async (c) => {
    const { passkey_id } = c.req.valid('param');
    const renamed = await renameMyPasskey(c.var.ctx, passkey_id, c.req.valid('json').name);
    return c.json(presentPasskey(renamed), 200);
  },
);

passkeysRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/{passkey_id}',
    request: { params: passkeyParams },
    responses: { 204: { description: 'The passkey is gone' }, ...problems(401, 404, 409) },
    summary: 'Remove one of my passkeys',
    description:
      'The backup codes go with the last second factor. 409 `passkeys.last_way_in`: nobody could sign into the account afterwards.',
    operationId: 'removePasskey',
    tags,
  }),
  async (c) => {
    await removeMyPasskey(c.var.ctx, c.req.valid('param').passkey_id);
    return c.body(null, 204);
  },
);
